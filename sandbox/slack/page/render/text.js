/** Text objects: `{type: "plain_text"|"mrkdwn", text}`. */

import { h } from "../dom.js";
import { emoji } from "../text/emoji.js";
import { mrkdwn } from "../text/mrkdwn.js";
import { words } from "../text/pieces.js";

/** @returns {(Node|string)[]} */
export function textObject(object) {
  if (object === null || object === undefined) return [];
  if (typeof object === "string") return plain(object);
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  return plain(object.text ?? "", object.emoji !== false);
}

/** Its words alone, for labels and titles. */
export const textOf = (object) => (typeof object === "string" ? object : (object?.text ?? ""));

function plain(text, withEmoji = true) {
  if (!withEmoji) return words(text);
  return text
    .split(/(:[a-z0-9_+'-]+:)/)
    .flatMap((piece, index) => (index % 2 ? [emoji(piece.slice(1, -1))] : words(piece)));
}

/** A block of text that keeps its own line breaks. */
export const textBlock = (object, name = "div.text") => h(name, null, textObject(object));

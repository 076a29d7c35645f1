/** What both dialects of text share: mentions, channel links, dates, and the `<…>` tokens of Slack. */

import { h, link } from "../dom.js";
import { fromTemplate } from "../format.js";
import { isBot, nameOf, state } from "../state.js";
import { textWithEmoji } from "./emoji.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

/** Slack escapes three characters in text; this takes it back. */
export const unescape = (text) => text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]);

/** Plain words: unescaped, drawn emoji, line breaks. */
export function words(text) {
  return unescape(text)
    .split("\n")
    .flatMap((line, index) => [...(index ? [h("br")] : []), ...textWithEmoji(line)]);
}

/** A pill for a person, or for the app. */
export function mention(id) {
  const mine = id === state.me ? " mine" : "";
  return h("span.mention", { class: mine || null, title: isBot(id) ? "App" : state.people.get(id)?.email }, `@${nameOf(id)}`);
}

/** A pill that leads to a channel. */
export function channelLink(id, label) {
  const channel = state.channels.get(id);
  const name = channel?.name ?? label ?? "private-channel";
  if (!channel || channel.kind === "im") return h("span.mention", null, `#${name}`);
  return h("a.mention", { href: `#/${id}` }, `#${name}`);
}

/** `@channel`, `@here`, `@everyone`. */
export const broadcast = (range) => h("span.mention.mine", null, `@${range}`);

/**
 * What stands between `<` and `>` in Slack's text.
 * @param {string} inside e.g. `@U0ADA0001`, `https:…|label`, `!channel`
 */
export function token(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (/^@[UW]/.test(target)) return mention(target.slice(1));
  if (/^#C/.test(target)) return channelLink(target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label);
  return link(unescape(target), label || unescape(target));
}

function special(target, label) {
  const [kind, ...rest] = target.split("^");
  if (kind === "date") return date(rest, label);
  if (kind === "subteam") return h("span.mention", null, label ?? "@group");
  return broadcast(label?.replace(/^@/, "") ?? kind);
}

function date([seconds, template, url], label) {
  const text = Number.isFinite(Number(seconds)) ? fromTemplate(Number(seconds), template ?? "{date_short} {time}") : label;
  return url ? link(url, text) : h("time", { title: label }, text ?? "");
}

/** Whether `inside` of `<…>` is one of Slack's tokens, so that Markdown's own `<…>` can be told apart. */
export const isToken = (inside) => /^(@[UW][A-Z0-9]+|#C[A-Z0-9]+|![a-z]|(https?:\/\/|mailto:))/.test(inside);

/** A bare address in running text; trailing punctuation stays outside. */
export const BARE_URL = /https?:\/\/[^\s<>|]*[^\s<>|.,;:!?'")\]}]/;

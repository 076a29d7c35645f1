/** Message text back in the form in which a person typed it, for the editor and the clipboard. The server does the other way. */

import { isBot, state } from "../state.js";
import { unescape } from "./pieces.js";

/** @param {string} text in Slack's notation */
export function typedText(text) {
  return unescape(text.replace(/<([^<>\n]+)>/g, (_, inside) => readable(inside)));
}

function readable(inside) {
  const [target, label] = inside.split("|");
  if (/^@[UW]/.test(target)) return `@${handleOf(target.slice(1))}`;
  if (/^#C/.test(target)) return `#${state.channels.get(target.slice(1))?.name ?? label ?? ""}`;
  if (target.startsWith("!")) return `@${target.slice(1)}`;
  return label && !target.endsWith(label) ? `${label} (${target})` : target.replace(/^mailto:/, "");
}

/** What stands after the @ when this one is mentioned. */
export function handleOf(id) {
  return isBot(id) ? state.bot.name : (state.people.get(id)?.name ?? id);
}

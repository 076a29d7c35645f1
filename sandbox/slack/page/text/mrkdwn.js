/** Slack's own light markup (`*bold*`, `_italic_`, `<url|label>` …) as nodes. docs.slack.dev/messaging/formatting-message-text */

import { h, link } from "../dom.js";
import { emoji } from "./emoji.js";
import { BARE_URL, token, unescape, words } from "./pieces.js";

/**
 * @param {string} text as Slack stores it, with `&`, `<` and `>` escaped
 * @returns {Node[]}
 */
export function mrkdwn(text) {
  const nodes = [];
  // An odd piece is what stood between two fences; the line break after a fence belongs to the fence.
  const pieces = String(text ?? "").split(/```\n?([\s\S]*?)\n?```\n?/);
  pieces.forEach((piece, index) => {
    if (index % 2) nodes.push(h("pre", null, plainTokens(piece)));
    else if (piece) nodes.push(...paragraphs(piece));
  });
  return nodes;
}

/** Inside code the tokens are still tokens, but nothing else is. */
function plainTokens(text) {
  return text.split(/(<[^<>\n]+>)/).map((piece) => (/^<[^<>\n]+>$/.test(piece) ? token(piece.slice(1, -1)) : unescape(piece)));
}

function paragraphs(text) {
  const nodes = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; ) {
    const quoted = isQuote(lines[at]);
    const start = at;
    while (at < lines.length && isQuote(lines[at]) === quoted) at += 1;
    const run = lines.slice(start, at);
    if (quoted) nodes.push(h("blockquote", null, inline(run.map(withoutQuote).join("\n"))));
    else nodes.push(...inline(run.join("\n")));
  }
  return nodes;
}

const isQuote = (line) => /^(&gt;|>)/.test(line);
const withoutQuote = (line) => line.replace(/^(&gt;|>) ?/, "");

// A mark opens after a space or punctuation and closes before one: snake_case_names and 2*3*4 stay as they are.
const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<token>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\\d)?):",
    "(?<![\\w*])\\*(?<bold>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])",
    "(?<![\\w_])_(?<italic>[^\\s_](?:[^\\n]*?[^\\s_])??)_(?![\\w_])",
    "(?<![\\w~])~(?<strike>[^\\s~](?:[^~\\n]*[^\\s~])?)~(?![\\w~])",
    `(?<url>${BARE_URL.source})`,
  ].join("|"),
  "g",
);

const RENDER = {
  code: (inside) => h("code", null, plainTokens(inside)),
  token,
  emoji,
  bold: (inside) => h("b", null, inline(inside)),
  italic: (inside) => h("i", null, inline(inside)),
  strike: (inside) => h("s", null, inline(inside)),
  url: (inside) => link(unescape(inside), unescape(inside)),
};

/** One run of text without fences or quotes. */
export function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(...words(text.slice(at, match.index)));
    const [kind, inside] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    nodes.push(RENDER[kind](inside));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(...words(text.slice(at)));
  return nodes;
}

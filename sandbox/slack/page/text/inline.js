/** Markdown within a line: emphasis, code, links, mentions. The blocks around it are in `markdown.js`. */

import { h, link } from "../dom.js";
import { emoji } from "./emoji.js";
import { BARE_URL, isToken, token, unescape, words } from "./pieces.js";

const INLINE = new RegExp(
  [
    "\\\\(?<escaped>[!-/:-@[-`{-~])",
    "(?<ticks>`+)(?!`)(?<code>[\\s\\S]+?)(?<!`)\\k<ticks>(?!`)",
    '!?\\[(?<label>(?:\\\\.|\\[[^\\][]*\\]|[^\\][\\\\])*)\\]\\((?<href><[^>\\n]*>|[^\\s()]*(?:\\([^\\s()]*\\)[^\\s()]*)*)(?:\\s+["\'(][^\\n]*?["\')])?\\)',
    "<(?<token>[^<>\\s][^<>\\n]*)>",
    "\\*\\*\\*(?<both>[^\\s*](?:[\\s\\S]*?[^\\s*])??)\\*\\*\\*",
    "\\*\\*(?<bold>\\S(?:[\\s\\S]*?\\S)??)\\*\\*(?!\\*)",
    "(?<!\\w)__(?<bold2>\\S(?:[\\s\\S]*?\\S)??)__(?!\\w)",
    "\\*(?<italic>[^\\s*](?:(?:\\*\\*[^*]+\\*\\*|[^*])*?[^\\s*])??)\\*(?!\\*)",
    "(?<![\\w_])_(?<italic2>[^\\s_](?:[\\s\\S]*?[^\\s_])??)_(?![\\w_])",
    "~~(?<strike>\\S(?:[\\s\\S]*?\\S)??)~~",
    ":(?<emoji>[a-z0-9_+'-]+):",
    `(?<url>${BARE_URL.source})`,
  ].join("|"),
  "g",
);

const RENDER = {
  escaped: (found) => found.escaped,
  code: (found) => h("code", null, found.code.replace(/\n/g, " ").replace(/^ (.*[^ ].*) $/, "$1")),
  href: (found) => link(address(found.href), inline(found.label || found.href)),
  token: (found) => (isToken(found.token) ? token(found.token) : `<${unescape(found.token)}>`),
  both: (found) => h("b", null, h("i", null, inline(found.both))),
  bold: (found) => h("b", null, inline(found.bold)),
  bold2: (found) => h("b", null, inline(found.bold2)),
  italic: (found) => h("i", null, inline(found.italic)),
  italic2: (found) => h("i", null, inline(found.italic2)),
  strike: (found) => h("s", null, inline(found.strike)),
  emoji: (found) => emoji(found.emoji),
  url: (found) => link(unescape(found.url), unescape(found.url)),
};

const KINDS = Object.keys(RENDER);

const address = (href) => unescape(href.replace(/^<|>$/g, "").replace(/\\([!-/:-@[-`{-~])/g, "$1"));

/**
 * @param {string} text Markdown without block structure; single line breaks are kept, as chat does
 * @returns {(Node|string)[]}
 */
export function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) nodes.push(...words(text.slice(at, match.index)));
    const kind = KINDS.find((name) => match.groups[name] !== undefined);
    nodes.push(RENDER[kind](match.groups));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(...words(text.slice(at)));
  return nodes;
}

/**
 * GitHub-like Markdown as nodes, for Slack's markdown block: headings, lists (nested, ordered, tasks), quotes, fences, tables,
 * rules and paragraphs. Written for text that is still growing: an open fence is a code block until it closes.
 */

import { h } from "../dom.js";
import { codeBlock } from "./highlight.js";
import { inline } from "./inline.js";

/** @param {string} text @returns {Node[]} */
export function markdown(text) {
  return blocks(String(text ?? "").replace(/\r\n?/g, "\n").split("\n"));
}

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}(?:>|&gt;) ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:( +)(.*)|)$/;
const TABLE_RULE = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Parse lines into blocks; each reader takes lines from `at` and says where it stopped. */
function blocks(lines) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const read = READERS.find(([starts]) => starts(lines, at))[1];
    const [node, next] = read(lines, at);
    nodes.push(node);
    at = next;
  }
  return nodes;
}

const READERS = [
  [(lines, at) => FENCE.test(lines[at]), readFence],
  [(lines, at) => HEADING.test(lines[at]), readHeading],
  [(lines, at) => RULE.test(lines[at]), (_, at) => [h("hr"), at + 1]],
  [(lines, at) => QUOTE.test(lines[at]), readQuote],
  [(lines, at) => isTable(lines, at), readTable],
  [(lines, at) => ITEM.test(lines[at]), readList],
  [() => true, readParagraph],
];

/** Whether a line ends the paragraph before it. An ordered list does so only when it starts with 1. */
function interrupts(lines, at) {
  const item = ITEM.exec(lines[at]);
  if (item) return item[4] !== undefined && (/[-*+]/.test(item[2]) || /^1[.)]/.test(item[2]));
  return READERS.slice(0, 5).some(([starts]) => starts(lines, at));
}

function readFence(lines, at) {
  const [, indent, fence, language] = FENCE.exec(lines[at]);
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  const code = lines.slice(at + 1, end).map((line) => line.replace(new RegExp(`^ {0,${indent.length}}`), ""));
  // While the fence is still open, the line being written is not a line of the code yet.
  if (end === lines.length && !code.at(-1)) code.pop();
  return [codeBlock(code.join("\n"), language), end + 1];
}

function readHeading(lines, at) {
  const [, marks, text] = HEADING.exec(lines[at]);
  return [h(`h${Math.min(marks.length + 2, 6)}.heading`, { class: `level-${marks.length}` }, inline(text ?? "")), at + 1];
}

function readQuote(lines, at) {
  let end = at;
  while (end < lines.length && (QUOTE.test(lines[end]) || (lines[end].trim() && !interrupts(lines, end)))) end += 1;
  return [h("blockquote", null, blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")))), end];
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines, end)) end += 1;
  const text = lines.slice(at, end).map((line) => line.replace(/^ {1,3}| +$|\\$/g, "")).join("\n");
  return [h("p", null, inline(text)), end];
}

function readList(lines, at) {
  const [, , marker] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(marker);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const found = ITEM.exec(lines[next]);
    if (!found || /\d/.test(found[2]) !== ordered || RULE.test(lines[next])) break;
    const [item, after] = readItem(lines, next, found);
    items.push(item);
    next = after;
  }
  const start = ordered ? Number.parseInt(marker, 10) : 1;
  return [h(ordered ? "ol" : "ul", { start: start === 1 ? null : start }, items), next];
}

/** An item owns the lines that are indented under it, and blank lines between them. */
function readItem(lines, at, [, indent, marker, gap = " ", first = ""]) {
  const outer = indent.length;
  const inner = outer + marker.length + Math.min(gap.length, 4);
  const body = [first];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next];
    const depth = line.length - line.trimStart().length;
    if (!line.trim()) {
      const following = lines[next + 1] ?? "";
      if (!following.trim() || following.length - following.trimStart().length <= outer) break;
      body.push("");
    } else if (depth > outer && (depth >= inner || ITEM.test(line))) body.push(line.slice(Math.min(depth, inner)));
    else if (depth <= outer && (ITEM.test(line) || interrupts(lines, next) || !lines[next - 1].trim())) break;
    else body.push(line.trimStart());
  }
  while (next < lines.length && !lines[next].trim() && ITEM.test(lines[next + 1] ?? "")) next += 1;
  return [listItem(body), next];
}

function listItem(body) {
  const task = /^\[([ xX])\]\s+/.exec(body[0]);
  if (task) body[0] = body[0].slice(task[0].length);
  const nodes = blocks(body);
  // A tight item is a line of text, not a paragraph with space around it.
  const tight = nodes.flatMap((node) => (node.nodeName === "P" ? [...node.childNodes] : [node]));
  const loose = nodes.filter((node) => node.nodeName === "P").length > 1;
  if (!task) return h("li", null, loose ? nodes : tight);
  const done = task[1] !== " ";
  return h("li.task", { class: done ? "done" : null }, checkbox(done), h("span", null, loose ? nodes : tight));
}

const checkbox = (done) =>
  h("input", { type: "checkbox", disabled: true, checked: done, "aria-label": done ? "done" : "not done" });

function isTable(lines, at) {
  const rule = lines[at + 1];
  if (!rule || !lines[at].includes("|") || !rule.includes("-") || !TABLE_RULE.test(rule)) return false;
  return cells(lines[at]).length === cells(rule).length;
}

function readTable(lines, at) {
  const align = cells(lines[at + 1]).map((cell) => (/^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : null));
  const row = (tag, line) => h("tr", null, align.map((side, index) => cell(tag, cells(line)[index] ?? "", side)));
  let end = at + 2;
  while (end < lines.length && lines[end].trim() && lines[end].includes("|")) end += 1;
  const body = lines.slice(at + 2, end).map((line) => row("td", line));
  const table = h("table", null, h("thead", null, row("th", lines[at])), h("tbody", null, body));
  return [h("div.table-wrap", { tabindex: 0, role: "region", "aria-label": "Table" }, table), end];
}

const cell = (tag, text, side) => h(tag, { style: side ? { "text-align": side } : null }, inline(text));

/** A table line's cells; `\|` and a bar inside backticks do not divide. */
function cells(line) {
  const parts = line.trim().replace(/^\|/, "").replace(/\|$/, "").match(/(?:\\.|`[^`]*`|[^|\\])+|(?<=\|)(?=\||$)|^(?=\|)/g) ?? [""];
  return parts.map((part) => part.trim().replaceAll("\\|", "|"));
}

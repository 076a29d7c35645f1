/** rich_text blocks: what Slack's own composer writes, and what task cards and table cells hold. */

import { h, link } from "../dom.js";
import { fromTemplate } from "../format.js";
import { emoji, textWithEmoji } from "../text/emoji.js";
import { codeBlock } from "../text/highlight.js";
import { broadcast, channelLink, mention } from "../text/pieces.js";

/** @param {{elements: object[]}} block @returns {HTMLElement} */
export function richText(block) {
  return h("div.rich-text", null, lists(block.elements ?? []));
}

/** Slack has one element per run of items; deeper runs belong into the item before them. */
function lists(elements) {
  const nodes = [];
  const stack = [];
  for (const element of elements) {
    if (element.type !== "rich_text_list") {
      stack.length = 0;
      nodes.push(part(element));
      continue;
    }
    const depth = element.indent ?? 0;
    while (stack.length && stack.at(-1).depth >= depth) stack.pop();
    const list = h(element.style === "ordered" ? "ol" : "ul", { start: element.offset ? element.offset + 1 : null },
      (element.elements ?? []).map((item) => h("li", null, inline(item.elements))));
    const parent = stack.at(-1)?.list.lastElementChild;
    if (parent) parent.append(list);
    else nodes.push(list);
    stack.push({ depth, list });
  }
  return nodes;
}

function part(element) {
  switch (element.type) {
    case "rich_text_section":
      return h("div", null, inline(element.elements));
    case "rich_text_quote":
      return h("blockquote", null, inline(element.elements));
    case "rich_text_preformatted":
      return codeBlock((element.elements ?? []).map((each) => each.text ?? each.url ?? "").join(""), element.language);
    default:
      return inline([element]);
  }
}

const inline = (elements) => (elements ?? []).map((element) => styled(piece(element), element.style));

function piece(element) {
  switch (element.type) {
    case "text":
      return text(element.text);
    case "link":
      return link(element.url, element.text || element.url);
    case "user":
      return mention(element.user_id);
    case "channel":
      return channelLink(element.channel_id);
    case "emoji":
      return emoji(element.name);
    case "broadcast":
      return broadcast(element.range);
    case "date":
      return fromTemplate(element.timestamp, element.format ?? "{date_short} {time}");
    case "color":
      return h("code", null, element.value);
    case "usergroup":
      return h("span.mention", null, "@group");
    default:
      return element.text ?? "";
  }
}

/** Text objects here are not escaped, unlike mrkdwn. */
const text = (words) =>
  String(words ?? "").split("\n").flatMap((line, index) => [...(index ? [h("br")] : []), ...textWithEmoji(line)]);

const STYLES = { bold: "b", italic: "i", strike: "s", underline: "u", code: "code" };

const styled = (node, style = {}) =>
  Object.entries(STYLES).reduce((inner, [name, tag]) => (style?.[name] ? h(tag, null, inner) : inner), node);

/** Block Kit: which function draws which block. docs.slack.dev/reference/block-kit/blocks */

import { h, link } from "../dom.js";
import { emoji } from "../text/emoji.js";
import { markdown } from "../text/markdown.js";
import { alert, authProvider, card, carousel, container, plan, taskCard } from "./agent.js";
import { chart } from "./charts.js";
import { renderElement } from "./elements.js";
import { contextActions } from "./feedback.js";
import { fileBlock, picture } from "./files.js";
import { inputBlock } from "./inputs.js";
import { richText } from "./rich_text.js";
import { dataTable, table } from "./table.js";
import { textBlock, textObject, textOf } from "./text.js";

/** @typedef {import("../actions.js").Surface} Surface */

/**
 * @param {object[]} blocks
 * @param {Surface} surface
 * @returns {HTMLElement[]}
 */
export function renderBlocks(blocks, surface) {
  return (blocks ?? []).map((block) => renderBlock(block, surface));
}

function renderBlock(block, surface) {
  const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : unknown;
  return h("div.block", { class: `block-${String(block.type).replace(/[^\w-]/g, "")}` }, draw(block, surface, renderBlocks));
}

const BLOCKS = {
  section,
  header: (block) => h(`h${Math.min((block.level ?? 2) + 1, 6)}.header`, { class: block.level ? `level-${Number(block.level)}` : null }, textObject(block.text)),
  divider: () => h("hr"),
  context: (block, surface) => h("div.context", null, block.elements.map((element) => contextElement(element, surface))),
  actions: (block, surface) => h("div.actions", null, block.elements.map((element) => renderElement(element, block, surface))),
  image: imageBlock,
  markdown: (block) => h("div.markdown", null, markdown(block.text)),
  rich_text: (block) => richText(block),
  input: inputBlock,
  table,
  data_table: dataTable,
  data_visualization: chart,
  context_actions: contextActions,
  file: fileBlock,
  video,
  call: (block) => h("div.quiet", null, "Call: ", block.call_id ?? ""),
  alert,
  card,
  carousel,
  container,
  plan,
  task_card: (block) => taskCard(block),
  auth_provider: authProvider,
};

function section(block, surface) {
  const side = block.accessory ? h("div.accessory", null, renderElement(block.accessory, block, surface)) : null;
  return h("div.section", null,
    h("div.section-main", null,
      block.text ? textBlock(block.text) : null,
      block.fields ? h("div.fields", null, block.fields.map((field) => textBlock(field, "div.section-field"))) : null),
    side);
}

function contextElement(element, surface) {
  if (element.type === "image") return picture(element, "context-image");
  if (element.type === "plain_text" || element.type === "mrkdwn") return textBlock(element, "span.context-text");
  return renderElement(element, {}, surface);
}

function imageBlock(block) {
  return h("figure.image", null, block.title ? h("figcaption", null, textObject(block.title)) : null, picture(block));
}

function video(block) {
  const title = textOf(block.title) || "Video";
  return h("div.video", null,
    h("div.video-title", null, link(block.title_url ?? block.video_url, title)),
    block.description ? textBlock(block.description, "div.quiet") : null,
    h("div.quiet", null, [block.provider_name, block.author_name].filter(Boolean).join(" · ")));
}

/** Newer than this page: said quietly, so that nobody takes it for an empty message. */
function unknown(block) {
  return h("div.unknown", null, emoji("brick"), ` This page cannot draw a “${String(block.type)}” block.`);
}

/** Blocks made for agents and newer layouts: plan, task card, alert, card, carousel, container, sign-in. */

import { h, link, safeUrl } from "../dom.js";
import { icon } from "../icons.js";
import { renderElement } from "./elements.js";
import { picture } from "./files.js";
import { richText } from "./rich_text.js";
import { textBlock, textObject } from "./text.js";

const STATUS = {
  pending: ["Waiting", () => null],
  in_progress: ["Running", () => null],
  complete: ["Done", () => icon("check")],
  error: ["Failed", () => icon("close")],
};

/** A ring that fills, turns or shows a tick. */
function statusMark(status) {
  const [label, draw] = Object.hasOwn(STATUS, status) ? STATUS[status] : STATUS.pending;
  return h("span.status-mark", { class: `is-${label.toLowerCase()}`, role: "img", "aria-label": label, title: label }, draw());
}

/** One step of the agent's work; its details fold away. */
export function taskCard(task) {
  const rich = (block, name) => (block ? h(`div.${name}`, null, block.type === "rich_text" ? richText(block) : textObject(block)) : null);
  const sources = task.sources?.length
    ? h("div.task-sources", null, task.sources.map((source) => h("span.chip", null, icon("link"), link(source.url, source.text ?? source.url))))
    : null;
  const body = [rich(task.details, "task-details"), rich(task.output, "task-output"), sources].filter(Boolean);
  const title = [statusMark(task.status), h("span.task-title", null, textObject(task.title))];
  if (!body.length) return h("div.task", null, h("div.task-head", null, title));
  return h("details.task", null, h("summary.task-head", null, title, icon("chevron")), h("div.task-body", null, body));
}

/** A list of steps under one title. */
export function plan(block) {
  const tasks = block.tasks ?? [];
  const status = tasks.some((task) => task.status === "in_progress") ? "in_progress"
    : tasks.some((task) => task.status === "error") ? "error"
    : tasks.length && tasks.every((task) => task.status === "complete") ? "complete" : "pending";
  const done = tasks.filter((task) => task.status === "complete").length;
  return h("details.plan", { open: true },
    h("summary.plan-head", null, statusMark(status), h("span.task-title", null, textObject(block.title)), h("span.quiet", null, tasks.length ? `${done}/${tasks.length}` : ""), icon("chevron")),
    h("div.plan-tasks", null, tasks.map(taskCard)));
}

/** A notice with a level. */
export function alert(block) {
  const level = ["info", "warning", "error", "success"].includes(block.level) ? block.level : "default";
  const mark = { warning: "alert", error: "alert", success: "check" }[level] ?? "info";
  return h("div.alert", { class: `is-${level}`, role: "note" }, icon(mark), textBlock(block.text));
}

/** A picture, a few words and buttons in a frame. */
export function card(block, surface) {
  return h("div.card", null,
    block.hero_image ? picture(block.hero_image, "hero") : null,
    h("div.card-body", null,
      h("div.card-head", null, block.icon ? picture(block.icon, "card-icon") : null,
        h("div", null, block.title ? textBlock(block.title, "div.card-title") : null, block.subtitle ? textBlock(block.subtitle, "div.quiet") : null)),
      block.body ? textBlock(block.body) : null,
      block.actions?.length ? h("div.actions", null, block.actions.map((element) => renderElement(element, block, surface))) : null));
}

/** Cards side by side. */
export function carousel(block, surface) {
  return h("div.carousel", { tabindex: 0, role: "group", "aria-label": "Cards" }, block.elements.map((each) => card(each, surface)));
}

/** A frame around other blocks, which may fold. */
export function container(block, surface, renderBlocks) {
  const title = block.rich_text_title ? richText(block.rich_text_title) : block.title ? textBlock(block.title, "div.card-title") : null;
  const head = title || block.subtitle
    ? [block.icon ? picture(block.icon, "card-icon") : null, h("div", null, title, block.subtitle ? textBlock(block.subtitle, "div.quiet") : null)]
    : null;
  const width = ["narrow", "standard", "wide", "full"].includes(block.width) ? block.width : "standard";
  const body = h("div.container-body", { class: block.has_header_divider ? "divided" : null }, renderBlocks(block.child_blocks ?? [], surface));
  if (!block.is_collapsible) return h("div.container", { class: width }, head ? h("div.container-head", null, head) : null, body);
  return h("details.container", { class: width, open: !block.default_collapsed }, h("summary.container-head", null, head ?? "Details", icon("chevron")), body);
}

/** Connect or disconnect an account. */
export function authProvider(block, surface) {
  const identity = [block.connected_identity, block.connected_context].filter(Boolean).map((each) => textObject(each)).flatMap((each) => [each, " "]);
  const url = safeUrl(block.is_connected ? block.disconnect_url : block.auth_url);
  return h("div.card.auth", null, h("div.card-body", null,
    h("div.card-title", null, textObject(block.name)),
    h("div.quiet", null, block.is_connected ? identity : textObject(block.description)),
    h("div.actions", null,
      url ? h("a.button", { class: block.is_connected ? null : "primary", href: url, target: "_blank", rel: "noopener noreferrer" }, block.is_connected ? "Disconnect" : "Connect") : null,
      block.accessory ? renderElement(block.accessory, block, surface) : null)));
}

/** One message: who, when, what, and what can be done with it. */

import { h, link } from "../dom.js";
import { clock, dateOf, longTime, plural, shortClock, whenSaid } from "../format.js";
import { avatar, icon } from "../icons.js";
import { isBot, nameOf, state } from "../state.js";
import { mrkdwn } from "../text/mrkdwn.js";
import { renderBlocks } from "./blocks.js";
import { fileList } from "./files.js";

/**
 * @typedef {object} Tools what the hover menu and the reply bar call
 * @property {(message: object) => void} [openThread] absent inside a thread
 * @property {(message: object) => void} edit
 * @property {(message: object) => void} remove
 * @property {(message: object) => void} copy
 * @property {(message: object) => void} dismiss an ephemeral
 */

// Joins, topics and the like are said in one quiet line.
const NOTICES = new Set(["channel_join", "channel_leave", "group_join", "group_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive"]);

/**
 * @param {object} message
 * @param {{grouped: boolean, surface: import("../actions.js").Surface, tools: Tools}} how
 * @returns {HTMLElement}
 */
export function renderMessage(message, { grouped, surface, tools }) {
  const isNotice = NOTICES.has(message.subtype);
  const kinds = [grouped && "grouped", message.is_ephemeral && "ephemeral", isNotice && "notice"].filter(Boolean).join(" ");
  const author = authorOf(message);
  return h("article.message", { class: kinds || null, tabindex: 0, "data-ts": message.ts, "aria-label": `${author.name}, ${clock(message.ts)}` },
    h("div.gutter", null, grouped ? h("time.gutter-time", { title: longTime(message.ts) }, shortClock(message.ts)) : avatar(author)),
    h("div.message-body", null,
      message.is_ephemeral ? h("div.only-you", null, icon("eye"), "Only visible to you") : null,
      grouped ? null : head(message, author),
      h("div.message-content", null, content(message, surface)),
      message.files?.length ? fileList(message.files) : null,
      tools.openThread && message.reply_count ? replyBar(message, tools) : null),
    isNotice ? null : toolbar(message, tools));
}

/** Who wrote it; an app may carry its own name. */
export function authorOf(message) {
  const isApp = isBot(message.user) || Boolean(message.bot_id);
  const name = message.username || (isApp && !state.people.has(message.user) ? state.bot.name : nameOf(message.user));
  return { id: message.user ?? message.bot_id, name, color: state.people.get(message.user)?.color, isApp };
}

function head(message, author) {
  const stranger = state.people.get(author.id)?.role === "stranger";
  return h("div.message-head", null,
    h("span.author", null, author.name),
    author.isApp ? h("span.badge", null, "APP") : null,
    stranger ? h("span.badge", { title: "From another company" }, "EXTERNAL") : null,
    h("time.when", { title: longTime(message.ts), datetime: dateOf(message.ts).toISOString() }, clock(message.ts)));
}

function content(message, surface) {
  if (message.subtype === "tombstone") return h("div.quiet", null, "This message was deleted.");
  const edited = message.edited ? h("span.edited", { title: `Edited ${longTime(message.edited.ts ?? message.ts)}` }, "(edited)") : null;
  const body = message.blocks?.length ? renderBlocks(message.blocks, surface) : [h("div.text", null, mrkdwn(message.text), edited && " ", edited)];
  return [
    ...body,
    message.blocks?.length ? edited : null,
    ...(message.attachments ?? []).map((attachment) => renderAttachment(attachment, surface)),
  ];
}

function renderAttachment(attachment, surface) {
  const colour = /^#?[0-9a-f]{6}$/i.test(attachment.color ?? "") ? `#${attachment.color.replace("#", "")}` : null;
  return h("div.attachment", { style: colour ? { "border-left-color": colour } : null },
    attachment.pretext ? h("div.text", null, mrkdwn(attachment.pretext)) : null,
    attachment.title ? h("b", null, attachment.title_link ? link(attachment.title_link, attachment.title) : attachment.title) : null,
    attachment.text ? h("div.text", null, mrkdwn(attachment.text)) : null,
    attachment.fields ? h("div.fields", null, attachment.fields.map((field) => h("div.section-field", null, h("b", null, field.title), h("br"), mrkdwn(field.value)))) : null,
    renderBlocks(attachment.blocks, surface),
    attachment.footer ? h("div.quiet", null, attachment.footer) : null);
}

function replyBar(message, tools) {
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar({ ...authorOf({ user: id }), small: true }));
  return h("button.reply-bar", { type: "button", on: { click: () => tools.openThread(message) } },
    faces,
    h("span.reply-count", null, plural(message.reply_count, "reply", "replies")),
    message.latest_reply ? h("span.quiet", null, `Last reply ${whenSaid(message.latest_reply)}`) : null,
    icon("right"));
}

function toolbar(message, tools) {
  const mine = message.user === state.me && !message.bot_id && !message.is_ephemeral;
  const tool = (label, picture, action) =>
    h("button.icon-button", { type: "button", title: label, "aria-label": label, on: { click: () => action(message) } }, icon(picture));
  return h("div.tools", { role: "toolbar", "aria-label": "Message actions" },
    tools.openThread && !message.is_ephemeral ? tool("Reply in thread", "thread", tools.openThread) : null,
    tool("Copy text", "copy", tools.copy),
    mine ? tool("Edit message", "edit", tools.edit) : null,
    mine ? tool("Delete message", "trash", tools.remove) : null,
    message.is_ephemeral ? tool("Dismiss", "close", tools.dismiss) : null);
}

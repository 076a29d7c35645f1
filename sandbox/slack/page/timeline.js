/**
 * A scrolling list of messages. It stays at the bottom only when the reader is there, and redraws nothing but what changed:
 * each row carries a signature of what it shows.
 */

import * as api from "./api.js";
import { confirm } from "./confirm.js";
import { editor } from "./composer.js";
import { h, morph } from "./dom.js";
import { dayName, plural, sameDay } from "./format.js";
import { icon } from "./icons.js";
import { recall, remember, touch, versionOf } from "./memory.js";
import { renderMessage } from "./render/message.js";
import { dropEphemeral, messagesOf, state, timelineKey } from "./state.js";
import { typedText } from "./text/typed.js";
import { attempt, toast } from "./toast.js";

const GROUP_SECONDS = 300;
const NEAR_BOTTOM = 60; // pixels

/** @typedef {{channel: string, thread?: string|null, intro?: () => Node, openThread?: (message: object) => void}} Place */

export class Timeline {
  /** @param {string} label for screen readers */
  constructor(label) {
    this.inner = h("div.timeline-inner");
    this.jump = h("button.jump", { type: "button", hidden: true, on: { click: () => this.toBottom() } }, icon("chevron"), "Latest messages");
    this.scroller = h("div.timeline", { role: "log", "aria-label": label, "aria-live": "polite", tabindex: -1 }, this.inner);
    this.element = h("div.timeline-frame", null, this.scroller, this.jump);
    this.rows = new Map();
    this.stuck = true;
    this.place = null;
    this.scroller.addEventListener("scroll", () => this.noticeScroll());
    // Pictures load and text grows after the rows are in place.
    const follow = new ResizeObserver(() => this.stuck && this.toBottom());
    follow.observe(this.inner);
    follow.observe(this.scroller);
  }

  /** Show another place, from its bottom. @param {Place} place */
  show(place) {
    const moved = !this.place || timelineKey(this.place.channel, this.place.thread) !== timelineKey(place.channel, place.thread);
    this.place = place;
    if (moved) {
      this.rows.clear();
      this.inner.replaceChildren();
      this.stuck = true;
    }
    this.update();
  }

  /** Bring the rows in line with the state. */
  update() {
    if (!this.place) return;
    const wanted = this.wantedRows();
    const keys = new Set(wanted.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
    }
    let after = null;
    for (const want of wanted) after = this.placeRow(want, after);
    if (this.stuck) this.toBottom();
  }

  placeRow({ key, signature, build }, after) {
    const row = this.rows.get(key);
    let node = row?.node;
    if (!row) node = build();
    else if (row.signature !== signature) node = morph(row.node, build());
    this.rows.set(key, { node, signature });
    const here = after ? after.nextSibling : this.inner.firstChild;
    if (node !== here) this.inner.insertBefore(node, here);
    return node;
  }

  wantedRows() {
    const { channel, thread, intro } = this.place;
    const messages = messagesOf(timelineKey(channel, thread));
    if (!messages) return [{ key: "loading", signature: "", build: () => skeleton() }];
    const rows = intro ? [{ key: "intro", signature: channel, build: intro }] : [];
    let previous = null;
    messages.forEach((message) => {
      const newDay = !previous || !sameDay(previous.ts, message.ts);
      if (newDay && !thread) rows.push(dayRow(message.ts));
      rows.push(this.messageRow(message, !newDay && follows(previous, message)));
      previous = message;
      if (thread && message.ts === thread) {
        rows.push(countRow(messages.length - 1));
        previous = null;
      }
    });
    return rows;
  }

  messageRow(message, grouped) {
    const place = `${this.place.channel}/${message.ephemeral_id ?? message.ts}`;
    const editing = recall(place, "editing", false);
    const signature = editing ? "editing" : JSON.stringify([message, grouped, versionOf(place)]);
    const build = () => (editing ? this.editRow(message, place) : renderMessage(message, { grouped, surface: this.surface(message, place), tools: this.tools(place) }));
    // An editor never turns into a message by morphing, nor the other way round.
    return { key: `${editing ? "edit" : "message"}:${message.ephemeral_id ?? message.ts}`, signature, build };
  }

  surface(message, place) {
    const { channel } = this.place;
    const container = { type: "message", channel, ts: message.ts };
    if (message.is_ephemeral) Object.assign(container, { is_ephemeral: true, ephemeral_id: message.ephemeral_id });
    return { kind: "message", place, channel, container, refresh: () => this.update() };
  }

  tools(place) {
    const { channel, openThread } = this.place;
    return {
      openThread,
      copy: (message) => copy(message),
      edit: () => this.edit(place, true),
      remove: (message) => removeMessage(channel, message),
      dismiss: (message) => dropEphemeral(message.ephemeral_id),
    };
  }

  edit(place, on) {
    remember(place, "editing", on || undefined);
    touch(place);
    this.update();
    if (on) this.inner.querySelector(".message.editing textarea")?.focus();
  }

  editRow(message, place) {
    const { channel } = this.place;
    const save = async (text) => {
      if (await attempt(api.edit({ user: state.me, channel, ts: message.ts, text }))) this.edit(place, false);
    };
    return h("div.message.editing", null, h("div.gutter"), editor(typedText(message.text), save, () => this.edit(place, false)));
  }

  noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
    this.jump.hidden = this.stuck;
  }

  toBottom() {
    this.stuck = true;
    this.jump.hidden = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

function follows(previous, message) {
  if (!previous || previous.subtype?.startsWith("channel_") || message.subtype?.startsWith("channel_")) return false;
  const author = (each) => `${each.user ?? each.bot_id}/${each.username ?? ""}/${Boolean(each.is_ephemeral)}`;
  return author(previous) === author(message) && Number.parseFloat(message.ts) - Number.parseFloat(previous.ts) < GROUP_SECONDS && !previous.reply_count;
}

const dayRow = (ts) => {
  const name = dayName(ts);
  return { key: `day:${new Date(ts * 1000).toDateString()}`, signature: name, build: () => h("div.day", { role: "separator" }, h("span", null, name)) };
};

const countRow = (count) => ({
  key: "count",
  signature: String(count),
  build: () => h("div.reply-divider", null, h("span", null, count ? plural(count, "reply", "replies") : "No replies yet")),
});

const skeleton = () =>
  h("div.skeleton", { "aria-label": "Loading" }, [70, 45, 85].map((width) => h("div", null, h("i"), h("b", { style: { width: `${width}%` } }))));

async function copy(message) {
  await navigator.clipboard.writeText(typedText(message.text || ""));
  toast("Copied", "info");
}

async function removeMessage(channel, message) {
  const sure = await confirm({ title: "Delete message", text: "Are you sure you want to delete this message? This cannot be undone.", confirm: "Delete", style: "danger" });
  if (sure) await attempt(api.remove({ user: state.me, channel, ts: message.ts }));
}

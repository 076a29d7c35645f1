/** Where people write: growing text field, completion, files, drafts that survive a change of channel. */

import * as api from "./api.js";
import { completionAt } from "./completion.js";
import { h, replace } from "./dom.js";
import { size } from "./format.js";
import { icon } from "./icons.js";
import { state, timelineKey } from "./state.js";
import { attempt, toast } from "./toast.js";

const MAX_HEIGHT = 320; // pixels
const drafts = new Map();

export class Composer {
  constructor() {
    this.place = null;
    this.area = h("textarea.composer-text", {
      rows: 1, "aria-label": "Message", "aria-autocomplete": "list",
      on: { input: () => this.typed(), keydown: (event) => this.key(event), click: () => this.suggest(), blur: () => setTimeout(() => this.hide(), 150), paste: (event) => this.pasted(event) },
    });
    this.chips = h("div.composer-files");
    this.list = h("div.completion", { role: "listbox", hidden: true });
    this.sendButton = h("button.send", { type: "button", "aria-label": "Send", title: "Send", on: { click: () => this.send() } }, icon("send"));
    this.input = h("input", { type: "file", multiple: true, hidden: true, on: { change: (event) => this.attach(event.target.files) } });
    const attach = h("button.icon-button.round", { type: "button", "aria-label": "Attach files", title: "Attach files", on: { click: () => this.input.click() } }, icon("attach"));
    this.hint = h("span.composer-hint", null, h("b", null, "Enter"), " to send, ", h("b", null, "Shift + Enter"), " for a new line");
    this.box = h("div.composer-box", null, this.area, this.chips, h("div.composer-bar", null, attach, this.input, this.hint, this.sendButton));
    this.element = h("div.composer", null, this.list, this.box);
  }

  /** @param {{channel: string, thread?: string|null, placeholder: string}} place */
  show(place) {
    const key = timelineKey(place.channel, place.thread);
    if (this.place && this.key_ === key) return;
    this.key_ = key;
    this.place = place;
    this.area.placeholder = place.placeholder;
    this.area.setAttribute("aria-label", place.placeholder);
    this.area.value = this.draft.text;
    this.hide();
    this.refresh();
  }

  get draft() {
    if (!drafts.has(this.key_)) drafts.set(this.key_, { text: "", files: [] });
    return drafts.get(this.key_);
  }

  focus() {
    this.area.focus();
  }

  typed() {
    this.draft.text = this.area.value;
    this.refresh();
    this.suggest();
  }

  refresh() {
    grow(this.area);
    const { text, files } = this.draft;
    this.sendButton.classList.toggle("ready", Boolean(text.trim() || files.some((each) => each.file)));
    replace(this.chips, files.map((each) => this.chip(each)));
  }

  chip(each) {
    const drop = () => {
      this.draft.files = this.draft.files.filter((other) => other !== each);
      this.refresh();
    };
    return h("span.file-chip.pending", { "aria-busy": each.file ? null : "true" },
      icon("file"), h("span.file-words", null, h("span.file-name", null, each.name), h("span.quiet", null, each.file ? size(each.size) : "Uploading…")),
      h("button.icon-button", { type: "button", "aria-label": `Remove ${each.name}`, on: { click: drop } }, icon("close")));
  }

  /** Upload now, send with the message. @param {Iterable<File>} files */
  async attach(files) {
    const draft = this.draft;
    await Promise.all([...files].map(async (file) => {
      const entry = { name: file.name, size: file.size, file: null };
      draft.files.push(entry);
      this.refresh();
      const answer = await attempt(api.upload(state.me, file));
      if (answer) entry.file = answer.file;
      else draft.files = draft.files.filter((each) => each !== entry);
      this.refresh();
    }));
    this.input.value = "";
  }

  pasted(event) {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.attach(event.clipboardData.files);
  }

  async send() {
    const draft = this.draft;
    const { channel, thread } = this.place;
    const text = draft.text.trim();
    if (draft.files.some((each) => !each.file)) return toast("Wait until the files are uploaded.", "info");
    if (!text && !draft.files.length) return;
    const command = /^(\/[\w-]+)\s*([\s\S]*)$/.exec(text);
    if (command && thread) return toast("Slash commands do not work in threads.");
    drafts.delete(this.key_);
    this.area.value = "";
    this.hide();
    this.refresh();
    const sent = command
      ? api.command({ user: state.me, channel, command: command[1], text: command[2] })
      : api.say({ user: state.me, channel, text, ...(thread ? { thread_ts: thread } : {}), ...(draft.files.length ? { file_ids: draft.files.map((each) => each.file.id) } : {}) });
    if ((await attempt(sent)) === null) this.restore(draft, timelineKey(channel, thread));
  }

  /** Nothing that was written is lost when it could not be sent. */
  restore(draft, key) {
    if (drafts.get(key)?.text) return;
    drafts.set(key, draft);
    if (this.key_ !== key) return;
    this.area.value = draft.text;
    this.refresh();
  }

  suggest() {
    const found = completionAt(this.area.value, this.area.selectionStart, Boolean(this.place?.thread));
    if (!found) return this.hide();
    this.completion = found;
    this.selected = 0;
    this.drawList();
  }

  drawList() {
    const { title, items, note } = this.completion;
    replace(this.list, h("div.completion-title", null, title), note ? h("div.completion-note", null, note) : null,
      items.map((item, index) =>
        h("button.completion-item", {
          type: "button", role: "option", tabindex: -1, "aria-selected": index === this.selected ? "true" : "false",
          on: { mousedown: (event) => { event.preventDefault(); this.accept(item); } },
        }, h("span.completion-picture", null, item.picture), h("span.completion-label", null, item.label), item.hint ? h("span.completion-hint", null, item.hint) : null)));
    this.list.hidden = false;
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.completion = null;
    this.list.hidden = true;
  }

  accept(item) {
    const { start } = this.completion;
    const { value, selectionStart } = this.area;
    this.area.value = value.slice(0, start) + item.insert + value.slice(selectionStart);
    const caret = start + item.insert.length;
    this.area.setSelectionRange(caret, caret);
    this.area.focus();
    this.typed();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.completion?.items.length && this.completionKey(event)) return;
    if (event.key === "Escape") this.hide();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  completionKey(event) {
    const { items } = this.completion;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // A command that is already written out is sent, not completed once more.
    const written = items.some((item) => item.insert.trim() === this.area.value.trim());
    if (step) {
      this.selected = (this.selected + step + items.length) % items.length;
      this.drawList();
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !written)) this.accept(items[this.selected]);
    else return false;
    event.preventDefault();
    return true;
  }
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
}

/**
 * The field that replaces a message while it is edited.
 * @param {string} text
 * @param {(text: string) => void} save
 * @param {() => void} cancel
 */
export function editor(text, save, cancel) {
  const done = () => (area.value.trim() ? save(area.value.trim()) : cancel());
  const keys = (event) => {
    if (event.key === "Escape") cancel();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    done();
  };
  const area = h("textarea.composer-text", { rows: 1, "aria-label": "Edit message", on: { input: () => grow(area), keydown: keys } });
  area.value = text;
  requestAnimationFrame(() => grow(area));
  return h("div.composer-box", null, area, h("div.composer-bar.end", null,
    h("button.button", { type: "button", on: { click: cancel } }, "Cancel"),
    h("button.button.primary", { type: "button", on: { click: done } }, "Save")));
}

/** Let files be dropped anywhere on a pane. @param {HTMLElement} pane @param {() => Composer} composer */
export function acceptDrops(pane, composer) {
  const over = (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    pane.classList.add("dropping");
  };
  pane.addEventListener("dragover", over);
  pane.addEventListener("dragleave", (event) => { if (!pane.contains(event.relatedTarget)) pane.classList.remove("dropping"); });
  pane.addEventListener("drop", (event) => {
    event.preventDefault();
    pane.classList.remove("dropping");
    composer().attach(event.dataTransfer.files);
  });
}

/** The right side: one thread with its own composer. */

import * as api from "./api.js";
import { statusLine, titleOf } from "./channel.js";
import { acceptDrops, Composer } from "./composer.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { current, go } from "./route.js";
import { setTimeline, state, timelineKey } from "./state.js";
import { Timeline } from "./timeline.js";
import { attempt } from "./toast.js";

export class ThreadPane {
  constructor() {
    this.timeline = new Timeline("Thread");
    this.composer = new Composer();
    this.status = h("div.status-line", { "aria-live": "polite" });
    this.subtitle = h("span.topic");
    const close = () => go({ ...current(), thread: null });
    const header = h("header.pane-header", null, h("div.header-row", null,
      h("h1", null, "Thread"), this.subtitle, h("span.grow"),
      h("button.icon-button", { type: "button", "aria-label": "Close thread", title: "Close", on: { click: close } }, icon("close"))));
    this.element = h("aside.pane.thread", { hidden: true, "aria-label": "Thread" }, header,
      h("div.pane-messages", null, this.timeline.element, this.composer.element, this.status));
    acceptDrops(this.element, () => this.composer);
  }

  /** Follow the route. */
  show() {
    const { channel: id, thread } = current();
    const channel = state.channels.get(id);
    this.element.hidden = !thread || !channel;
    if (this.element.hidden) return;
    replace(this.subtitle, titleOf(channel));
    this.timeline.show({ channel: id, thread });
    this.composer.show({ channel: id, thread, placeholder: "Reply…" });
    this.composer.element.hidden = channel.is_member === false;
    if (!state.timelines.has(timelineKey(id, thread))) this.load(id, thread);
    this.drawStatus();
  }

  /** Read the thread, e.g. when it is opened or after a gap. */
  async load(channel, thread) {
    const answer = await attempt(api.readHistory(state.me, channel, thread));
    setTimeline(timelineKey(channel, thread), answer?.messages ?? []);
  }

  /** "bricklayer is thinking…" */
  drawStatus() {
    const { channel, thread } = current();
    replace(this.status, statusLine(thread && state.status.get(timelineKey(channel, thread))));
  }
}

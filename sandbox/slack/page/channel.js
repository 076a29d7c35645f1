/** The middle: a channel's header, its messages and the composer; for the app also its tabs. */

import * as api from "./api.js";
import { acceptDrops, Composer } from "./composer.js";
import { h, replace } from "./dom.js";
import { drawAbout, drawHome } from "./home.js";
import { avatar, brick, icon } from "./icons.js";
import { current, go, hrefOf } from "./route.js";
import { appDm, changed, setTimeline, state } from "./state.js";
import { emoji } from "./text/emoji.js";
import { Timeline } from "./timeline.js";
import { attempt } from "./toast.js";

export class ChannelPane {
  /** @param {() => void} openMenu shows the sidebar on a narrow screen */
  constructor(openMenu) {
    this.openMenu = openMenu;
    this.header = h("header.pane-header");
    this.timeline = new Timeline("Messages");
    this.status = h("div.status-line", { "aria-live": "polite" });
    this.composer = new Composer();
    this.outside = h("div.outside-note", { hidden: true });
    this.messages = h("div.pane-messages", null, this.timeline.element, this.composer.element, this.outside, this.status);
    this.page = h("div.pane-page", { tabindex: -1 });
    this.element = h("main.pane.channel", null, this.header, this.messages, this.page);
    acceptDrops(this.messages, () => this.composer);
    this.shownTab = null;
  }

  /** Follow the route. */
  show() {
    const route = current();
    const channel = state.channels.get(route.channel);
    if (!channel) return;
    const isPage = route.tab === "home" || route.tab === "about";
    this.drawHeader(channel, route);
    this.messages.hidden = isPage;
    this.page.hidden = !isPage;
    if (isPage) this.drawPage(route.tab);
    else this.showMessages(channel);
    this.visit(route.tab);
  }

  showMessages(channel) {
    state.unread.delete(channel.id);
    this.timeline.show({
      channel: channel.id,
      intro: () => intro(channel),
      openThread: (message) => go({ channel: channel.id, thread: message.thread_ts ?? message.ts }),
    });
    const outside = channel.is_member === false;
    this.composer.element.hidden = outside;
    this.outside.hidden = !outside;
    replace(this.outside, "You are not a member of ", h("b", null, `#${channel.name}`), ".");
    this.composer.show({ channel: channel.id, placeholder: `Message ${titleOf(channel)}` });
    if (!state.timelines.has(channel.id)) this.load(channel.id);
    this.drawStatus();
  }

  /** Read the history, e.g. on the first visit or after a gap. */
  async load(channel) {
    const answer = await attempt(api.readHistory(state.me, channel));
    setTimeline(channel, answer?.messages ?? []);
  }

  drawPage(tab) {
    if (tab === "home") drawHome(this.page);
    else drawAbout(this.page);
  }

  /** Opening a tab of the app is an event for the app. */
  visit(tab) {
    if (tab === this.shownTab) return;
    this.shownTab = tab;
    if (tab) api.openHome({ user: state.me, tab }).catch(() => changed("connection"));
  }

  drawHeader(channel, route) {
    const isApp = channel.kind === "im";
    replace(this.header,
      h("div.header-row", null,
        h("button.icon-button.menu-button", { type: "button", "aria-label": "Show channels", on: { click: this.openMenu } }, icon("menu")),
        h("h1", null, isApp ? h("span.avatar.small.app", null, brick()) : icon(channel.kind === "private" ? "lock" : "hash"), isApp ? state.bot.name : channel.name,
          channel.kind === "shared" ? h("span.badge", null, "SHARED") : null),
        isApp ? null : h("span.topic", { title: channel.topic }, channel.topic),
        isApp ? null : faces(channel)),
      isApp ? tabs(route) : null);
  }

  drawStatus() {
    replace(this.status, statusLine(statusOf(current().channel)));
  }
}

/** In the app's own conversation a status of any thread is worth a line; in a channel it shows in its thread. */
function statusOf(channel) {
  if (state.channels.get(channel)?.kind !== "im") return state.status.get(channel);
  return [...state.status].find(([key]) => key.split("/")[0] === channel)?.[1];
}

/** "bricklayer is thinking…" with moving dots. */
export function statusLine(text) {
  return text ? [h("span.dots", null, h("i"), h("i"), h("i")), h("b", null, state.bot.name), ` ${text}`] : null;
}

/** "#sales", or the app's name. */
export const titleOf = (channel) => (channel.kind === "im" ? state.bot.name : `#${channel.name}`);

function faces(channel) {
  const members = (channel.members ?? []).filter((id) => state.people.has(id) || id === state.bot.id);
  if (!members.length) return null;
  const names = members.map((id) => (id === state.bot.id ? state.bot.name : state.people.get(id).real_name));
  return h("span.faces", { title: names.join(", "), role: "img", "aria-label": `${members.length} members` },
    members.slice(0, 3).map((id) => avatar({ name: state.people.get(id)?.real_name ?? state.bot.name, color: state.people.get(id)?.color, isApp: id === state.bot.id, small: true })),
    h("span", null, members.length));
}

function tabs(route) {
  const tab = (name, label) =>
    h("a.tab", { href: hrefOf({ channel: appDm().id, tab: name }), role: "tab", "aria-selected": route.tab === name ? "true" : "false" }, label);
  return h("div.tabs", { role: "tablist" }, tab("home", "Home"), tab("messages", "Messages"), tab("about", "About"));
}

function intro(channel) {
  if (channel.kind === "im") {
    return h("div.intro", null, h("span.avatar.big.app", null, brick()), h("h2", null, state.bot.name, h("span.badge", null, "APP")),
      h("p", null, "This is your own conversation with the app. Nobody else can read it."));
  }
  return h("div.intro", null, h("h2", null, channel.kind === "private" ? emoji("lock") : emoji("wave"), ` Welcome to #${channel.name}`),
    h("p", null, channel.topic ? `${channel.topic}. ` : "", "This is the very beginning of the channel."));
}

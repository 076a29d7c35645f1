/** The left side: team, channels, the app, and who is reading. */

import { h, replace } from "./dom.js";
import { avatar, brick, icon } from "./icons.js";
import { menu } from "./popover.js";
import { becomeUser, current, hrefOf } from "./route.js";
import { appDm, me, state } from "./state.js";

const ICONS = { public: "hash", private: "lock", shared: "hash" };

/** Draw the rail and the sidebar anew. @param {HTMLElement} rail @param {HTMLElement} bar */
export function drawSidebar(rail, bar) {
  const route = current();
  replace(rail, railItems(route));
  replace(bar,
    h("header.team", null, h("span.team-name", null, state.team.name), h("span.sandbox-label", { title: "A stand-in for development and demos. It is not Slack." }, "sandbox – not Slack")),
    h("nav.places", { "aria-label": "Channels and apps" },
      group("Channels", channels().map((channel) => channelItem(channel, route))),
      appDm() ? group("Direct messages", [appItem(route)]) : null,
      appDm() ? group("Apps", [appsItem(route)]) : null),
    identity());
}

function railItems(route) {
  const dm = appDm();
  const first = channels().find((channel) => channel.is_member !== false);
  const item = (label, picture, href, active) =>
    h("a.rail-item", { href, "aria-current": active ? "page" : null }, h("span.rail-icon", null, icon(picture)), label);
  return [
    h("div.team-tile", { "aria-hidden": "true" }, state.team.name?.[0] ?? "?"),
    first ? item("Home", "home", hrefOf({ channel: first.id }), !route.tab) : null,
    dm ? item("DMs", "chat", hrefOf({ channel: dm.id, tab: "messages" }), route.tab === "messages") : null,
    dm ? item("Apps", "apps", hrefOf({ channel: dm.id, tab: "home" }), route.tab === "home" || route.tab === "about") : null,
    h("div.rail-space"),
    me() ? h("button.rail-me", { type: "button", title: `You are ${me().real_name}`, "aria-label": `You are ${me().real_name}. Change who you are`, on: { click: chooseIdentity } }, avatar({ name: me().real_name, color: me().color })) : null,
  ];
}

const channels = () => [...state.channels.values()].filter((channel) => channel.kind !== "im");

const group = (title, items) => h("section", null, h("h2", null, icon("chevron"), title), items);

function channelItem(channel, route) {
  const unread = state.unread.get(channel.id);
  const active = channel.id === route.channel;
  return h("a.place", {
    href: hrefOf({ channel: channel.id }),
    class: [unread && !active && "unread", channel.is_member === false && "outside"].filter(Boolean).join(" ") || null,
    "aria-current": active ? "page" : null,
  }, icon(ICONS[channel.kind] ?? "hash"), h("span.place-name", null, channel.name),
    channel.kind === "shared" ? h("span.shared-mark", { title: "Shared with another company" }, icon("people")) : null,
    unread > 1 && !active ? h("span.count", null, unread > 99 ? "99+" : unread) : null);
}

function appItem(route) {
  const dm = appDm();
  const unread = state.unread.get(dm.id);
  const active = route.tab === "messages";
  return h("a.place", { href: hrefOf({ channel: dm.id, tab: "messages" }), class: unread && !active ? "unread" : null, "aria-current": active ? "page" : null },
    h("span.avatar.tiny.app", null, brick()), h("span.place-name", null, state.bot.name), presence(), unread && !active ? h("span.count", null, unread) : null);
}

function appsItem(route) {
  const active = route.tab === "home" || route.tab === "about";
  return h("a.place", { href: hrefOf({ channel: appDm().id, tab: "home" }), "aria-current": active ? "page" : null },
    h("span.avatar.tiny.app", null, brick()), h("span.place-name", null, state.bot.name), h("span.badge", null, "APP"));
}

const presence = () =>
  state.botConnected === null ? null
    : h("span.presence", { class: state.botConnected ? "on" : null, role: "img", "aria-label": state.botConnected ? "running" : "not running", title: state.botConnected ? "Running" : "Not running" });

function identity() {
  const who = me();
  if (!who) return null;
  return h("button.identity", { type: "button", "aria-haspopup": "menu", on: { click: chooseIdentity } },
    avatar({ name: who.real_name, color: who.color, small: true }),
    h("span.identity-words", null, h("b", null, who.real_name), h("span", null, roleName(who.role))),
    icon("up"));
}

const ROLES = { admin: "Workspace admin", member: "Member", guest: "Guest", stranger: "Another company" };
const roleName = (role) => ROLES[role] ?? role ?? "";

function chooseIdentity(event) {
  menu(event.currentTarget, [...state.people.values()].map((person) => ({
    label: [avatar({ name: person.real_name, color: person.color, small: true }), h("span", null, person.real_name)],
    hint: roleName(person.role), picked: person.id === state.me, choose: () => becomeUser(person.id),
  })), { above: true });
}

/**
 * Where the reader is, kept in the address so that it can be linked to.
 *
 * `#/C0SALES01`, `#/C0SALES01/t/1732262400.000100`, `#/app/home`, `#/app/messages`, `#/app/about`;
 * a thread of the direct message is `#/app/messages/t/<ts>`. Who is reading stands in the query: `?user=U0ADA0001`.
 */

import { appDm, changed, state } from "./state.js";

/** @typedef {{channel: string|null, thread: string|null, tab: "home"|"messages"|"about"|null}} Route */

/** @returns {Route} */
export function current() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const at = parts.indexOf("t");
  const thread = at > 0 ? (parts[at + 1] ?? null) : null;
  const dm = appDm();
  if (parts[0] === "app" || (dm && parts[0] === dm.id)) {
    const tab = ["home", "messages", "about"].includes(parts[1]) ? parts[1] : parts[0] === "app" ? "home" : "messages";
    return { channel: dm?.id ?? null, thread: tab === "messages" ? thread : null, tab };
  }
  if (state.channels.has(parts[0])) return { channel: parts[0], thread, tab: null };
  const first = [...state.channels.values()].find((channel) => channel.is_member !== false && channel.kind !== "im");
  return { channel: first?.id ?? dm?.id ?? null, thread: null, tab: first ? null : "messages" };
}

/** The address of a place. */
export function hrefOf({ channel, thread = null, tab = null }) {
  const isApp = tab || channel === appDm()?.id;
  const base = isApp ? `#/app/${tab ?? "messages"}` : `#/${channel}`;
  return thread ? `${base}/t/${thread}` : base;
}

/** Go there. */
export function go(place) {
  location.hash = hrefOf(place);
}

addEventListener("hashchange", () => changed("route"));

const REMEMBERED = "sandbox.user";

/** The person named in the address, or the one this browser was last. */
export function userFromAddress() {
  return new URLSearchParams(location.search).get("user") ?? localStorage.getItem(REMEMBERED);
}

/** Become another person: remembered for next time, and everything is read anew through their eyes. */
export function becomeUser(id) {
  remember(id);
  const url = new URL(location.href);
  url.searchParams.set("user", id);
  location.assign(url);
}

/** Remember who the reader is, for a page opened without `?user=`; the cookie lets the server know as well. */
export function remember(id) {
  localStorage.setItem(REMEMBERED, id);
  document.cookie = `sandbox_user=${encodeURIComponent(id)}; path=/; SameSite=Lax`;
}

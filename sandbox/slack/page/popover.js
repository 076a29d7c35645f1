/** One floating thing at a time: menus, pickers and confirm dialogs. Escape and a click elsewhere close it. */

import { h } from "./dom.js";

let closeCurrent = null;

/** Close what floats, if anything. */
export function closePopover() {
  closeCurrent?.();
}

/**
 * Float `content` beside `anchor`.
 * @param {Element} anchor
 * @param {HTMLElement} content
 * @param {{above?: boolean, alignEnd?: boolean, room?: number, onClose?: () => void}} [options] `room` is the height it may grow to
 * @returns {() => void} closes it
 */
export function popover(anchor, content, { above = false, alignEnd = false, room = 0, onClose } = {}) {
  closePopover();
  const layer = h("div.popover", null, content);
  // A modal dialog covers everything outside of it.
  (anchor.closest("dialog") ?? document.getElementById("overlay")).append(layer);
  place(layer, anchor.getBoundingClientRect(), { above, alignEnd, room });

  const outside = (event) => {
    if (!layer.contains(event.target) && !anchor.contains(event.target)) close();
  };
  const key = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    anchor.focus?.();
  };
  const close = () => {
    if (closeCurrent !== close) return;
    closeCurrent = null;
    layer.remove();
    removeEventListener("pointerdown", outside, true);
    removeEventListener("keydown", key, true);
    onClose?.();
  };
  closeCurrent = close;
  addEventListener("pointerdown", outside, true);
  addEventListener("keydown", key, true);
  return close;
}

function place(layer, at, { above, alignEnd, room }) {
  const { offsetWidth: width, offsetHeight } = layer;
  const height = Math.max(offsetHeight, room);
  const left = alignEnd ? at.right - width : at.left;
  layer.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  const fitsBelow = at.bottom + 6 + height <= innerHeight;
  // Held by the edge next to the anchor, so that a list that grows stays there.
  if (above || (!fitsBelow && at.top > innerHeight - at.bottom)) layer.style.bottom = `${Math.max(8, innerHeight - at.top + 6)}px`;
  else layer.style.top = `${at.bottom + 6}px`;
}

/**
 * A list of things to choose from.
 * @param {Element} anchor
 * @param {{label: any, hint?: any, danger?: boolean, picked?: boolean, choose: () => void}[]} items
 */
export function menu(anchor, items, options = {}) {
  const list = h("div.menu", { role: "menu" }, items.map((item) =>
    h("button.menu-item", {
      type: "button", role: "menuitem", class: [item.danger && "danger", item.picked && "picked"].filter(Boolean).join(" ") || null,
      on: { click: () => { closePopover(); item.choose(); } },
    }, h("span.menu-label", null, item.label), item.hint ? h("span.menu-hint", null, item.hint) : null)));
  list.addEventListener("keydown", arrowKeys);
  const close = popover(anchor, list, options);
  list.querySelector("button")?.focus();
  return close;
}

/** Arrow keys walk through the buttons of a list. */
export function arrowKeys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll("button:not([disabled])")];
  const next = items.indexOf(document.activeElement) + step;
  items[(next + items.length) % items.length]?.focus();
}

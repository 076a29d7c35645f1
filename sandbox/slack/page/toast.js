/** Short notices at the foot of the page. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_MS = 6000;

/** Tell the reader that something went wrong, in one sentence. */
export function toast(text, kind = "error") {
  const holder = document.getElementById("toasts");
  const close = () => notice.remove();
  const notice = h("div.toast", { class: kind, role: "status" },
    icon(kind === "error" ? "alert" : "info"),
    h("span", null, text),
    h("button.icon-button", { type: "button", "aria-label": "Dismiss", on: { click: close } }, icon("close")));
  holder.append(notice);
  // Shown anew, so that it lies above a dialog that was opened meanwhile.
  if (holder.matches(":popover-open")) holder.hidePopover();
  holder.showPopover();
  setTimeout(close, SHOWN_MS);
}

/** Await a call; a failure becomes a toast and null. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    toast(error.message);
    return null;
  }
}

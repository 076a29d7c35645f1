/** "Are you sure?", as an element's `confirm` object words it. docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object */

import { h } from "./dom.js";
import { textObject } from "./render/text.js";

/**
 * @param {{title?, text?, confirm?, deny?, style?: "primary"|"danger"}} wording
 * @returns {Promise<boolean>}
 */
export function confirm(wording) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const answer = (yes) => {
      dialog.close();
      dialog.remove();
      before?.focus?.();
      resolve(yes);
    };
    const button = (text, look, yes) =>
      h("button.button", { type: "button", class: look, on: { click: () => answer(yes) } }, text);
    const dialog = h("dialog.confirm", { "aria-label": "Confirm", on: { cancel: (event) => { event.preventDefault(); answer(false); } } },
      h("h2", null, wording.title ? textObject(wording.title) : "Are you sure?"),
      h("div.confirm-text", null, wording.text ? textObject(wording.text) : null),
      h("div.dialog-buttons", null,
        button(wording.deny ? textObject(wording.deny) : "Cancel", "", false),
        button(wording.confirm ? textObject(wording.confirm) : "Yes", wording.style === "danger" ? "danger" : "primary", true)));
    document.getElementById("overlay").append(dialog);
    dialog.showModal();
    dialog.querySelector(".dialog-buttons button:last-child").focus();
  });
}

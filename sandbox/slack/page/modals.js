/** Modals: the top of the stack of open views, its fields, and what the app says to a submission. */

import * as api from "./api.js";
import { h, morph, replace } from "./dom.js";
import { brick, icon } from "./icons.js";
import { forget, recall, remember, touch } from "./memory.js";
import { renderBlocks } from "./render/blocks.js";
import { missing, valuesOf } from "./render/form.js";
import { textObject, textOf } from "./render/text.js";
import { changed, state } from "./state.js";
import { toast } from "./toast.js";

const holder = () => document.getElementById("modal");

/** Draw the topmost view, or take the dialog away. */
export function drawModals() {
  const view = state.views.at(-1);
  const dialog = holder();
  for (const place of known) if (!state.views.some((each) => placeOf(each) === place)) drop(place);
  if (!view) {
    if (dialog.open) dialog.close();
    replace(dialog);
    return;
  }
  known.add(placeOf(view));
  const wanted = draw(view);
  const standing = dialog.firstElementChild;
  const isSame = standing?.getAttribute("data-key") === view.id;
  if (isSame) morph(standing, wanted);
  else replace(dialog, wanted);
  if (!dialog.open) dialog.showModal();
  if (!isSame) (dialog.querySelector("[autofocus]") ?? dialog.querySelector(".modal-body input, .modal-body textarea, .modal-body .select"))?.focus();
}

const known = new Set();
const placeOf = (view) => `view/${view.id}`;

function drop(place) {
  known.delete(place);
  forget(place);
}

function draw(view) {
  const place = placeOf(view);
  const busy = recall(place, "busy", false);
  const surface = {
    kind: "modal",
    place,
    container: { type: "view", view_id: view.id },
    refresh: () => drawModals(),
    errors: recall(place, "errors", {}),
  };
  const send = (event) => {
    event.preventDefault();
    submit(view, surface);
  };
  // A form that only sends when the button is pressed or Enter is hit in a one-line field; Slack does the same.
  return h("form.modal", { "data-key": view.id, novalidate: true, "aria-label": textOf(view.title), on: { submit: send } },
    h("header.modal-head", null,
      state.views.length > 1 ? h("button.icon-button", { type: "button", "aria-label": "Back", on: { click: () => close(view) } }, icon("back")) : h("span.avatar.small.app", null, brick()),
      h("h2", null, textObject(view.title)),
      h("button.icon-button", { type: "button", "aria-label": "Close", on: { click: () => close(view, true) } }, icon("close"))),
    h("div.modal-body", null, renderBlocks(view.blocks, surface)),
    h("footer.modal-foot", null,
      h("span.modal-app", null, state.bot.name),
      h("button.button", { type: "button", on: { click: () => close(view) } }, view.close ? textObject(view.close) : "Cancel"),
      view.submit ? h("button.button.primary", { type: "submit", class: busy ? "waiting" : null, "aria-busy": busy ? "true" : null, disabled: busy }, h("span", null, textObject(view.submit))) : null));
}

async function submit(view, surface) {
  const problems = missing(surface, view.blocks);
  if (Object.keys(problems).length) return showErrors(surface, problems);
  setBusy(surface.place, true);
  showErrors(surface, {});
  try {
    const answer = await api.submit({ user: state.me, view_id: view.id, values: valuesOf(surface, view.blocks) });
    if (answer.errors) showErrors(surface, answer.errors);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    toast(error.message);
  } finally {
    setBusy(surface.place, false);
  }
}

function setBusy(place, busy) {
  remember(place, "busy", busy || undefined);
  touch(place);
  changed("views");
}

function showErrors(surface, errors) {
  remember(surface.place, "errors", errors);
  drawModals();
  holder().querySelector(".input.wrong input, .input.wrong textarea, .input.wrong button")?.focus();
}

/** Take a view off the stack, or the whole stack with it. */
async function close(view, all = false) {
  try {
    await api.closeView({ user: state.me, view_id: view.id, ...(all ? { clear: true } : {}) });
  } catch (error) {
    toast(error.message);
  }
  // The server tells the new stack; should it be gone, the reader is not left in front of a dead dialog.
  state.views = all ? [] : state.views.filter((each) => each.id !== view.id);
  changed("views");
}

/** Escape closes like the close button. */
export function wireModals() {
  holder().addEventListener("cancel", (event) => {
    event.preventDefault();
    const view = state.views.at(-1);
    if (view) close(view);
  });
}

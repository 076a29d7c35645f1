/** context_actions: thumbs and small icon buttons under an answer. */

import { press } from "../actions.js";
import { h } from "../dom.js";
import { hasIcon, icon } from "../icons.js";
import { recall, remember } from "../memory.js";
import { state } from "../state.js";
import { textOf } from "./text.js";

/** @param {object} block @param {import("../actions.js").Surface} surface */
export function contextActions(block, surface) {
  return h("div.context-actions", null, block.elements.map((element) =>
    element.type === "feedback_buttons" ? thumbs(element, block, surface) : iconButton(element, block, surface)));
}

function thumbs(element, block, surface) {
  const name = `thumb:${block.block_id}:${element.action_id}`;
  const chosen = recall(surface.place, name);
  const thumb = (choice, picture) =>
    h("button.icon-button", {
      type: "button",
      class: chosen === choice.value ? "pressed" : null,
      title: textOf(choice.text),
      "aria-label": choice.accessibility_label ?? textOf(choice.text),
      "aria-pressed": chosen === choice.value ? "true" : "false",
      on: {
        click: () => {
          remember(surface.place, name, choice.value);
          press(surface, block, element, { value: choice.value, text: choice.text });
        },
      },
    }, icon(picture));
  return [thumb(element.positive_button, "thumb_up"), thumb(element.negative_button, "thumb_down")];
}

function iconButton(element, block, surface) {
  if (element.visible_to_user_ids?.length && !element.visible_to_user_ids.includes(state.me)) return null;
  const label = element.accessibility_label ?? textOf(element.text);
  return h("button.icon-button", { type: "button", title: label, "aria-label": label, on: { click: () => press(surface, block, element) } },
    icon(hasIcon(element.icon) ? element.icon : "info"));
}

/** Radio buttons and checkboxes. */

import { h } from "../dom.js";
import { enter, valueOf } from "./form.js";
import { fieldId } from "./fields.js";
import { textObject } from "./text.js";

/** @param {object} element @param {object} block @param {import("../actions.js").Surface} surface */
export function radioButtons(element, block, surface) {
  const chosen = valueOf(surface, block, element).selected_option?.value;
  const pick = (option) => enter(surface, block, element, { selected_option: option });
  return group("radiogroup", element, (option) =>
    row(h("input", { type: "radio", name: `${fieldId(surface, block)}-${element.action_id}`, checked: option.value === chosen, on: { change: () => pick(option) } }), option, option.value === chosen));
}

/** @param {object} element @param {object} block @param {import("../actions.js").Surface} surface */
export function checkboxes(element, block, surface) {
  const chosen = valueOf(surface, block, element).selected_options ?? [];
  const has = (option) => chosen.some((each) => each.value === option.value);
  const flip = (option) =>
    enter(surface, block, element, {
      selected_options: has(option) ? chosen.filter((each) => each.value !== option.value) : [...chosen, option],
    });
  return group("group", element, (option) =>
    row(h("input", { type: "checkbox", checked: has(option), on: { change: () => flip(option) } }), option, has(option)));
}

const group = (role, element, draw) => h("div.choices", { role }, element.options.map(draw));

function row(input, option, checked) {
  // The property follows the value even where the reader's click has already moved the box.
  input.checked = checked;
  return h("label.choice", { "data-key": `${option.value}:${checked}` }, input,
    h("span", null, h("span.choice-label", null, textObject(option.text)),
      option.description ? h("span.choice-hint", null, textObject(option.description)) : null));
}

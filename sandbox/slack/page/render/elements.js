/** Interactive elements that send a block action: buttons, overflow menus, and what `choices.js` and `inputs.js` draw. */

import { isWaiting, press } from "../actions.js";
import { h, safeUrl } from "../dom.js";
import { icon } from "../icons.js";
import { menu } from "../popover.js";
import { checkboxes, radioButtons } from "./choices.js";
import { picture } from "./files.js";
import { moment, textInput } from "./fields.js";
import { select, SELECTS } from "./selects.js";
import { textObject, textOf } from "./text.js";

/**
 * @param {object} element
 * @param {object} block
 * @param {import("../actions.js").Surface} surface
 */
export function renderElement(element, block, surface) {
  if (SELECTS.has(element.type)) return select(element, block, surface);
  const draw = Object.hasOwn(ELEMENTS, element.type) ? ELEMENTS[element.type] : unknown;
  return draw(element, block, surface);
}

const ELEMENTS = {
  button,
  workflow_button: button,
  overflow,
  image: (element) => picture(element, "accessory-image"),
  checkboxes,
  radio_buttons: radioButtons,
  datepicker: moment,
  timepicker: moment,
  datetimepicker: moment,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
};

function button(element, block, surface) {
  const waiting = isWaiting(surface, block, element);
  const href = element.url ? safeUrl(element.url) : null;
  const click = () => press(surface, block, element);
  const props = {
    class: [element.style === "primary" || element.style === "danger" ? element.style : "", waiting && "waiting"].filter(Boolean).join(" ") || null,
    "aria-label": element.accessibility_label,
    "aria-busy": waiting ? "true" : null,
    on: { click },
  };
  if (href) return h("a.button", { ...props, href, target: "_blank", rel: "noopener noreferrer" }, h("span", null, textObject(element.text)));
  return h("button.button", { ...props, type: "button", "data-action": element.action_id }, h("span", null, textObject(element.text)));
}

function overflow(element, block, surface) {
  const choose = (option) => {
    const href = safeUrl(option.url);
    if (href) window.open(href, "_blank", "noopener");
    press(surface, block, element, { selected_option: option });
  };
  const open = (event) =>
    menu(event.currentTarget, element.options.map((option) => ({
      label: textObject(option.text), hint: textOf(option.description), choose: () => choose(option),
    })), { alignEnd: true });
  return h("button.button.overflow", { type: "button", "aria-label": "More actions", "aria-haspopup": "menu", class: isWaiting(surface, block, element) ? "waiting" : null, on: { click: open } }, icon("more"));
}

const unknown = (element) => h("span.unknown", null, `“${String(element.type)}”`);

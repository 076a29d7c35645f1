/** Fields that are typed into: text, number, e-mail, URL, date and time. */

import { h } from "../dom.js";
import { press } from "../actions.js";
import { enter, valueOf } from "./form.js";
import { textOf } from "./text.js";

const INPUT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };

/** plain_text_input, email_text_input, url_text_input, number_input, rich_text_input */
export function textInput(element, block, surface) {
  const value = valueOf(surface, block, element).value ?? "";
  const props = {
    id: fieldId(surface, block),
    placeholder: textOf(element.placeholder) || null,
    maxlength: element.max_length ?? null,
    autofocus: element.focus_on_load ?? null,
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    on: {
      input: (event) => enter(surface, block, element, { value: event.target.value }, true),
      keydown: (event) => onEnter(event, element, block, surface),
    },
  };
  if (element.multiline) {
    const area = h("textarea.field", { ...props, rows: 4 });
    area.value = value;
    return area;
  }
  const input = h("input.field", { ...props, type: INPUT_TYPES[element.type] ?? "text" });
  input.value = value;
  return input;
}

function onEnter(event, element, block, surface) {
  if (event.key !== "Enter" || element.multiline || !block.dispatch_action) return;
  event.preventDefault();
  press(surface, block, element, { value: event.target.value });
}

const MOMENTS = {
  datepicker: { type: "date", field: "selected_date" },
  timepicker: { type: "time", field: "selected_time" },
  datetimepicker: { type: "datetime-local", field: "selected_date_time" },
};

/** datepicker, timepicker, datetimepicker */
export function moment(element, block, surface) {
  const { type, field } = MOMENTS[element.type];
  const value = valueOf(surface, block, element)[field];
  const read = (text) => (type === "datetime-local" ? (text ? Math.floor(new Date(text).getTime() / 1000) : null) : text || null);
  const input = h("input.field.moment", {
    id: fieldId(surface, block), type, "aria-label": textOf(element.placeholder) || type,
    on: { change: (event) => enter(surface, block, element, { [field]: read(event.target.value) }) },
  });
  input.value = type === "datetime-local" && value ? localMinute(value) : (value ?? "");
  return input;
}

function localMinute(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** rich_text_input, as plain paragraphs. */
export function richTextInput(element, block, surface) {
  const given = valueOf(surface, block, element).rich_text_value;
  const area = h("textarea.field", {
    id: fieldId(surface, block), rows: 4, placeholder: textOf(element.placeholder) || null,
    on: { input: (event) => enter(surface, block, element, { rich_text_value: asRichText(event.target.value) }, true) },
  });
  area.value = given?.elements?.[0]?.elements?.[0]?.text ?? "";
  return area;
}

const asRichText = (text) =>
  text && { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] };

/** The id that a label points at. */
export const fieldId = (surface, block) => `field-${surface.place}-${block.block_id}`.replace(/[^\w-]/g, "_");

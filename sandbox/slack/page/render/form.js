/** What the reader entered and has not submitted: one value per block and action, as `view.state.values` names them. */

import { recall, remember, touch } from "../memory.js";
import { press } from "../actions.js";

const nameOf = (block, element) => `value:${block.block_id}:${element.action_id}`;

/** The value entered so far, e.g. `{value: "…"}` or `{selected_option: …}`; the element's initial one before. */
export function valueOf(surface, block, element) {
  return recall(surface.place, nameOf(block, element)) ?? initial(element);
}

/**
 * Take a value from the reader. Outside of input blocks a choice is an action at once.
 * @param {boolean} quiet do not draw again: the field on screen shows it already
 */
export function enter(surface, block, element, value, quiet = false) {
  remember(surface.place, nameOf(block, element), value);
  const isAction = block.type !== "input" || (block.dispatch_action && !quiet);
  if (!quiet) {
    touch(surface.place);
    surface.refresh();
  }
  if (isAction && !quiet) press(surface, block, element, value);
}

const INITIAL = {
  initial_value: "value", initial_option: "selected_option", initial_options: "selected_options", initial_user: "selected_user",
  initial_users: "selected_users", initial_channel: "selected_channel", initial_channels: "selected_channels",
  initial_conversation: "selected_conversation", initial_conversations: "selected_conversations", initial_date: "selected_date",
  initial_time: "selected_time", initial_date_time: "selected_date_time",
};

function initial(element) {
  const value = {};
  for (const [from, to] of Object.entries(INITIAL)) if (element[from] !== undefined) value[to] = element[from];
  return value;
}

/** All values of a view, as a submission carries them: `{block_id: {action_id: {type, …}}}`. */
export function valuesOf(surface, blocks) {
  const values = {};
  for (const { block, element } of fields(blocks)) {
    values[block.block_id] ??= {};
    values[block.block_id][element.action_id] = { type: element.type, ...EMPTY[element.type], ...valueOf(surface, block, element) };
  }
  return values;
}

// Slack names a value even when it is missing.
const EMPTY = {
  plain_text_input: { value: null }, email_text_input: { value: null }, url_text_input: { value: null }, number_input: { value: null },
  static_select: { selected_option: null }, external_select: { selected_option: null }, radio_buttons: { selected_option: null },
  users_select: { selected_user: null }, channels_select: { selected_channel: null }, conversations_select: { selected_conversation: null },
  multi_static_select: { selected_options: [] }, multi_external_select: { selected_options: [] }, checkboxes: { selected_options: [] },
  multi_users_select: { selected_users: [] }, multi_channels_select: { selected_channels: [] },
  multi_conversations_select: { selected_conversations: [] }, datepicker: { selected_date: null }, timepicker: { selected_time: null },
  datetimepicker: { selected_date_time: null }, file_input: { files: [] }, rich_text_input: { rich_text_value: null },
};

/** Every element that holds a value. */
function fields(blocks) {
  return (blocks ?? []).flatMap((block) => {
    const elements = block.type === "input" ? [block.element] : [block.accessory, ...(block.type === "actions" ? block.elements : [])];
    return elements.filter((element) => element && Object.hasOwn(EMPTY, element.type)).map((element) => ({ block, element }));
  });
}

/** What a required field still lacks, by block id: Slack's client says so before it asks the app. */
export function missing(surface, blocks) {
  const errors = {};
  for (const { block, element } of fields(blocks)) {
    if (block.type !== "input") continue;
    const problem = problemOf(block, element, valueOf(surface, block, element));
    if (problem) errors[block.block_id] = problem;
  }
  return errors;
}

function problemOf(block, element, value) {
  const given = Object.values(value).find((each) => each !== null && each !== "" && each?.length !== 0);
  if (given === undefined) return block.optional ? null : "Please complete this required field.";
  const check = Object.hasOwn(CHECKS, element.type) ? CHECKS[element.type] : null;
  return check?.(String(value.value), element) ?? null;
}

const CHECKS = {
  email_text_input: (text) => (/^\S+@\S+\.\S+$/.test(text) ? null : "Please enter a valid email address."),
  url_text_input: (text) => (/^\w[\w+.-]*:\/\/\S+$/.test(text) ? null : "Please enter a valid URL."),
  number_input: checkNumber,
  plain_text_input: checkLength,
};

function checkNumber(text, element) {
  const number = Number(text);
  if (!Number.isFinite(number)) return "Please enter a number.";
  if (!element.is_decimal_allowed && !Number.isInteger(number)) return "Please enter a whole number.";
  if (element.min_value !== undefined && number < Number(element.min_value)) return `Please enter ${element.min_value} or more.`;
  if (element.max_value !== undefined && number > Number(element.max_value)) return `Please enter ${element.max_value} or less.`;
  return null;
}

function checkLength(text, element) {
  if (element.min_length && text.length < element.min_length) return `Please enter at least ${element.min_length} characters.`;
  if (element.max_length && text.length > element.max_length) return `Please enter at most ${element.max_length} characters.`;
  return null;
}

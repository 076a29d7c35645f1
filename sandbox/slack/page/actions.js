/** Pressing things: the way of a `block_actions` from an element on screen to the app, with its waiting time. */

import * as api from "./api.js";
import { confirm } from "./confirm.js";
import { recall, remember, touch } from "./memory.js";
import { state } from "./state.js";
import { attempt } from "./toast.js";

/**
 * Where blocks stand.
 * @typedef {object} Surface
 * @property {"message"|"home"|"modal"} kind
 * @property {string} place key under which `memory.js` keeps what the reader did here
 * @property {object} container what the server calls this place: `{type: "message", channel, ts}` or `{type: "view", view_id}`
 * @property {() => void} refresh draw this place again
 * @property {string} [channel]
 * @property {Record<string, string>} [errors] by block id, after a refused submission
 */

const waitingName = (block, element, value) => `wait:${block.block_id}:${element.action_id}:${value ?? element.value ?? ""}`;

/** Whether this element was pressed and the app has not answered yet. */
export const isWaiting = (surface, block, element, value) => recall(surface.place, waitingName(block, element, value), false);

/**
 * Send a press or a choice to the app, after asking when the element wants that.
 * @param {Surface} surface
 * @param {object} block the block the element stands in
 * @param {object} element
 * @param {object} [details] what was chosen: `selected_option`, `value` …
 * @returns {Promise<boolean>} whether the app took it
 */
export async function press(surface, block, element, details = {}) {
  const name = waitingName(block, element, details.value);
  if (recall(surface.place, name, false)) return false;
  const question = element.confirm;
  if (question && !(await confirm(question))) return false;
  const mark = (waiting) => {
    remember(surface.place, name, waiting || undefined);
    touch(surface.place);
    surface.refresh();
  };
  mark(true);
  const action = {
    type: element.type,
    action_id: element.action_id,
    block_id: block.block_id,
    ...(element.value === undefined ? {} : { value: element.value }),
    ...(element.text ? { text: element.text } : {}),
    ...details,
  };
  const answer = await attempt(api.act({ user: state.me, container: surface.container, action }));
  mark(false);
  return answer !== null;
}

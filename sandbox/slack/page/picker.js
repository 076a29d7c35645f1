/** The list that a select menu opens: a search field, groups, keyboard, one choice or many. */

import { h, replace } from "./dom.js";
import { closePopover, popover } from "./popover.js";

const TYPING_MS = 200;
const ROOM = 320; // pixels: search field and a full list

/**
 * @param {Element} anchor
 * @param {object} options
 * @param {boolean} options.many
 * @param {object[]} options.chosen
 * @param {number} [options.limit] how many may be chosen
 * @param {number} options.minimum characters before the first question
 * @param {(query: string) => Promise<{label?: any, choices: object[]}[]>} options.load
 * @param {(choices: object[]) => void} options.take
 */
export function picker(anchor, { many, chosen, limit = Infinity, minimum, load, take }) {
  let picked = [...chosen];
  let asked = 0;
  let timer = 0;
  const list = h("div.picker-list", { role: "listbox", "aria-multiselectable": many ? "true" : null });
  const search = h("input.picker-search", {
    type: "text", placeholder: "Search", "aria-label": "Search options", on: { input: () => { clearTimeout(timer); timer = setTimeout(ask, TYPING_MS); } },
  });
  const isPicked = (choice) => picked.some((each) => each.value === choice.value);

  const choose = (choice) => {
    if (!many) {
      closePopover();
      take([choice]);
      return;
    }
    picked = isPicked(choice) ? picked.filter((each) => each.value !== choice.value) : [...picked, choice].slice(-limit);
    for (const row of list.querySelectorAll(".picker-item")) mark(row, picked.some((each) => each.value === row.dataset.value));
  };

  const row = (choice) => {
    const item = h("button.picker-item", { type: "button", role: "option", "data-value": choice.value, on: { click: () => choose(choice) } },
      h("span.picker-label", null, choice.label), choice.hint ? h("span.picker-hint", null, choice.hint) : null);
    mark(item, isPicked(choice));
    return item;
  };

  const ask = async () => {
    const query = search.value.trim();
    if (query.length < minimum) return say(`Type at least ${minimum} characters`);
    const turn = (asked += 1);
    const slow = setTimeout(() => say("Loading…"), TYPING_MS);
    try {
      const groups = await load(query);
      if (turn === asked) show(groups);
    } catch (error) {
      if (turn === asked) say(error.message);
    } finally {
      clearTimeout(slow);
    }
  };

  const say = (text) => replace(list, h("div.picker-note", null, text));
  const show = (groups) => {
    const filled = groups.filter((group) => group.choices.length);
    if (!filled.length) return say("No matches");
    replace(list, filled.map((group) => [group.label ? h("div.picker-group", null, group.label) : null, group.choices.map(row)]));
  };

  const body = h("div.picker", { on: { keydown: walk } }, search, list);
  const before = JSON.stringify(picked.map((choice) => choice.value));
  popover(anchor, body, {
    room: ROOM,
    onClose: () => { if (many && JSON.stringify(picked.map((choice) => choice.value)) !== before) take(picked); },
  });
  search.focus();
  ask();
}

function mark(row, on) {
  row.setAttribute("aria-selected", on ? "true" : "false");
  row.classList.toggle("picked", on);
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const stops = [...event.currentTarget.querySelectorAll("input, .picker-item")];
  if (step) {
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  } else if (event.key === "Enter" && document.activeElement === stops[0]) {
    event.preventDefault();
    stops[1]?.click();
  }
}

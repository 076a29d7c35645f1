/** Select menus: static, external, users, channels, conversations, each for one choice or many. */

import * as api from "../api.js";
import { isWaiting } from "../actions.js";
import { h } from "../dom.js";
import { avatar, icon } from "../icons.js";
import { picker } from "../picker.js";
import { nameOf, state } from "../state.js";
import { fieldId } from "./fields.js";
import { enter, valueOf } from "./form.js";
import { textObject, textOf } from "./text.js";

/** @typedef {{value: string, label: any, search: string, hint?: any, option?: object}} Choice */

const KINDS = ["static_select", "external_select", "users_select", "channels_select", "conversations_select"];

export const SELECTS = new Set([...KINDS, ...KINDS.map((kind) => `multi_${kind}`)]);

// Where each kind keeps its choice.
const FIELDS = { static: "option", external: "option", users: "user", channels: "channel", conversations: "conversation" };

/** @param {object} element @param {object} block @param {import("../actions.js").Surface} surface */
export function select(element, block, surface) {
  const many = element.type.startsWith("multi_");
  const source = element.type.replace("multi_", "").replace("_select", "");
  const field = `selected_${FIELDS[source]}${many ? "s" : ""}`;
  const value = valueOf(surface, block, element)[field];
  const chosen = (many ? (value ?? []) : value ? [value] : []).map((each) => asChoice(source, each));
  const take = (choices) => {
    const raw = choices.map((choice) => (FIELDS[source] === "option" ? choice.option : choice.value));
    enter(surface, block, element, { [field]: many ? raw : (raw[0] ?? null) });
  };
  const open = (event) =>
    picker(event.currentTarget, {
      many, chosen, take,
      limit: element.max_selected_items,
      minimum: source === "external" ? (element.min_query_length ?? 3) : 0,
      load: (query) => load(source, element, block, surface, query),
    });
  const placeholder = textOf(element.placeholder) || (many ? "Select options" : "Select an option");
  return h("button.select", {
    type: "button", id: fieldId(surface, block), "aria-haspopup": "listbox",
    class: [many && "many", !chosen.length && "empty", isWaiting(surface, block, element) && "waiting"].filter(Boolean).join(" ") || null,
    on: { click: open },
  }, h("span.select-value", null, shown(chosen, many) ?? placeholder), icon("chevron"));
}

function shown(chosen, many) {
  if (!chosen.length) return null;
  if (!many) return chosen[0].label;
  return chosen.map((choice) => h("span.chip", null, choice.label));
}

function asChoice(source, value) {
  if (source === "static" || source === "external") return optionChoice(value);
  if (source === "users") return personChoice(value);
  return state.channels.has(value) ? channelChoice(state.channels.get(value)) : personChoice(value);
}

const optionChoice = (option) => ({
  value: option.value, label: textObject(option.text), search: textOf(option.text), hint: option.description ? textObject(option.description) : null, option,
});

function personChoice(id) {
  const person = state.people.get(id);
  const picture = avatar({ name: nameOf(id), color: person?.color, isApp: id === state.bot.id, small: true });
  return { value: id, label: [picture, nameOf(id)], search: `${nameOf(id)} ${person?.name ?? ""}` };
}

const channelChoice = (channel) => ({
  value: channel.id, label: [icon(channel.kind === "private" ? "lock" : "hash"), channel.name], search: channel.name,
});

const people = () => [...state.people.keys(), state.bot.id].map(personChoice);
const channels = (kinds) => [...state.channels.values()].filter((channel) => kinds.includes(channel.kind)).map(channelChoice);

/** @returns {Promise<{label?: any, choices: Choice[]}[]>} groups of choices for what was typed */
async function load(source, element, block, surface, query) {
  if (source === "external") return external(element, block, surface, query);
  return GROUPS[source](element).map((group) => ({ ...group, choices: group.choices.filter((choice) => matches(choice, query)) }));
}

const matches = (choice, query) => choice.search.toLowerCase().includes(query.toLowerCase());

const GROUPS = {
  static: (element) => optionGroups(element),
  users: () => [{ choices: people() }],
  channels: () => [{ choices: channels(["public", "shared"]) }],
  conversations: (element) => [
    { label: "Channels", choices: channels(["public", "private", "shared"]) },
    ...(element.filter && !element.filter.include?.includes("im") ? [] : [{ label: "People", choices: people() }]),
  ],
};

const optionGroups = ({ options, option_groups: groups }) =>
  groups
    ? groups.map((group) => ({ label: textObject(group.label), choices: group.options.map(optionChoice) }))
    : [{ choices: (options ?? []).map(optionChoice) }];

async function external(element, block, surface, query) {
  const answer = await api.options({
    user: state.me, container: surface.container, action_id: element.action_id, block_id: block.block_id, value: query,
  });
  return optionGroups(answer);
}

/** What a half-written word in the composer may become: a command, a person, a channel, an emoji. */

import { h } from "./dom.js";
import { avatar, brick, icon } from "./icons.js";
import { nameOf, state } from "./state.js";
import { emoji, namesLike } from "./text/emoji.js";
import { handleOf } from "./text/typed.js";

const SHOWN = 8;

/**
 * @typedef {{insert: string, picture: any, label: any, hint?: any}} Suggestion
 * @typedef {{start: number, title: string, items: Suggestion[], note?: string}} Completion
 */

/**
 * @param {string} text
 * @param {number} caret
 * @param {boolean} inThread where Slack takes no slash commands
 * @returns {Completion|null}
 */
export function completionAt(text, caret, inThread) {
  const before = text.slice(0, caret);
  if (/^\/\S*$/.test(before)) return inThread ? noCommands() : commands(before);
  const found = /(?:^|[\s(])([@#:])([\w.+-]*)$/.exec(before);
  if (!found) return null;
  const [, sign, word] = found;
  const items = SOURCES[sign](word.toLowerCase()).slice(0, SHOWN);
  return items.length ? { start: caret - word.length - 1, title: TITLES[sign], items } : null;
}

const TITLES = { "@": "People", "#": "Channels", ":": "Emoji" };

const noCommands = () => ({
  start: 0, title: "Commands", items: [],
  note: `Slash commands do not work in threads. Mention @${state.bot.name} or begin with ! instead.`,
});

function commands(before) {
  const items = state.commands
    .filter((each) => each.command.startsWith(before))
    .map((each) => ({
      insert: `${each.command} `, picture: h("span.avatar.small.app", null, brick()),
      label: [h("b", null, each.command), each.usage_hint ? h("span.usage", null, ` ${each.usage_hint}`) : null], hint: each.description,
    }));
  return items.length ? { start: 0, title: "Commands", items } : null;
}

const SOURCES = {
  "@": (word) => [...(state.bot.id ? [state.bot.id] : []), ...state.people.keys()]
    .filter((id) => id !== state.me && `${handleOf(id)} ${nameOf(id)}`.toLowerCase().split(/\s+/).some((part) => part.startsWith(word)))
    .map(person),
  "#": (word) => [...state.channels.values()].filter((channel) => channel.kind !== "im" && channel.name.startsWith(word)).map((channel) => ({
    insert: `#${channel.name} `, picture: icon(channel.kind === "private" ? "lock" : "hash"), label: channel.name, hint: channel.topic,
  })),
  ":": (word) => (word.length < 2 ? [] : namesLike(word).map((name) => ({ insert: `:${name}: `, picture: emoji(name), label: `:${name}:` }))),
};

function person(id) {
  const isApp = id === state.bot.id;
  return {
    insert: `@${handleOf(id)} `,
    picture: avatar({ name: nameOf(id), color: state.people.get(id)?.color, isApp, small: true }),
    label: [h("b", null, nameOf(id)), h("span.usage", null, ` ${handleOf(id)}`), isApp ? h("span.badge", null, "APP") : null],
  };
}

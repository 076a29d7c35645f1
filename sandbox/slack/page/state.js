/**
 * Everything the page knows, in one place, and who wants to hear of changes.
 *
 * Messages live in timelines: one per channel (its roots and broadcast replies) and one per thread. A timeline is a map from
 * key to message; the key is the ts, or `eph:…` for an ephemeral, which exists only here. Panes read a timeline
 * whole and let `morph` find out what changed, so a change is never described twice.
 */

/** @typedef {{id: string, name: string, real_name: string, color?: string, email?: string, role?: string}} Person */

export const state = {
  me: "",
  team: { name: "" },
  people: new Map(),
  channels: new Map(),
  bot: { id: "", name: "bot", real_name: "bot" },
  commands: [],
  /** @type {Map<string, Map<string, object>>} */
  timelines: new Map(),
  unread: new Map(),
  status: new Map(),
  home: null,
  views: [],
  botConnected: null,
  online: null,
};

const listeners = new Map();

/** Hear of a topic: `channels`, `timeline`, `home`, `views`, `status`, `connection`, `route`. Returns the way to stop. */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(listener);
  return () => listeners.get(topic).delete(listener);
}

const pending = new Set();

/** Tell a topic's listeners, once per frame however often it is called. */
export function changed(topic) {
  if (pending.has(topic)) return;
  pending.add(topic);
  const tell = () => {
    pending.delete(topic);
    for (const listener of [...(listeners.get(topic) ?? [])]) listener();
  };
  // Frames stop in a hidden tab; the page must still be right when it is looked at.
  if (document.hidden) setTimeout(tell, 0);
  else requestAnimationFrame(tell);
}

/** Take over the answer of `/page/api/state`. */
export function adopt(answer) {
  state.me = answer.me?.id ?? answer.me ?? state.me;
  state.team = answer.team ?? state.team;
  state.people = new Map(answer.people.map((person) => [person.id, person]));
  state.channels = new Map(answer.channels.map((channel) => [channel.id, channel]));
  state.bot = answer.bot ?? state.bot;
  state.commands = answer.commands ?? [];
  if (typeof answer.bot?.connected === "boolean") state.botConnected = answer.bot.connected;
  for (const channel of answer.channels) if (channel.unread) state.unread.set(channel.id, channel.unread);
  changed("channels");
}

export const me = () => state.people.get(state.me);
export const isBot = (id) => id === state.bot.id;

/** The app's direct-message channel with me, if there is one. */
export const appDm = () => [...state.channels.values()].find((channel) => channel.kind === "im");

/** Slack's own voice, e.g. when the app does not answer a command. */
const SLACKBOT = "USLACKBOT";

/** "Ada Okafor", or the app's name, or the id of a stranger. */
export function nameOf(id) {
  if (isBot(id)) return state.bot.name;
  if (id === SLACKBOT) return "Slackbot";
  const person = state.people.get(id);
  return person?.real_name || person?.name || id;
}

/** Key of a timeline. */
export const timelineKey = (channel, threadTs) => (threadTs ? `${channel}/${threadTs}` : channel);

/** Messages of a timeline, oldest first; undefined when it was never read. */
export function messagesOf(key) {
  const timeline = state.timelines.get(key);
  return timeline && [...timeline.values()].sort((a, b) => Number.parseFloat(a.ts) - Number.parseFloat(b.ts));
}

/** Put a freshly read history in place; ephemerals that are only known here stay. */
export function setTimeline(key, messages) {
  const old = state.timelines.get(key) ?? new Map();
  const kept = [...old].filter(([id]) => id.startsWith("eph:"));
  state.timelines.set(key, new Map([...messages.map((message) => [message.ts, message]), ...kept]));
  changed("timeline");
}

const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;

/** A message was posted or edited. */
export function putMessage(channel, message) {
  const isNew = !known(channel, message);
  if (isReply(message)) {
    state.timelines.get(timelineKey(channel, message.thread_ts))?.set(message.ts, message);
    if (isNew) countReply(channel, message);
  } else {
    const thread = state.timelines.get(timelineKey(channel, message.ts));
    const merged = { ...threadFacts(channel, message.ts), ...message };
    if (thread) thread.set(message.ts, merged);
    state.timelines.get(channel)?.set(message.ts, merged);
  }
  if (message.subtype === "thread_broadcast") state.timelines.get(channel)?.set(message.ts, message);
  changed("timeline");
  return isNew;
}

function known(channel, message) {
  const key = timelineKey(channel, isReply(message) ? message.thread_ts : null);
  return state.timelines.get(key)?.has(message.ts) ?? false;
}

/** What an edit of a root may leave out: how many replies it has. */
function threadFacts(channel, ts) {
  const root = state.timelines.get(channel)?.get(ts);
  if (!root?.reply_count) return {};
  const { reply_count, reply_users, latest_reply } = root;
  return { reply_count, reply_users, latest_reply };
}

// The server may tell the root's new count before or after the reply; the newer ts decides whether it is counted yet.
function countReply(channel, reply) {
  const root = state.timelines.get(channel)?.get(reply.thread_ts);
  if (!root || Number.parseFloat(root.latest_reply ?? 0) >= Number.parseFloat(reply.ts)) return;
  const users = root.reply_users ?? [];
  const author = reply.user ?? reply.bot_id;
  state.timelines.get(channel).set(root.ts, {
    ...root,
    reply_count: (root.reply_count ?? 0) + 1,
    reply_users: users.includes(author) ? users : [...users, author],
    latest_reply: reply.ts,
  });
}

/** A message was deleted. */
export function dropMessage(channel, ts, threadTs) {
  if (threadTs && threadTs !== ts) {
    state.timelines.get(timelineKey(channel, threadTs))?.delete(ts);
    recount(channel, threadTs);
  }
  state.timelines.get(channel)?.delete(ts);
  state.timelines.get(timelineKey(channel, ts))?.delete(ts);
  changed("timeline");
}

function recount(channel, threadTs) {
  const root = state.timelines.get(channel)?.get(threadTs);
  const thread = messagesOf(timelineKey(channel, threadTs));
  if (!root || !thread) return;
  const replies = thread.filter((message) => message.ts !== threadTs && !message.ephemeral_id);
  state.timelines.get(channel).set(threadTs, {
    ...root,
    reply_count: replies.length,
    reply_users: [...new Set(replies.map((reply) => reply.user ?? reply.bot_id))],
    latest_reply: replies.at(-1)?.ts,
  });
}

/** Something only I can see; in a thread when it has a thread_ts. */
export function putEphemeral(channel, message) {
  const key = timelineKey(channel, message.thread_ts);
  if (!state.timelines.has(key)) state.timelines.set(key, new Map());
  const ts = message.ts ?? String(Date.now() / 1000);
  state.timelines.get(key).set(`eph:${message.ephemeral_id}`, { ...message, ts, channel, is_ephemeral: true });
  changed("timeline");
}

/** An ephemeral was dismissed or deleted by the app. */
export function dropEphemeral(id) {
  for (const timeline of state.timelines.values()) timeline.delete(`eph:${id}`);
  changed("timeline");
}

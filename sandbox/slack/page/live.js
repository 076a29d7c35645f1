/** The websocket that keeps the page fresh. It comes back by itself, and after a gap everything on screen is read again. */

import * as store from "./state.js";
import { state, changed } from "./state.js";

const RETRY_MS = [300, 600, 1200, 2500, 5000];

/**
 * Keep a connection for this person open for as long as the page lives.
 * @param {string} user
 * @param {{reread: () => void, arrived: (channel: string, message: object) => void, rereadState: () => void}} hooks
 */
export function connect(user, hooks) {
  let attempt = 0;
  let wasOpen = false;

  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/page/live?${new URLSearchParams({ user })}`);
    socket.addEventListener("open", () => {
      attempt = 0;
      setOnline(true);
      if (wasOpen) hooks.reread();
      wasOpen = true;
    });
    socket.addEventListener("message", (event) => receive(JSON.parse(event.data), hooks));
    socket.addEventListener("close", () => {
      setOnline(false);
      setTimeout(open, RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]);
    });
  };
  open();
}

function setOnline(online) {
  state.online = online;
  changed("connection");
}

function receive(event, hooks) {
  RECEIVERS[event.type]?.(event, hooks);
}

const RECEIVERS = {
  message({ channel, message }, hooks) {
    clearStatus(channel, message);
    if (store.putMessage(channel, message)) hooks.arrived(channel, message);
  },
  message_changed: ({ channel, message }) => store.putMessage(channel, message),
  message_deleted: ({ channel, ts, thread_ts }) => store.dropMessage(channel, ts, thread_ts),
  ephemeral: ({ channel, message }) => store.putEphemeral(channel, message),
  ephemeral_deleted: ({ ephemeral_id }) => store.dropEphemeral(ephemeral_id),
  home({ view }) {
    state.home = view;
    changed("home");
  },
  views({ views }) {
    state.views = views;
    changed("views");
  },
  channels: (_, hooks) => hooks.rereadState(),
  status({ channel, thread_ts, status }) {
    const key = store.timelineKey(channel, thread_ts);
    if (status) state.status.set(key, status);
    else state.status.delete(key);
    changed("status");
  },
  bot({ connected }) {
    state.botConnected = connected;
    changed("connection");
  },
};

// Slack takes "is thinking…" away as soon as the app says something there.
function clearStatus(channel, message) {
  if (!store.isBot(message.user)) return;
  if (state.status.delete(store.timelineKey(channel, message.thread_ts))) changed("status");
}

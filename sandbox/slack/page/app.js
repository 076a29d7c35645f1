/** The start of the page: who am I, what is there, and which pane hears of what. */

import * as api from "./api.js";
import { ChannelPane } from "./channel.js";
import { h, replace } from "./dom.js";
import { drawHome } from "./home.js";
import { connect } from "./live.js";
import { drawModals, wireModals } from "./modals.js";
import { current, remember, userFromAddress } from "./route.js";
import { drawSidebar } from "./sidebar.js";
import * as store from "./state.js";
import { state } from "./state.js";
import { ThreadPane } from "./thread.js";
import { attempt, toast } from "./toast.js";

const FIRST_PERSON = "U0ADA0001";
const START_RETRY_MS = 1500;

const rail = h("nav.rail", { "aria-label": "Places" });
const sidebar = h("div.sidebar");
const banner = h("div.banner", { role: "status", hidden: true });
const frame = h("div.frame");
const channel = new ChannelPane(() => frame.classList.toggle("menu-open"));
const thread = new ThreadPane();

function build() {
  const scrim = h("div.scrim", { on: { click: () => frame.classList.remove("menu-open") } });
  replace(frame, rail, sidebar, scrim, h("div.work", null, banner, h("div.panes", null, channel.element, thread.element)));
  document.getElementById("app").replaceChildren(frame);
}

function wire() {
  store.on("route", () => {
    frame.classList.remove("menu-open");
    showPlace();
  });
  store.on("channels", () => drawSidebar(rail, sidebar));
  store.on("channels", showPlace);
  store.on("timeline", () => {
    channel.timeline.update();
    thread.timeline.update();
  });
  store.on("status", () => {
    channel.drawStatus();
    thread.drawStatus();
  });
  store.on("home", () => current().tab === "home" && drawHome(channel.page));
  store.on("views", drawModals);
  store.on("connection", drawBanner);
  store.on("connection", () => drawSidebar(rail, sidebar));
  wireModals();
}

function showPlace() {
  drawSidebar(rail, sidebar);
  channel.show();
  thread.show();
  frame.classList.toggle("with-thread", !thread.element.hidden);
  const place = state.channels.get(current().channel);
  document.title = `${place?.kind === "im" ? state.bot.name : `#${place?.name ?? ""}`} | ${state.team.name} (sandbox)`;
}

function drawBanner() {
  const text = state.online === false ? "Connecting to the sandbox…"
    : state.botConnected === false ? `${state.bot.name} is not running. What you write is kept, but nobody answers.` : null;
  banner.hidden = !text;
  replace(banner, text);
}

async function readAll() {
  const user = state.me;
  store.adopt(await api.readState(user));
  const [home, views] = await Promise.all([api.readHome(user), api.readViews(user)]);
  state.home = home.view;
  state.views = views.views ?? [];
  store.changed("home");
  store.changed("views");
}

/** After a gap in the connection: forget what is not on screen, read again what is. */
async function reread() {
  const { channel: id, thread: ts } = current();
  const onScreen = new Set([id, ts && store.timelineKey(id, ts)]);
  for (const key of [...state.timelines.keys()]) if (!onScreen.has(key)) state.timelines.delete(key);
  await attempt(readAll());
  if (state.timelines.has(id)) await channel.load(id);
  if (ts) await thread.load(id, ts);
}

function arrived(id, message) {
  const seen = id === current().channel && document.visibilityState === "visible" && current().tab !== "home";
  const toMe = state.channels.get(id)?.kind === "im" || message.text?.includes(`<@${state.me}>`);
  const isReply = message.thread_ts && message.thread_ts !== message.ts;
  if (message.user === state.me || seen || (isReply && !toMe)) return;
  state.unread.set(id, toMe ? Math.max(2, (state.unread.get(id) ?? 0) + 1) : (state.unread.get(id) ?? 1));
  store.changed("channels");
}

const refreshState = () => attempt(api.readState(state.me).then(store.adopt));

async function start() {
  build();
  state.me = userFromAddress() ?? FIRST_PERSON;
  await firstRead();
  remember(state.me);
  wire();
  showPlace();
  drawModals();
  connect(state.me, { reread, arrived, rereadState: refreshState });
  const { thread: ts } = current();
  (ts ? thread : channel).composer.focus();
}

/** The server may still be starting, and the person remembered may not live in this world. */
async function firstRead() {
  for (;;) {
    try {
      await readAll();
      return;
    } catch (error) {
      if (state.me !== FIRST_PERSON && error.code !== "unreachable") state.me = FIRST_PERSON;
      else {
        toast(error.message);
        await new Promise((resolve) => setTimeout(resolve, START_RETRY_MS));
      }
    }
  }
}

await start();

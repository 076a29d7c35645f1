/** The page's HTTP calls, one function each. A refusal of the server is thrown as an `ApiError` with its word for it. */

/** What the server refused, e.g. `not_in_channel`; `message` is a sentence for a toast. */
export class ApiError extends Error {
  constructor(code) {
    super(SENTENCES[code] ?? `Slack answered: ${String(code).replaceAll("_", " ")}`);
    this.code = code;
  }
}

const SENTENCES = {
  unreachable: "The sandbox does not answer. Is it still running?",
  timeout: "The app did not answer in time.",
  operation_timeout: "The app did not answer in time.",
  not_in_channel: "You are not in this channel.",
  dispatch_failed: "The app is not running, so nobody received this.",
  expired_trigger_id: "The app was too slow to open the dialog. Try again.",
};

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(`/page/api/${path}`, options);
  } catch {
    throw new ApiError("unreachable");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok || body.ok === false) {
    // A view submission with field errors is an answer, not a failure.
    if (body.errors) return body;
    throw new ApiError(body.error ?? `http_${response.status}`);
  }
  return body;
}

const get = (path, query) => call(`${path}?${new URLSearchParams(query)}`);

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** @returns {Promise<{team, people, channels, bot, commands, me}>} */
export const readState = (user) => get("state", { user });

/** @returns {Promise<{messages: object[]}>} a channel's root messages, or one thread with its root first */
export const readHistory = (user, channel, threadTs) =>
  get("history", threadTs ? { user, channel, thread_ts: threadTs } : { user, channel });

/** @returns {Promise<{view: object|null}>} */
export const readHome = (user) => get("home", { user });

/** @returns {Promise<{views: object[]}>} the stack of open modals, the topmost last */
export const readViews = (user) => get("views", { user });

/** @param {{user, channel, text, thread_ts?: string, file_ids?: string[]}} message */
export const say = (message) => post("say", message);

/** @param {{user, channel, ts, text}} change */
export const edit = (change) => post("edit", change);

/** @param {{user, channel, ts}} message */
export const remove = (message) => post("delete", message);

/** @param {{user, channel, command, text}} command */
export const command = (command) => post("command", command);

/** @param {{user, container: object, action: object}} press a button, a chosen option … as Slack's `block_actions` has it */
export const act = (press) => post("action", press);

/** @param {{user, container: object, action_id, block_id, value}} query what an external select asks the app for */
export const options = (query) => post("options", query);

/** @returns {Promise<{ok: boolean, errors?: Record<string, string>}>} */
export const submit = (submission) => post("submit", submission);

/** @param {{user, view_id}} view */
export const closeView = (view) => post("close_view", view);

/** @param {{user, tab: "home"|"messages"|"about"}} visit */
export const openHome = (visit) => post("open_home", visit);

/** @param {string} user @param {File} file @returns {Promise<{file: object}>} */
export function upload(user, file) {
  const body = new FormData();
  body.append("file", file, file.name);
  return call(`upload?${new URLSearchParams({ user })}`, { method: "POST", body });
}

/** Times, sizes and numbers as people read them. */

/** A Slack `ts` ("1732262400.000100") or seconds as a Date. */
export const dateOf = (ts) => new Date(Number.parseFloat(ts) * 1000);

/** "9:41 AM" in the reader's own time zone. */
export const clock = (ts) => dateOf(ts).toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit" });

/** "9:41", for the gutter of a grouped message. */
export const shortClock = (ts) => clock(ts).replace(/\s?[AP]M$/i, "");

/** "Saturday, November 22nd at 9:41:03 AM", for tooltips. */
export function longTime(ts) {
  const time = dateOf(ts).toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit", second: "2-digit" });
  return `${weekday(dateOf(ts))} at ${time}`;
}

/** Whether two timestamps fall on the same day. */
export const sameDay = (a, b) => dateOf(a).toDateString() === dateOf(b).toDateString();

/** "Today", "Yesterday" or "Saturday, November 22nd", for the day divider. */
export function dayName(ts, now = new Date()) {
  const date = dateOf(ts);
  const days = Math.round((startOfDay(now) - startOfDay(date)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return weekday(date);
}

/** "today at 9:41 AM", "yesterday at …" or "Nov 3rd at …", for the reply bar. */
export function whenSaid(ts, now = new Date()) {
  const name = dayName(ts, now);
  const day = name === "Today" || name === "Yesterday" ? name.toLowerCase() : shortDate(dateOf(ts));
  return `${day} at ${clock(ts)}`;
}

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

const shortDate = (date) => `${date.toLocaleDateString("en-US", { month: "short" })} ${ordinal(date.getDate())}`;

function weekday(date) {
  const part = (options) => date.toLocaleDateString("en-US", options);
  return `${part({ weekday: "long" })}, ${part({ month: "long" })} ${ordinal(date.getDate())}`;
}

function ordinal(number) {
  const teen = number % 100 > 10 && number % 100 < 14;
  return `${number}${teen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th")}`;
}

/**
 * Slack's `<!date^seconds^template^link|fallback>` tokens.
 * @param {number} seconds
 * @param {string} template e.g. "{date_short_pretty} at {time}"
 */
export function fromTemplate(seconds, template) {
  const date = dateOf(seconds);
  const pretty = dayName(seconds);
  const near = pretty === "Today" || pretty === "Yesterday" ? pretty.toLowerCase() : null;
  const part = (options) => date.toLocaleDateString("en-US", options);
  const words = {
    date_num: `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`,
    date: part({ month: "long", day: "numeric", year: "numeric" }),
    date_short: part({ month: "short", day: "numeric", year: "numeric" }),
    date_long: part({ weekday: "long", month: "long", day: "numeric", year: "numeric" }),
    time: clock(seconds),
    time_secs: date.toLocaleTimeString("en-US"),
    ago: ago(seconds),
  };
  for (const name of ["date", "date_short", "date_long"]) words[`${name}_pretty`] = near ?? words[name];
  return template.replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);
}

/** "3 minutes ago". */
export function ago(ts, now = Date.now()) {
  const minutes = Math.round((now - dateOf(ts).getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return plural(minutes, "minute") + " ago";
  if (minutes < 60 * 24) return plural(Math.round(minutes / 60), "hour") + " ago";
  return plural(Math.round(minutes / 1440), "day") + " ago";
}

/** "1 reply", "3 replies". */
export function plural(count, word, many = `${word}s`) {
  return `${count} ${count === 1 ? word : many}`;
}

/** Bytes as "912 B", "14 kB", "2.1 MB". */
export function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Chart axis numbers: 1200000 as "1.2M". */
export function compact(number) {
  return new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 }).format(number);
}

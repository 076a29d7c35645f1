/** Emoji by Slack's names. The ones that apps use as signs are drawn, so that they look the same on every machine. */

import { h } from "../dom.js";
import { drawing } from "./emoji_art.js";

const CHARACTERS = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", wave: "👋", clap: "👏", pray: "🙏", muscle: "💪", raised_hands: "🙌",
  point_right: "👉", point_up: "☝️", point_down: "👇", ok_hand: "👌", eyes: "👀", smile: "😄", smiley: "😃", grinning: "😀", joy: "😂",
  blush: "😊", wink: "😉", heart_eyes: "😍", thinking_face: "🤔", sweat_smile: "😅", cry: "😢", sob: "😭", slightly_smiling_face: "🙂",
  upside_down_face: "🙃", sunglasses: "😎", robot_face: "🤖", heart: "❤️", tada: "🎉", rocket: "🚀", sparkles: "✨", star: "⭐",
  fire: "🔥", zap: "⚡", bulb: "💡", bell: "🔔", no_bell: "🔕", boom: "💥", "100": "💯", coffee: "☕", beers: "🍻",
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", warning: "⚠️", no_entry: "⛔",
  no_entry_sign: "🚫", octagonal_sign: "🛑", stop_sign: "🛑", question: "❓", exclamation: "❗", information_source: "ℹ️",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰", arrows_counterclockwise: "🔄", repeat: "🔁",
  black_square_for_stop: "⏹️", double_vertical_bar: "⏸️", arrow_forward: "▶️", arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️",
  arrow_down: "⬇️", arrow_upper_right: "↗️", leftwards_arrow_with_hook: "↩️", heavy_plus_sign: "➕", heavy_minus_sign: "➖",
  lock: "🔒", unlock: "🔓", key: "🔑", closed_lock_with_key: "🔐", shield: "🛡️", link: "🔗", pushpin: "📌", paperclip: "📎",
  gear: "⚙️", wrench: "🔧", hammer: "🔨", hammer_and_wrench: "🛠️", construction: "🚧", brick: "🧱", bricks: "🧱", toolbox: "🧰",
  mag: "🔍", mag_right: "🔎", memo: "📝", pencil2: "✏️", page_facing_up: "📄", page_with_curl: "📃", clipboard: "📋", books: "📚",
  file_folder: "📁", open_file_folder: "📂", package: "📦", card_file_box: "🗃️", file_cabinet: "🗄️", floppy_disk: "💾",
  wastebasket: "🗑️", inbox_tray: "📥", outbox_tray: "📤", envelope: "✉️", email: "📧", speech_balloon: "💬", thought_balloon: "💭",
  bar_chart: "📊", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", calendar: "📅", date: "📅", computer: "💻",
  globe_with_meridians: "🌐", satellite_antenna: "📡", electric_plug: "🔌", moneybag: "💰", dollar: "💵", test_tube: "🧪",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴",
  large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", seedling: "🌱", house: "🏠", bug: "🐛", snake: "🐍", whale: "🐳",
};

const NAMES = new Map(Object.entries(CHARACTERS).map(([name, character]) => [bare(character), name]));

/** The same emoji with and without the "draw me in colour" mark. */
function bare(character) {
  return character.replaceAll("\ufe0f", "");
}

/** Names that begin with what was typed, for completion after a colon. */
export function namesLike(prefix) {
  return Object.keys(CHARACTERS).filter((name) => name.startsWith(prefix));
}

/** An emoji by name; the name itself between colons when nobody knows it. */
export function emoji(name) {
  const plain = name.replace(/::skin-tone-\d$/, "");
  if (!Object.hasOwn(CHARACTERS, plain)) return document.createTextNode(`:${name}:`);
  return h("span.emoji", { role: "img", "aria-label": plain.replaceAll("_", " "), title: `:${plain}:` }, picture(plain));
}

const picture = (name) => drawing(name) ?? CHARACTERS[name];

const PICTOGRAPH = /\p{Extended_Pictographic}\ufe0f?/gu;

/** Plain text as nodes, with the emoji characters in it that have a drawing drawn. */
export function textWithEmoji(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(PICTOGRAPH)) {
    const name = NAMES.get(bare(match[0]));
    if (!name || !drawing(name)) continue;
    if (match.index > at) nodes.push(document.createTextNode(text.slice(at, match.index)));
    nodes.push(emoji(name));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

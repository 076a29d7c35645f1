/** Small drawings for emoji that apps use as signs. Each is a list of shapes on a 20 × 20 sheet. */

import { svg } from "../dom.js";

const path = (d, props) => ["path", { d, ...props }];
const line = (d, stroke, width = 2) =>
  ["path", { d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const disc = (fill, r = 8, cx = 10, cy = 10) => ["circle", { cx, cy, r, fill }];
const box = (x, y, width, height, fill, rx = 1) => ["rect", { x, y, width, height, rx, fill }];

const OCTAGON = "M6.5 1.5h7l5 5v7l-5 5h-7l-5-5v-7z";
const TICK = "M5.5 10.5l3 3 6-7";
const LOCK_BODY = box(4, 9, 12, 9, "#f2b134", 2);

const ART = {
  white_check_mark: [box(1.5, 1.5, 17, 17, "#2ea664", 4), line(TICK, "#fff", 2.4)],
  heavy_check_mark: [line("M3 11l4.5 4.5L17 5", "#2ea664", 3)],
  ballot_box_with_check: [box(1.5, 1.5, 17, 17, "#3b82f6", 4), line(TICK, "#fff", 2.4)],
  x: [line("M4 4l12 12M16 4L4 16", "#e0344b", 3.2)],
  warning: [path("M10 1.8 19 17.2a1 1 0 0 1-.9 1.4H1.9a1 1 0 0 1-.9-1.4z", { fill: "#fbbf24" }), line("M10 7.4v5", "#3f2d05", 2), disc("#3f2d05", 1.2, 10, 15.6)],
  no_entry: [disc("#e0344b"), box(5, 8.5, 10, 3, "#fff")],
  no_entry_sign: [["circle", { cx: 10, cy: 10, r: 7, fill: "none", stroke: "#e0344b", "stroke-width": 2.6 }], line("M5.2 5.2l9.6 9.6", "#e0344b", 2.6)],
  octagonal_sign: [path(OCTAGON, { fill: "#e0344b" }), box(6, 8.6, 8, 2.8, "#fff")],
  question: [line("M6.5 6.5a3.6 3.6 0 1 1 5 3.4c-1 .5-1.5 1.2-1.5 2.6", "#e0344b", 2.6), disc("#e0344b", 1.6, 10, 16.6)],
  exclamation: [line("M10 3v9", "#e0344b", 3), disc("#e0344b", 1.7, 10, 16.6)],
  information_source: [box(1.5, 1.5, 17, 17, "#3b82f6", 4), line("M10 9.5v5", "#fff", 2.4), disc("#fff", 1.4, 10, 6)],
  hourglass_flowing_sand: [path("M4 2h12v2.5L11.3 10 16 15.5V18H4v-2.5L8.7 10 4 4.5z", { fill: "#cfe3f5" }), path("M6.3 6h7.4L10 10zM5.5 16.5 10 12.5l4.5 4z", { fill: "#e8a33d" }), line("M3.5 2h13M3.5 18h13", "#9a6a3a", 2)],
  stopwatch: [disc("#64748b", 7.5, 10, 11), disc("#f1f5f9", 5.6, 10, 11), line("M10 11V7.5", "#e0344b", 1.6), box(8.5, 1, 3, 2.5, "#64748b")],
  arrows_counterclockwise: [box(1.5, 1.5, 17, 17, "#3b82f6", 4), line("M14.5 8A5 5 0 0 0 5.6 7.5M5.5 12a5 5 0 0 0 8.9.5", "#fff", 1.9), line("M5.4 5v2.8h2.8M14.6 15v-2.8h-2.8", "#fff", 1.9)],
  black_square_for_stop: [box(1.5, 1.5, 17, 17, "#64748b", 4), box(6, 6, 8, 8, "#fff")],
  double_vertical_bar: [box(1.5, 1.5, 17, 17, "#64748b", 4), box(6, 5.5, 3, 9, "#fff"), box(11, 5.5, 3, 9, "#fff")],
  arrow_forward: [box(1.5, 1.5, 17, 17, "#3b82f6", 4), path("M7 5.5v9l7-4.5z", { fill: "#fff" })],
  lock: [line("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", "#94a3b8", 2), LOCK_BODY, disc("#5b3b06", 1.5, 10, 13.5)],
  unlock: [line("M6.5 9V6a3.5 3.5 0 0 1 6.8-1", "#94a3b8", 2), LOCK_BODY, disc("#5b3b06", 1.5, 10, 13.5)],
  key: [["circle", { cx: 6.5, cy: 13.5, r: 3.5, fill: "none", stroke: "#e0a524", "stroke-width": 2.4 }], line("M9 11l7.5-7.5M13 7l3 3", "#e0a524", 2.4)],
  link: [line("M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1", "#7c8ba1", 2)],
  gear: [["circle", { cx: 10, cy: 10, r: 7, fill: "none", stroke: "#7c8ba1", "stroke-width": 3, "stroke-dasharray": "2.75 2.75" }], ["circle", { cx: 10, cy: 10, r: 4.5, fill: "none", stroke: "#7c8ba1", "stroke-width": 3 }]],
  wrench: [line("M4 16l7-7", "#7c8ba1", 3.2), path("M16.8 4.2l-2.6 2.6-1.4-.4-.4-1.4L15 2.4a4.6 4.6 0 0 0-5.9 5.8l2.8 2.8a4.6 4.6 0 0 0 4.9-6.8z", { fill: "#7c8ba1" })],
  brick: [box(1, 4, 18, 12, "#b5472f", 2), line("M1 10h18M7 4v6M13 10v6", "#f3d5c8", 1.3)],
  mag: [["circle", { cx: 8.5, cy: 8.5, r: 5.5, fill: "#dbeafe", stroke: "#64748b", "stroke-width": 2 }], line("M13 13l4.5 4.5", "#8a5a34", 3)],
  memo: [box(3, 1.5, 13, 17, "#f1f5f9", 1.5), line("M6 6h7M6 9.5h7M6 13h4", "#94a3b8", 1.4), line("M18 7l-6.5 8.5-1.5.8.3-1.7", "#e8a33d", 1.8)],
  page_facing_up: [path("M4 1.5h8l4.5 4.5v12.5H4z", { fill: "#e2e8f0" }), path("M12 1.5V6h4.5z", { fill: "#94a3b8" }), line("M6.5 9h7M6.5 12h7M6.5 15h4.5", "#94a3b8", 1.3)],
  clipboard: [box(3.5, 3, 13, 15.5, "#a16207", 2), box(5.5, 5, 9, 11.5, "#f8fafc"), box(7, 1.5, 6, 3.5, "#94a3b8"), line("M7.5 9h5M7.5 12h5", "#94a3b8", 1.3)],
  file_folder: [path("M1.5 4h6l2 2h9v11h-17z", { fill: "#e0a524" }), path("M1.5 8h17v9h-17z", { fill: "#f6c453" })],
  package: [box(2, 5, 16, 12.5, "#c08a52", 1.5), box(2, 5, 16, 4, "#a9743c"), box(8, 5, 4, 7, "#f0d9b5", 0)],
  floppy_disk: [path("M2 2h13l3 3v13H2z", { fill: "#3f4c63" }), box(6, 2, 7, 5, "#cbd5e1"), box(5, 10.5, 10, 7.5, "#f1f5f9")],
  speech_balloon: [path("M10 2.5c5 0 8.5 2.8 8.5 6.5s-3.5 6.5-8.5 6.5c-.8 0-1.5 0-2.2-.2L4 18v-3.8C2.4 13 1.5 11.2 1.5 9 1.5 5.3 5 2.5 10 2.5z", { fill: "#cbd5e1" }), disc("#64748b", 1.2, 6, 9), disc("#64748b", 1.2, 10, 9), disc("#64748b", 1.2, 14, 9)],
  bar_chart: [box(1.5, 1.5, 17, 17, "#eef2f7", 2), box(4, 9, 3, 7, "#2ea664"), box(8.5, 4.5, 3, 11.5, "#3b82f6"), box(13, 11, 3, 5, "#e0344b")],
  chart_with_upwards_trend: [box(1.5, 1.5, 17, 17, "#eef2f7", 2), line("M4 14l4-4 3 2.5 5-7", "#e0344b", 2)],
  chart_with_downwards_trend: [box(1.5, 1.5, 17, 17, "#eef2f7", 2), line("M4 5.5l4 4 3-2.5 5 7.5", "#3b82f6", 2)],
  bulb: [path("M10 1.5a6 6 0 0 1 3.5 10.9c-.6.5-1 1.2-1 2.1h-5c0-.9-.4-1.6-1-2.1A6 6 0 0 1 10 1.5z", { fill: "#fcd34d" }), box(7.5, 15, 5, 3.5, "#94a3b8", 1.2)],
  zap: [path("M11.5 1 3.5 11.5h5L7.5 19l9-11h-5.5z", { fill: "#f5b301" })],
  rocket: [path("M12 12.5 7.5 8C9 4 13 1.5 18.5 1.5 18.5 7 16 11 12 12.5z", { fill: "#cbd5e1" }), path("M7.5 8 3 8.5 5.5 11zM12 12.5 11.5 17 9 14.5z", { fill: "#e0344b" }), disc("#3b82f6", 1.8, 13.3, 6.7), path("M5.5 12.5c-1.5.5-3 2.5-3.5 5 2.5-.5 4.5-2 5-3.5z", { fill: "#f59e0b" })],
  tada: [path("M2 18.5 6.5 6.5l7 7z", { fill: "#f2b134" }), disc("#e0344b", 1.3, 9, 3), disc("#3b82f6", 1.3, 16.5, 5), disc("#2ea664", 1.3, 17, 12), line("M11 8.5c0-2.5 1-4 2.8-5M12.5 10c1.5-1 3-1.2 5-.8", "#a855f7", 1.6)],
  sparkles: [path("M8 3l1.8 4.7L14.5 9.5 9.8 11.3 8 16 6.2 11.3 1.5 9.5l4.7-1.8zM15.5 1.5l.9 2.1 2.1.9-2.1.9-.9 2.1-.9-2.1-2.1-.9 2.1-.9zM15.5 13l.7 1.8 1.8.7-1.8.7-.7 1.8-.7-1.8-1.8-.7 1.8-.7z", { fill: "#f5b301" })],
  star: [path("M10 1.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L10 15.1 4.7 18l1.1-6L1.4 7.8l6-.8z", { fill: "#f5b301" })],
  fire: [path("M10.5 1c.5 3.5 5.5 6 5.5 11a6 6 0 0 1-12 0c0-2 1-4 2.5-5 0 1.5.5 2.5 1.5 3C8 7 8.5 3.5 10.5 1z", { fill: "#f97316" }), path("M10.3 10c.2 1.8 2.7 2.7 2.7 5a3 3 0 0 1-6 0c0-2 2-2.6 3.3-5z", { fill: "#fcd34d" })],
  heart: [path("M10 17.5C4 13.5 1.5 10.5 1.5 7A4.5 4.5 0 0 1 10 5a4.5 4.5 0 0 1 8.5 2c0 3.5-2.5 6.5-8.5 10.5z", { fill: "#e0344b" })],
  eyes: [["ellipse", { cx: 5.5, cy: 10, rx: 4, ry: 6, fill: "#fff", stroke: "#94a3b8" }], ["ellipse", { cx: 14.5, cy: 10, rx: 4, ry: 6, fill: "#fff", stroke: "#94a3b8" }], disc("#1e293b", 2.2, 4.5, 11), disc("#1e293b", 2.2, 13.5, 11)],
  robot_face: [line("M10 4V2", "#94a3b8", 1.8), box(3, 4.5, 14, 12.5, "#b6c6d8", 3), disc("#1e293b", 1.7, 7, 9.5), disc("#1e293b", 1.7, 13, 9.5), line("M7 13.5h6", "#64748b", 1.8)],
  thumbsup: [path("M2 9h3.5v9H2zM6.5 9.5 10 2c1.8 0 2.6 1.3 2.2 3l-.7 3H17a1.5 1.5 0 0 1 1.4 2l-2 6.5a2 2 0 0 1-1.9 1.5h-8z", { fill: "#f5bd3a" })],
  thumbsdown: [path("M2 11h3.5V2H2zM6.5 10.5 10 18c1.8 0 2.6-1.3 2.2-3l-.7-3H17a1.5 1.5 0 0 0 1.4-2l-2-6.5A2 2 0 0 0 14.5 2h-8z", { fill: "#f5bd3a" })],
  bell: [path("M10 2a5.5 5.5 0 0 1 5.5 5.5c0 4 1 5.5 2 6.5h-15c1-1 2-2.5 2-6.5A5.5 5.5 0 0 1 10 2z", { fill: "#f5bd3a" }), disc("#c98a12", 2, 10, 16.5)],
  wastebasket: [path("M4 6h12l-1.2 12.5H5.2z", { fill: "#94a3b8" }), box(2.5, 3.5, 15, 2.2, "#64748b"), line("M8 8.5v7M12 8.5v7", "#e2e8f0", 1.3)],
  calendar: [box(2, 3, 16, 15, "#f1f5f9", 2), box(2, 3, 16, 5, "#e0344b", 2), line("M6 1.5v3M14 1.5v3", "#64748b", 1.6), line("M5.5 11h2M9 11h2M12.5 11h2M5.5 14.5h2M9 14.5h2", "#94a3b8", 1.8)],
  computer: [box(3, 3, 14, 10, "#475569", 1.5), box(4.5, 4.5, 11, 7, "#bfdbfe", 0.5), box(1, 14, 18, 2.5, "#94a3b8", 1.2)],
  bust_in_silhouette: [disc("#64748b", 4, 10, 6), path("M2 18.5c0-5 3.5-7.5 8-7.5s8 2.5 8 7.5z", { fill: "#64748b" })],
  large_green_circle: [disc("#2ea664")],
  large_yellow_circle: [disc("#f5bd3a")],
  red_circle: [disc("#e0344b")],
  large_blue_circle: [disc("#3b82f6")],
  white_circle: [["circle", { cx: 10, cy: 10, r: 7.5, fill: "#fff", stroke: "#cbd5e1" }]],
  black_circle: [disc("#1e293b")],
  point_right: [line("M3 10h12M11 5.5 15.5 10 11 14.5", "#e0a524", 2.6)],
  heavy_plus_sign: [line("M10 3.5v13M3.5 10h13", "#2ea664", 3)],
  heavy_minus_sign: [line("M3.5 10h13", "#e0344b", 3)],
  seedling: [line("M10 18v-8", "#4d7c0f", 2), path("M10 11C5 11 2.5 8.5 2 4c5 0 8 2.5 8 7zM10 9c0-4 3-6.5 8-6.5C17.5 7 15 9 10 9z", { fill: "#65a30d" })],
  hammer_and_wrench: [line("M4 16.5 12 8.5", "#8a5a34", 2.6), path("M9.5 3.5 13 2l5 5-1.5 3.5z", { fill: "#64748b" }), line("M4 4l12 12.5", "#94a3b8", 2.2)],
  wave: [path("M5 10.5 3.5 7a1.2 1.2 0 0 1 2.2-1l1 2L6 4.3a1.2 1.2 0 0 1 2.4-.6l1 3.6.2-4.1a1.2 1.2 0 0 1 2.4 0l.3 4.6 1-3a1.2 1.2 0 0 1 2.3.7L14.3 12c-.3 4-2.5 6-5 6-2.2 0-3-1.5-4.3-7.5z", { fill: "#f5bd3a" })],
};

const ALIASES = {
  "+1": "thumbsup", "-1": "thumbsdown", stop_sign: "octagonal_sign", hourglass: "hourglass_flowing_sand", mag_right: "mag", bricks: "brick",
  repeat: "arrows_counterclockwise", page_with_curl: "page_facing_up", open_file_folder: "file_folder", date: "calendar",
  closed_lock_with_key: "lock", arrow_right: "point_right", pencil2: "memo", alarm_clock: "stopwatch", hammer: "hammer_and_wrench",
};

/** The drawing for a name, or null when the font's own picture has to do. */
export function drawing(name) {
  const shapes = ART[ALIASES[name] ?? name];
  if (!shapes) return null;
  return svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, shapes.map(([tag, props]) => svg(tag, props)));
}

/** Line icons of the page's own furniture, drawn on a 20 × 20 sheet with the current colour. */

import { h, svg } from "./dom.js";

const PATHS = {
  hash: "M7.5 3 6 17M14 3l-1.5 14M3.5 7.5h14M2.5 12.5h14",
  lock: "M5.5 9h9v8h-9zM7.3 9V6.3a2.7 2.7 0 0 1 5.4 0V9",
  shared: "M7.5 3 6 17M14 3l-1.5 14M3.5 7.5h14M2.5 12.5h14",
  home: "M3 9.5 10 3l7 6.5M5 8v9h10V8M8.5 17v-4.5h3V17",
  chat: "M3 5.5A1.5 1.5 0 0 1 4.5 4h11A1.5 1.5 0 0 1 17 5.5v7a1.5 1.5 0 0 1-1.5 1.5H9l-4 3v-3h-.5A1.5 1.5 0 0 1 3 12.5z",
  apps: "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
  close: "M5 5l10 10M15 5 5 15",
  back: "M12 4.5 6.5 10l5.5 5.5",
  send: "M3.5 3.5 17 10 3.5 16.5l1.7-6.5zM5.2 10H11",
  attach: "M10 4v12M4 10h12",
  copy: "M7.5 7.5v-3h8v8h-3M4.5 7.5h8v8h-8z",
  edit: "M4 16l.8-3.5L13.5 3.8l2.7 2.7-8.7 8.7z",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6M8.5 9v4.5M11.5 9v4.5",
  thread: "M3 5.5A1.5 1.5 0 0 1 4.5 4h11A1.5 1.5 0 0 1 17 5.5v7a1.5 1.5 0 0 1-1.5 1.5H9l-4 3v-3h-.5A1.5 1.5 0 0 1 3 12.5zM6.5 7.5h7M6.5 10.5h4.5",
  more: "M10 4.8v.4M10 9.8v.4M10 14.8v.4",
  menu: "M3.5 5.5h13M3.5 10h13M3.5 14.5h13",
  chevron: "M6 8l4 4 4-4",
  right: "M8 6l4 4-4 4",
  check: "M4.5 10.5 8.5 14.5 15.5 6.5",
  eye: "M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  file: "M5 3h6.5L15 6.5V17H5zM11.5 3v3.5H15",
  download: "M10 3.5v8.5M6.5 9l3.5 3.5L13.5 9M4 16.5h12",
  play: "M7 4.5v11l8.5-5.5z",
  info: "M10 9v5M10 6.2v.1M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z",
  alert: "M10 3 17.5 16.5h-15zM10 8v4M10 14v.2",
  people: "M7.5 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5c0-3 2.2-5 5.5-5s5.5 2 5.5 5M12.5 4.3a3 3 0 0 1 0 5.4M15 12c1.8.7 3 2.3 3 4.5",
  thumb_up: "M3 9h3v8H3zM6 9l3.3-6c1.4 0 2 1 1.7 2.4L10.5 8h5a1.3 1.3 0 0 1 1.2 1.7l-1.8 6A1.7 1.7 0 0 1 13.3 17H6",
  thumb_down: "M3 11h3V3H3zM6 11l3.3 6c1.4 0 2-1 1.7-2.4L10.5 12h5a1.3 1.3 0 0 0 1.2-1.7l-1.8-6A1.7 1.7 0 0 0 13.3 3H6",
  up: "M6 12l4-4 4 4",
  link: "M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return svg("svg.icon", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: PATHS[name] ?? PATHS.info }));
}

/** Whether there is an icon of that name. */
export const hasIcon = (name) => Object.hasOwn(PATHS, name);

/** The app's picture: a brick. */
export function brick() {
  return svg(
    "svg",
    { viewBox: "0 0 36 36", "aria-hidden": "true" },
    svg("rect", { width: 36, height: 36, fill: "#f6dccf" }),
    svg("path", { d: "M6 14.5 19 9l11 4v9.5L17 28 6 23.5z", fill: "#8f2f1c" }),
    svg("path", { d: "M6 14.5 19 9l11 4-13 5.5z", fill: "#e07a5a" }),
    svg("path", { d: "M6 14.5 17 18.5V28L6 23.5z", fill: "#c4512f" }),
    svg("g", { fill: "#8f2f1c" },
      svg("ellipse", { cx: 13.8, cy: 14.3, rx: 1.9, ry: 0.9 }),
      svg("ellipse", { cx: 18.2, cy: 13.9, rx: 1.9, ry: 0.9 }),
      svg("ellipse", { cx: 22.6, cy: 13.4, rx: 1.9, ry: 0.9 })),
  );
}

/**
 * A person's or the app's picture.
 * @param {{id?: string, name: string, color?: string, isApp?: boolean, small?: boolean}} who
 */
export function avatar({ name, color = "#64748b", isApp = false, small = false }) {
  const initials = name.split(/\s+/).map((word) => word[0] ?? "").slice(0, 2).join("").toUpperCase();
  const look = small ? "small" : null;
  if (isApp) return h("span.avatar.app", { class: look, "aria-hidden": "true" }, brick());
  return h("span.avatar", { class: look, style: { background: color }, "aria-hidden": "true" }, initials);
}

/** data_visualization: bar, line, area and pie charts as inline SVG. docs.slack.dev/reference/block-kit/blocks/data-visualization-block */

import { h, svg } from "../dom.js";
import { compact } from "../format.js";

const WIDTH = 560;
const HEIGHT = 240;
const PAD = { left: 56, right: 12, top: 12 };
const FOOT = { bare: 26, labelled: 46 };
const COLOURS = 6; // --chart-1 … --chart-6

const colour = (index) => `var(--chart-${(index % COLOURS) + 1})`;

/** @param {{title: string, chart: object}} block */
export function chart({ title, chart: data }) {
  const draw = Object.hasOwn(CHARTS, data?.type) ? CHARTS[data.type] : null;
  if (!draw) return h("div.unknown", null, `Chart “${String(data?.type)}”`);
  const names = data.type === "pie" ? data.segments.map((segment) => segment.label) : data.series.map((series) => series.name);
  return h("figure.chart", null, h("figcaption", null, title), draw(data, title), names.length > 1 ? legend(names) : null);
}

const legend = (names) =>
  h("div.legend", null, names.map((name, index) => h("span", null, h("i", { style: { background: colour(index) } }), name)));

const CHARTS = {
  bar: (data, title) => axes(data, title, bars),
  line: (data, title) => axes(data, title, (...all) => lines(...all, false)),
  area: (data, title) => axes(data, title, (...all) => lines(...all, true)),
  pie,
};

/** Frame, grid and labels; `draw` adds the marks. */
function axes({ series, axis_config: config = {} }, title, draw) {
  const categories = config.categories ?? series[0].data.map((point) => point.label);
  const values = series.flatMap((each) => each.data.map((point) => Number(point.value)));
  const ticks = ticksFor(Math.min(0, ...values), Math.max(0, ...values));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const foot = config.x_label ? FOOT.labelled : FOOT.bare;
  const plot = { width: WIDTH - PAD.left - PAD.right, height: HEIGHT - PAD.top - foot };
  const y = (value) => PAD.top + plot.height * (1 - (value - low) / (high - low || 1));
  const step = plot.width / categories.length;
  const x = (index) => PAD.left + step * (index + 0.5);
  const every = Math.ceil(categories.length / 10);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
    ticks.map((tick) => [
      svg("line.grid", { x1: PAD.left, x2: WIDTH - PAD.right, y1: y(tick), y2: y(tick), class: tick === 0 ? "zero" : null }),
      svg("text.tick", { x: PAD.left - 8, y: y(tick) + 4, "text-anchor": "end" }, compact(tick)),
    ]),
    categories.map((name, index) => index % every ? null : svg("text.tick", { x: x(index), y: HEIGHT - foot + 18, "text-anchor": "middle" }, shorten(name, step * every))),
    config.x_label ? svg("text.axis", { x: PAD.left + plot.width / 2, y: HEIGHT - 6, "text-anchor": "middle" }, config.x_label) : null,
    config.y_label ? svg("text.axis", { transform: `translate(12 ${PAD.top + plot.height / 2}) rotate(-90)`, "text-anchor": "middle" }, config.y_label) : null,
    draw(series, categories, { x, y, step }));
}

const shorten = (name, room) => {
  const letters = Math.max(3, Math.floor(room / 6.5));
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
};

/** Round numbers that enclose low and high, at most six of them. */
function ticksFor(low, high) {
  const raw = (high - low || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  const ticks = [];
  for (let index = Math.floor(low / step); (ticks.at(-1) ?? -Infinity) < high; index += 1) ticks.push(index * step);
  return ticks.length > 1 ? ticks : [0, 1];
}

const valueAt = (series, category) => Number(series.data.find((point) => point.label === category)?.value ?? 0);
const tip = (series, category, value) => svg("title", null, `${series.name} · ${category}: ${value.toLocaleString("en-US")}`);

function bars(series, categories, { x, y, step }) {
  const width = Math.min(46, (step * 0.7) / series.length);
  return series.map((each, place) => categories.map((category, index) => {
    const value = valueAt(each, category);
    const left = x(index) + (place - series.length / 2) * width;
    return svg("rect.mark", { x: left + 1, width: Math.max(1, width - 2), rx: 2, y: Math.min(y(value), y(0)), height: Math.max(1, Math.abs(y(0) - y(value))), fill: colour(place) }, tip(each, category, value));
  }));
}

function lines(series, categories, { x, y }, filled) {
  return series.map((each, place) => {
    const points = categories.map((category, index) => [x(index), y(valueAt(each, category))]);
    const path = points.map(([left, top], index) => `${index ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`).join("");
    const area = `${path}L${points.at(-1)[0]} ${y(0)}L${points[0][0]} ${y(0)}Z`;
    return [
      filled ? svg("path", { d: area, fill: colour(place), opacity: 0.22 }) : null,
      svg("path.stroke", { d: path, stroke: colour(place) }),
      points.map(([cx, cy], index) => svg("circle.mark", { cx, cy, r: 3.5, fill: colour(place) }, tip(each, categories[index], valueAt(each, categories[index])))),
    ];
  });
}

function pie({ segments }, title) {
  const total = segments.reduce((sum, segment) => sum + Number(segment.value), 0) || 1;
  const [cx, cy, radius] = [WIDTH / 2, HEIGHT / 2, 104];
  const at = (share) => [cx + radius * Math.sin(share * 2 * Math.PI), cy - radius * Math.cos(share * 2 * Math.PI)].map((each) => each.toFixed(2));
  let from = 0;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title }, segments.map((segment, index) => {
    // A full circle has no arc, so a lone segment stops a hair short.
    const share = Math.min(Number(segment.value) / total, 0.99999);
    const path = `M${cx} ${cy}L${at(from).join(" ")}A${radius} ${radius} 0 ${share > 0.5 ? 1 : 0} 1 ${at(from + share).join(" ")}Z`;
    const middle = from + share / 2;
    from += share;
    return [
      svg("path.slice", { d: path, fill: colour(index) }, svg("title", null, `${segment.label}: ${Number(segment.value).toLocaleString("en-US")}`)),
      share > 0.05 ? svg("text.share", { x: cx + 70 * Math.sin(middle * 2 * Math.PI), y: cy - 70 * Math.cos(middle * 2 * Math.PI) + 4, "text-anchor": "middle" }, `${Math.round(share * 100)}%`) : null,
    ];
  }));
}

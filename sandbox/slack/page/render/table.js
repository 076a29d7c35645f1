/** The two table blocks: `table`, which is only shown, and `data_table`, which can be sorted, filtered and paged. */

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { recall, remember, touch } from "../memory.js";
import { richText } from "./rich_text.js";

const PAGE_SIZE = 5; // rows, Slack's default

/** @param {object} block */
export function table(block) {
  const settings = block.column_settings ?? [];
  const [head = [], ...rows] = block.rows ?? [];
  const draw = (tag) => (cell, index) => h(tag, look(cell, settings[index]), content(cell));
  return wrap(h("table", null,
    h("thead", null, h("tr", null, head.map(draw("th")))),
    h("tbody", null, rows.map((row) => h("tr", null, row.map(draw("td")))))));
}

const wrap = (content) => h("div.table-wrap", { tabindex: 0, role: "region", "aria-label": "Table" }, content);

function look(cell, settings) {
  const align = settings?.align ?? (cell.type === "raw_number" ? "right" : null);
  return { style: align ? { "text-align": align } : null, class: settings?.is_wrapped === false ? "nowrap" : null };
}

function content(cell) {
  if (cell.type === "rich_text") return richText(cell);
  return wordsOf(cell);
}

const wordsOf = (cell) => String(cell.text ?? (cell.value === undefined ? "" : Number(cell.value).toLocaleString("en-US")));
const sortKey = (cell) => (cell?.type === "raw_number" ? Number(cell.value ?? cell.text) : plain(cell).toLowerCase());

/** All words of a cell, for filter and order. */
function plain(cell) {
  if (!cell) return "";
  if (cell.type !== "rich_text") return wordsOf(cell);
  return richText(cell).textContent;
}

/** @param {object} block @param {import("../actions.js").Surface} surface */
export function dataTable(block, surface) {
  const name = `table:${block.block_id ?? block.caption}`;
  const view = recall(surface.place, name, { page: 0, sort: null, down: false, filter: "" });
  const look = (change) => {
    remember(surface.place, name, { ...view, ...change });
    touch(surface.place);
    surface.refresh();
  };
  const [head = [], ...all] = block.rows ?? [];
  const rows = ordered(all.filter((row) => row.some((cell) => plain(cell).toLowerCase().includes(view.filter))), view);
  const pages = Math.max(1, Math.ceil(rows.length / (block.page_size ?? PAGE_SIZE)));
  const page = Math.min(view.page, pages - 1);
  const shown = rows.slice(page * (block.page_size ?? PAGE_SIZE)).slice(0, block.page_size ?? PAGE_SIZE);
  return h("div.data-table", null,
    h("div.data-table-bar", null, h("span.caption", null, block.caption), filterField(view, look)),
    wrap(h("table", { "aria-label": block.caption },
      h("thead", null, h("tr", null, head.map((cell, index) => sortable(cell, index, view, look, numeric(all, index))))),
      h("tbody", null, shown.map((row) => h("tr", null, row.map((cell, index) => bodyCell(cell, index, block))))))),
    footer(rows.length, page, pages, look));
}

const numeric = (rows, index) => rows[0]?.[index]?.type === "raw_number";

function bodyCell(cell, index, block) {
  const isName = index === (block.row_header_column_index ?? 0);
  return h(isName ? "th" : "td", { ...look(cell), scope: isName ? "row" : null }, content(cell));
}

function ordered(rows, { sort, down }) {
  if (sort === null) return rows;
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return [...rows].sort((a, b) => compare(sortKey(a[sort]), sortKey(b[sort])) * (down ? -1 : 1));
}

function sortable(cell, index, view, look, isNumber) {
  const active = view.sort === index;
  const next = !active ? { sort: index, down: false } : view.down ? { sort: null, down: false } : { down: true };
  return h("th", { "aria-sort": active ? (view.down ? "descending" : "ascending") : "none", class: isNumber ? "number" : null },
    h("button.sort", { type: "button", on: { click: () => look({ ...next, page: 0 }) } }, wordsOf(cell),
      active ? icon(view.down ? "chevron" : "up") : null));
}

function filterField(view, look) {
  const input = h("input.filter", {
    type: "search", placeholder: "Filter", "aria-label": "Filter rows", on: { input: (event) => look({ filter: event.target.value.toLowerCase(), page: 0 }) },
  });
  input.value = view.filter;
  return input;
}

function footer(count, page, pages, look) {
  const step = (by, label, picture) =>
    h("button.icon-button", { type: "button", "aria-label": label, disabled: page + by < 0 || page + by >= pages, on: { click: () => look({ page: page + by }) } }, icon(picture));
  return h("div.data-table-foot", null, h("span", null, `${count} ${count === 1 ? "row" : "rows"}`),
    pages > 1 ? [step(-1, "Previous page", "back"), h("span", null, `${page + 1} of ${pages}`), step(1, "Next page", "right")] : null);
}

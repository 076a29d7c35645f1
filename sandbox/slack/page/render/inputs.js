/** Input blocks: label, element, hint, and the error of a refused submission. */

import * as api from "../api.js";
import { h } from "../dom.js";
import { size } from "../format.js";
import { icon } from "../icons.js";
import { state } from "../state.js";
import { attempt } from "../toast.js";
import { renderElement } from "./elements.js";
import { fieldId, richTextInput } from "./fields.js";
import { enter, valueOf } from "./form.js";
import { textObject } from "./text.js";

/** @param {object} block @param {import("../actions.js").Surface} surface */
export function inputBlock(block, surface) {
  const error = surface.errors?.[block.block_id];
  return h("div.input", { class: error ? "wrong" : null },
    h("label.input-label", { for: fieldId(surface, block) }, textObject(block.label),
      block.optional ? h("span.optional", null, " (optional)") : null),
    draw(block.element, block, surface),
    error ? h("div.input-error", { role: "alert" }, icon("alert"), error) : null,
    block.hint ? h("div.input-hint", null, textObject(block.hint)) : null);
}

function draw(element, block, surface) {
  if (element.type === "file_input") return fileInput(element, block, surface);
  if (element.type === "rich_text_input") return richTextInput(element, block, surface);
  return renderElement(element, block, surface);
}

function fileInput(element, block, surface) {
  const files = valueOf(surface, block, element).files ?? [];
  const take = async (event) => {
    const answers = await Promise.all([...event.target.files].map((file) => attempt(api.upload(state.me, file))));
    const added = answers.filter(Boolean).map((answer) => answer.file);
    enter(surface, block, element, { files: [...files, ...added].slice(0, element.max_files ?? 10) });
  };
  const accept = element.filetypes?.map((type) => `.${type}`).join(",") || null;
  return h("div.file-input", null,
    h("input.field", { id: fieldId(surface, block), type: "file", multiple: (element.max_files ?? 10) > 1, accept, on: { change: take } }),
    files.map((file) => h("span.chip", null, icon("file"), file.name, h("span.quiet", null, ` ${size(file.size)}`))));
}

/** Pictures and uploaded files. */

import { h, safeUrl } from "../dom.js";
import { size } from "../format.js";
import { icon } from "../icons.js";
import { textOf } from "./text.js";

/** An image that a block names by address or by file. */
export function picture(image, name = "picture") {
  const url = image.slack_file ? (image.slack_file.id ? pageUrl(image.slack_file) : image.slack_file.url) : image.image_url;
  const src = safeUrl(url);
  if (!src) return h("span.quiet", null, image.alt_text ?? "image");
  return h("img", { class: name, src, alt: image.alt_text ?? textOf(image.title), loading: "lazy" });
}

/** Where this page reads a file; its own address asks for a token, as Slack's does. */
function pageUrl(file) {
  const name = encodeURIComponent(file.name ?? "file");
  return `/files/${encodeURIComponent(file.id)}/${name}?page=1`;
}

/** @param {object[]} files of a message */
export function fileList(files) {
  return h("div.files", null, files.map((file) => (isImage(file) ? image(file) : chip(file))));
}

const isImage = (file) => /^image\/(png|jpe?g|gif|webp|svg\+xml|bmp)$/.test(file.mimetype ?? "");

function image(file) {
  return h("figure.file-image", { "data-key": file.id },
    h("figcaption", null, file.title || file.name, h("span.quiet", null, ` ${size(file.size)}`)),
    h("a", { href: pageUrl(file), target: "_blank", rel: "noopener noreferrer" }, h("img", { src: pageUrl(file), alt: file.alt_txt || file.title || file.name })));
}

function chip(file) {
  const kind = (file.filetype || file.name?.split(".").at(-1) || "file").toUpperCase().slice(0, 5);
  return h("a.file-chip", { "data-key": file.id, href: pageUrl(file), download: file.name ?? "file", title: `Download ${file.name}` },
    h("span.file-kind", { class: `kind-${kind.toLowerCase().replace(/\W/g, "")}` }, kind),
    h("span.file-words", null, h("span.file-name", null, file.title || file.name), h("span.quiet", null, [kind, size(file.size)].filter(Boolean).join(" · "))),
    icon("download"));
}

/** The `file` block only names a remote file. */
export const fileBlock = (block) => h("span.file-chip", null, icon("file"), h("span", null, block.external_id));

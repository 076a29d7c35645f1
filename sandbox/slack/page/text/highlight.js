/** Code blocks with a language label, a copy button and a little colour for the languages data people paste. */

import { h } from "../dom.js";
import { icon } from "../icons.js";

const SQL_WORDS =
  "select from where group by order having limit offset join left right inner outer full cross lateral on using as and or not in is null like between case when then else end " +
  "insert into values update set delete merge create replace table view schema catalog database if exists drop alter add column with recursive union all distinct over partition " +
  "window rows range unbounded preceding following asc desc nulls first last cast interval date timestamp true false describe show use grant revoke to explain qualify pivot optimize vacuum";
const PYTHON_WORDS =
  "def class return import from as if elif else for while in not and or is None True False try except finally raise with lambda yield async await pass break continue global nonlocal assert del match case self";
const SCRIPT_WORDS =
  "const let var function return if else for while of in new class extends import export from default async await try catch finally throw null undefined true false typeof this";
const SHELL_WORDS = "if then else fi for in do done while case esac function return export local set cd echo source exit";

const string = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`;
const number = String.raw`\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b`;
const call = String.raw`\b[A-Za-z_]\w*(?=\()`;

const language = (words, { comment, strings = string, flags = "g", extra = "(?!)" }) =>
  new RegExp(
    [
      `(?<comment>${comment})`,
      `(?<key>${extra})`,
      `(?<string>${strings})`,
      `(?<keyword>\\b(?:${words.split(" ").join("|")})\\b)`,
      `(?<call>${call})`,
      `(?<number>${number})`,
    ].join("|"),
    flags,
  );

const SQL = language(SQL_WORDS, { comment: String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`, strings: String.raw`'(?:''|[^'])*'|"[^"\n]*"|${"`[^`\\n]*`"}`, flags: "gi" });
const PYTHON = language(PYTHON_WORDS, { comment: "#[^\\n]*", strings: String.raw`[rfbu]{0,2}"""[\s\S]*?(?:"""|$)|[rfbu]{0,2}'''[\s\S]*?(?:'''|$)|[rfbu]{0,2}(?:${string})`, extra: "@[\\w.]+" });
const SCRIPT = language(SCRIPT_WORDS, { comment: String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`, strings: `${string}|${"`[^`]*`"}` });
const SHELL = language(SHELL_WORDS, { comment: "(?<=^|\\s)#[^\\n]*", extra: "(?<=\\s)--?[A-Za-z][\\w-]*|\\$\\{?\\w+\\}?", flags: "gm" });
const JSON_TEXT = language("true false null", { comment: "(?!)", extra: String.raw`"(?:\\.|[^"\\\n])*"(?=\s*:)` });
const YAML = language("true false null yes no", { comment: "(?<=^|\\s)#[^\\n]*", extra: "^[ -]*[\\w.-]+(?=:(?:\\s|$))", flags: "gm" });

const LANGUAGES = {
  sql: SQL, py: PYTHON, python: PYTHON, json: JSON_TEXT, jsonc: JSON_TEXT, js: SCRIPT, javascript: SCRIPT, ts: SCRIPT, typescript: SCRIPT,
  sh: SHELL, bash: SHELL, shell: SHELL, yaml: YAML, yml: YAML, toml: YAML,
};

/**
 * @param {string} code
 * @param {string} [name] the word after the fence
 * @returns {HTMLElement}
 */
export function codeBlock(code, name = "") {
  const label = name ? h("span.code-language", null, name) : null;
  return h("div.code-block", { class: name ? "labelled" : null },
    h("div.code-tools", null, label, copyButton(code)),
    h("pre", { tabindex: 0 }, h("code", null, colour(code, name.toLowerCase()))));
}

/** Code as nodes, coloured when the language is known. */
export function colour(code, name) {
  const pattern = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : null;
  if (!pattern) return [code];
  const nodes = [];
  let at = 0;
  for (const match of code.matchAll(pattern)) {
    if (match.index > at) nodes.push(code.slice(at, match.index));
    const [kind] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    nodes.push(h(`span.hl-${kind}`, null, match[0]));
    at = match.index + match[0].length;
  }
  nodes.push(code.slice(at));
  return nodes;
}

function copyButton(code) {
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(code);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1200);
  };
  return h("button.icon-button.copy", { type: "button", "aria-label": "Copy code", title: "Copy", on: { click: copy } }, icon("copy"));
}

/**
 * Building and updating the document without a framework.
 *
 * `h` is the only way the page makes elements, and it puts strings in text nodes, so nothing that a person or a bot
 * wrote is ever parsed as HTML. `morph` turns an element that is on screen into a freshly built one by touching only what
 * differs: a message that grows while it streams keeps its scroll position, its selection and its opened details.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an HTML element.
 * @param {string} tag e.g. `button` or `div.row.wide`
 * @param {Record<string, any>|null} [props] attributes; `on` holds listeners, `style` an object; null and false are left out
 * @param {...any} children nodes, strings, numbers, nested arrays; null and false are left out
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElement(name), classes, props, children);
}

/** Make an SVG element; same arguments as `h`. */
export function svg(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  return fill(document.createElementNS(SVG, name), classes, props, children);
}

function fill(element, classes, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") listen(element, value);
    else if (key === "class") classes.push(...String(value).split(" ").filter(Boolean));
    else if (key === "style") for (const [rule, to] of Object.entries(value)) element.style.setProperty(rule, to);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  if (classes.length) element.setAttribute("class", classes.join(" "));
  append(element, children);
  return element;
}

/** Append children the way `h` does. */
export function append(parent, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replace everything inside `parent`. */
export function replace(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

// Listeners stand in a table on the element and one dispatcher reads it, so that `morph` can hand a new table over.
const handlers = new WeakMap();

function listen(element, table) {
  const known = handlers.get(element) ?? {};
  for (const type of Object.keys(table)) if (!known[type]) element.addEventListener(type, dispatch);
  handlers.set(element, { ...known, ...table });
}

function dispatch(event) {
  handlers.get(event.currentTarget)?.[event.type]?.(event);
}

/**
 * Make `from`, which is in the document, look like `to`, which is not.
 * Elements with a `data-key` are only matched with the same key. New elements get `data-fresh` for a soft entrance.
 * @returns {Node} the node that now stands in the document
 */
export function morph(from, to) {
  if (!alike(from, to)) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return from;
  }
  morphAttributes(from, to);
  if (handlers.has(to)) listen(from, handlers.get(to));
  morphChildren(from, to);
  return from;
}

function alike(from, to) {
  return (
    from.nodeType === to.nodeType &&
    from.nodeName === to.nodeName &&
    (from.nodeType !== Node.ELEMENT_NODE || from.getAttribute("data-key") === to.getAttribute("data-key"))
  );
}

// What the reader changed stays: whether details are open, and the mark of a soft entrance that has already played.
const READERS_OWN = new Set(["open", "data-fresh"]);

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !READERS_OWN.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) === value || READERS_OWN.has(name)) continue;
    // The content policy of the page forbids style attributes, but not styles set by its own script.
    if (name === "style") from.style.cssText = value;
    else from.setAttribute(name, value);
  }
}

function morphChildren(from, to) {
  const wanted = [...to.childNodes];
  let here = from.firstChild;
  for (const child of wanted) {
    const keyed = child.nodeType === Node.ELEMENT_NODE && child.getAttribute("data-key");
    const match = keyed ? findKey(here, keyed) : here;
    if (match && alike(match, child)) {
      if (match !== here) from.insertBefore(match, here);
      here = morph(match, child).nextSibling;
    } else {
      if (child.nodeType === Node.ELEMENT_NODE) child.setAttribute("data-fresh", "");
      from.insertBefore(child, here);
      // A stale element of another kind goes now, otherwise the rest would be compared one place off.
      if (here && !keyed && !here.dataset?.key) {
        const stale = here;
        here = here.nextSibling;
        stale.remove();
      }
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

function findKey(node, key) {
  for (let next = node; next; next = next.nextSibling) {
    if (next.nodeType === Node.ELEMENT_NODE && next.getAttribute("data-key") === key) return next;
  }
  return null;
}

/**
 * Only web and mail addresses become links; `javascript:` and the like become null.
 * @param {string|undefined} url
 * @returns {string|null}
 */
export function safeUrl(url) {
  const text = String(url ?? "").trim();
  if (/^(https?:\/\/|mailto:)/i.test(text)) return text;
  // Paths of this server (files), but not `//elsewhere`.
  return /^\/(?![/\\])/.test(text) ? text : null;
}

/** A link that opens in its own tab, or plain text when the address is not a safe one. */
export function link(url, ...children) {
  const href = safeUrl(url);
  if (!href) return h("span", null, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// Elements made from texts. What comes from a run only ever becomes text.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element with attributes and children. `class` is a class; `on…` is a listener; `true` is an attribute without a value.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : printable(String(child)));
  }
  return element;
}

/** A text without what changes the direction of others, or can't be seen. @param {string} text @returns {string} */
export function printable(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Says something to whoever doesn't see the page. @param {string} text */
export function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

/**
 * A table: heads, and rows of cells. A head that begins with `#` is one of numbers; one that begins with `~` is heard and not seen.
 * @param {string} caption @param {string[]} heads @param {(Child | Child[])[][]} rows @returns {HTMLElement}
 */
export function table(caption, heads, rows) {
  const number = heads.map((head) => head.startsWith("#"));
  const cells = (/** @type {(Child | Child[])[]} */ row) => row.map((cell, n) => h("td", { class: number[n] ? "number" : null }, ...[cell].flat()));
  return h("div", { class: "table live lines", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", {},
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head, n) => h("th", { scope: "col", class: number[n] ? "number" : null }, head.startsWith("~") ? h("span", { class: "hidden" }, head.slice(1)) : head.replace("#", ""))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row))))));
}

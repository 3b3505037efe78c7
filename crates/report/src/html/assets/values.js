// The values of a chart as a table, for whoever does not see it and for whoever wants to copy them.

/** @typedef {{ head: string, columns: string[], rows: () => string[][] }} Sheet */

const PAGE = 200;

/**
 * A folded table that is filled when it is opened.
 * @param {string} title @param {() => Sheet} sheet @returns {HTMLDetailsElement}
 */
export function valuesTable(title, sheet) {
  const details = document.createElement("details");
  details.className = "values";
  const summary = document.createElement("summary");
  summary.textContent = "Values as a table";
  details.append(summary);
  details.addEventListener("toggle", () => {
    details.querySelector(".table")?.remove();
    details.querySelector(".pages")?.remove();
    if (details.open) fill(details, title, sheet());
  });
  return details;
}

/** @param {HTMLDetailsElement} details @param {string} title @param {Sheet} sheet */
function fill(details, title, sheet) {
  const rows = sheet.rows();
  const region = document.createElement("div");
  region.className = "table";
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", `Values of ${title}`);
  const table = region.appendChild(document.createElement("table"));
  const caption = table.createCaption();
  const head = table.createTHead().insertRow();
  for (const name of [sheet.head, ...sheet.columns]) {
    const th = head.appendChild(document.createElement("th"));
    th.scope = "col";
    th.className = "number";
    th.textContent = name;
  }
  const body = table.createTBody();
  let from = 0;
  const show = () => {
    body.replaceChildren();
    const page = rows.slice(from, from + PAGE);
    for (const cells of page) {
      const row = body.insertRow();
      for (const text of cells) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = text;
      }
    }
    caption.textContent = rows.length > PAGE ? `${title}: rows ${from + 1} to ${from + page.length} of ${rows.length}` : title;
  };
  show();
  details.append(region);
  if (rows.length > PAGE) details.append(pager(() => from, rows.length, (next) => ((from = next), show())));
}

/** @param {() => number} from @param {number} all @param {(from: number) => void} go @returns {HTMLElement} */
function pager(from, all, go) {
  const pages = document.createElement("div");
  pages.className = "pages";
  for (const [text, by] of /** @type {[string, number][]} */ ([["Previous rows", -PAGE], ["Next rows", PAGE]])) {
    const button = pages.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      const next = from() + by;
      if (next >= 0 && next < all) go(next);
    });
  }
  return pages;
}

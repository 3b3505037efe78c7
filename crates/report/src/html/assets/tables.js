// Tables that can be sorted by each column and filtered by a text.

/** @param {HTMLTableCellElement} cell @returns {number | string} */
function key(cell) {
  const value = cell.dataset.v;
  return value === undefined ? (cell.textContent ?? "").trim() : Number(value);
}

/** @param {number | string} a @param {number | string} b @returns {number} */
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return 1;
  if (typeof b === "number") return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param {HTMLTableElement} table @param {number} column @param {HTMLTableCellElement[]} heads */
function sort(table, column, heads) {
  const numbers = heads[column].classList.contains("number");
  const now = heads[column].getAttribute("aria-sort");
  const down = now === "ascending" || (now !== "descending" && numbers);
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row, at) => ({ row, at, key: key(row.cells[column]) }));
  rows.sort((a, b) => (down ? compare(b.key, a.key) : compare(a.key, b.key)) || a.at - b.at);
  body.append(...rows.map(({ row }) => row));
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
}

/** @param {HTMLElement} region @param {HTMLTableElement} table */
function filter(region, table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 6) return;
  const box = document.createElement("div");
  box.className = "filter";
  const label = box.appendChild(document.createElement("label"));
  label.append("Filter ");
  const input = label.appendChild(document.createElement("input"));
  input.type = "search";
  input.setAttribute("aria-label", `Filter: ${table.caption?.textContent ?? "table"}`);
  const told = box.appendChild(document.createElement("span"));
  told.className = "dim";
  told.setAttribute("role", "status");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(row.textContent ?? "").toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
  });
  region.before(box);
}

/** Makes all tables that are meant to be live so. */
export function startTables() {
  for (const region of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".table.live"))) {
    const table = region.querySelector("table");
    if (!table || !table.tHead || table.tBodies[0].rows.length < 2) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, column, heads));
    });
    filter(region, table);
  }
}

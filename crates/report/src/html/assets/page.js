// Begins: reads the one document and puts charts, tables and colors in their places.
import { zoomTo } from "./chart.js";
import { CHARTS, nameCharts } from "./charts.js";
import { startTables } from "./tables.js";
import { startTheme } from "./theme.js";

function start() {
  const text = document.getElementById("data")?.textContent;
  if (!text) return;
  const page = /** @type {import("./axes.js").Document} */ (JSON.parse(text));
  startTheme();
  startTables();
  /** @type {HTMLElement[]} */
  const ofName = [];
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-chart]"))) {
    const kind = figure.dataset.chart ?? "";
    if (kind.startsWith("name-")) ofName.push(figure);
    else CHARTS[kind]?.(figure, page);
  }
  if (ofName.length === 2) {
    const show = nameCharts(ofName, page);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button[data-name]"))) {
      button.addEventListener("click", () => show(Number(button.dataset.name)));
    }
  }
  document.getElementById("zoom-out")?.addEventListener("click", () => zoomTo(null));
  document.documentElement.dataset.ready = "true";
}

start();

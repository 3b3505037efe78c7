// Tests, and the numbers of one over its runs.
import { LineChart } from "/report/assets/chart.js";
import { bytes, count, digits, duration, percent, rate } from "/report/assets/format.js";
import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { badge, counted, moment, runLink, testLink, tone } from "./shown.js";

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function tests({ main }) {
  const all = await get("/tests");
  const past = (/** @type {string[]} */ statuses) =>
    h("span", { class: "past", role: "img", "aria-label": `the last runs, the newest last: ${statuses.join(", ")}` }, statuses.map((s) => h("i", { class: tone(s), title: s })));
  main.append(h("h1", {}, "Tests"), h("section", {}, all.length === 0 ? h("p", {}, "No tests have run.") :
    table("Tests, the ones that ran last first", ["test", "last run", "started", "past runs", "#runs", "#passed"], all.map((/** @type {any} */ t) => [
      h("a", { href: testLink(t.project, t.test) }, `${t.project}/${t.test}`),
      h("a", { href: runLink(t.project, t.newest.id) }, badge(t.newest.status)),
      moment(t.newest.started_ms ?? t.newest.created_ms), past(t.last), count(t.runs), percent(t.passed / t.runs),
    ]))));
  return "Tests";
}

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function test({ main, parts: [project, name], query, gone }) {
  const metrics = query.get("metrics") ?? "";
  const trend = await get(`/projects${path(project)}/tests${path(name)}/trend`, { metrics, runs: query.get("runs") });
  const own = testLink(project, name);
  const asked = h("textarea", { name: "metrics", rows: 3, cols: 48, spellcheck: "false" }, metrics || trend.metrics.map((/** @type {any} */ m) => m.id).join("\n"));
  const form = h("form", { class: "filters" }, h("label", {}, "Numbers, one a line: metric{tag:value} aggregate", asked), h("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = `${own.slice(1)}?${new URLSearchParams({ metrics: asked.value })}`;
  });
  const charts = h("div", { class: "charts" });
  main.append(
    h("h1", {}, `${project}/${name}`),
    h("p", { class: "actions" }, h("a", { href: `${own}/versions` }, "Versions"), h("a", { href: `#/runs?${new URLSearchParams({ project, test: name })}` }, "Runs")),
    changes(project, trend),
    h("section", {}, h("h2", {}, trend.runs.length === 0 ? "No runs" : `The last ${counted(trend.runs.length, "run")}`), charts, h("details", {}, h("summary", {}, "Other numbers"), form)));
  if (trend.left_out?.length > 0) main.append(h("section", {}, h("h2", {}, "Left out"), h("ul", { class: "list" }, trend.left_out.map((/** @type {string} */ why) => h("li", {}, why)))));
  // Charts are as wide as their place is once it stands in the page.
  requestAnimationFrame(() => {
    const drawn = trend.metrics.map((/** @type {any} */ metric) => draw(charts, trend, metric));
    gone.addEventListener("abort", () => { for (const chart of drawn) chart.remove(); });
  });
  return `${project}/${name}`;
}

/** How values of a metric read. @param {any} metric @returns {(value: number) => string} */
export function formatOf(metric) {
  const time = /duration|response_time|waiting|connecting|blocked|sending|receiving|tls|lag/.test(metric.key);
  if (metric.kind === "trend") return time ? (v) => duration(v, 3) : (v) => digits(v, 3);
  if (metric.kind === "rate" || metric.key === "generator_cpu") return percent;
  if (metric.key.startsWith("data_")) return metric.aggregate === "rate" ? (v) => `${bytes(v)}/s` : bytes;
  return metric.aggregate === "rate" ? (v) => `${rate(v)}/s` : (v) => digits(v, 3);
}

/** @param {HTMLElement} place @param {any} trend @param {any} metric @returns {LineChart} */
function draw(place, trend, metric) {
  const x = trend.runs.map((/** @type {any} */ _, /** @type {number} */ n) => n + 1);
  const format = formatOf(metric);
  const figure = place.appendChild(h("figure", { class: "chart" }, h("figcaption", {}, h("h3", {}, metric.id))));
  const run = (/** @type {number} */ n) => trend.runs[Math.round(n) - 1];
  const marks = (/** @type {any} */ u) => {
    const style = getComputedStyle(document.documentElement);
    for (const change of metric.changes) {
      const at = u.valToPos(change.run + 0.5, "x", true);
      u.ctx.save();
      u.ctx.strokeStyle = style.getPropertyValue(change.outcome === "improved" ? "--good" : "--bad");
      u.ctx.setLineDash([4, 4]);
      u.ctx.beginPath();
      u.ctx.moveTo(at, u.bbox.top);
      u.ctx.lineTo(at, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
      u.ctx.restore();
    }
  };
  return new LineChart(figure, {
    title: metric.id, x, time: false, end: Math.max(x.length, 2), points: true, span: true, format, headX: "run", draw: marks,
    formatX: (n) => (Number.isInteger(n) && run(n) ? `${n} · ${run(n).execution.slice(-6)}` : ""),
    ticksX: () => x.filter((/** @type {number} */ n) => n % Math.ceil(x.length / 5 || 1) === 0),
    lines: [{ label: metric.aggregate, values: metric.values, color: "c1" }],
  });
}

/** Where numbers changed for good. @param {string} project @param {any} trend @returns {HTMLElement} */
function changes(project, trend) {
  const all = trend.metrics.flatMap((/** @type {any} */ metric) => metric.changes.map((/** @type {any} */ change) => ({ metric, change })));
  all.sort((/** @type {any} */ a, /** @type {any} */ b) => b.change.run - a.change.run);
  const by = (/** @type {number | null} */ change) => (change === null ? "" : `${change > 0 ? "+" : "−"}${percent(Math.abs(change))}`);
  const rows = all.map((/** @type {any} */ { metric, change }) => [
    badgeOf(change.outcome), metric.id, by(change.change), formatOf(metric)(change.before), formatOf(metric)(change.after),
    [h("a", { href: runLink(project, change.execution) }, change.execution), ...(change.also ?? []).map((/** @type {string} */ text) => h("span", { class: "dim" }, text))],
    change.commit?.slice(0, 12) ?? "–",
  ]);
  return h("section", {}, h("h2", {}, "Changes"), rows.length === 0
    ? h("p", { class: "note" }, `None of ${percent(trend.min_effect)} or more in ${counted(trend.runs.length, "run")}.`)
    : table("Where numbers changed for good, the newest first", ["~outcome", "number", "#change", "#before", "#after", "from run", "commit"], rows));
}

/** @param {string} outcome @returns {HTMLElement} */
function badgeOf(outcome) {
  return h("span", { class: `status ${outcome === "improved" ? "good" : "bad"}` }, outcome);
}

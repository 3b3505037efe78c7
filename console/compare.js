// Two to five runs side by side; the others are compared with the first.
import { count, percent } from "/report/assets/format.js";
import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { intervals } from "./interval.js";
import { badge, moment, runLink } from "./shown.js";
import { formatOf } from "./tests.js";

/** @type {Record<string, string>} */
const TONES = { regressed: "bad", improved: "good", unchanged: "", undecided: "warn", "not-comparable": "warn" };

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function compare({ main, query }) {
  const project = query.get("project") ?? "";
  const ids = (query.get("runs") ?? "").split(",").filter(Boolean);
  main.append(h("h1", {}, "Compare runs"), await chosen(project, query.get("test") ?? "", ids));
  if (ids.length < 2) return "Compare";
  const all = await get(`/projects${path(project)}/comparisons`, { executions: ids.join(",") });
  for (const other of all.slice(1)) main.append(difference(all[0], other));
  main.append(sideBySide(project, all));
  return "Compare";
}

/** Which runs are compared. @param {string} project @param {string} test @param {string[]} ids @returns {Promise<HTMLElement>} */
async function chosen(project, test, ids) {
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ value) =>
    h("label", {}, label, h("input", { name, value, list: name === "runs" ? "known" : null, size: name === "runs" ? 56 : 16, spellcheck: "false", autocomplete: "off" }));
  const known = project ? (await get("/executions", { project, test, limit: 50 })).executions : [];
  const first = ids.length > 0 ? `${ids.join(",")},` : "";
  const form = h("form", { class: "filters" }, field("project", "Project", project), field("runs", "Runs, separated by commas; the first is the base", ids.join(",")),
    h("datalist", { id: "known" }, known.filter((/** @type {any} */ r) => !ids.includes(r.id)).map((/** @type {any} */ r) => h("option", { value: first + r.id }, `${r.test} ${r.status}`))),
    h("button", { type: "submit" }, "Compare"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    location.hash = `/compare?${new URLSearchParams({ project: String(given.get("project")), runs: String(given.get("runs")), ...(test ? { test } : {}) })}`;
  });
  return h("section", {}, form);
}

/** @param {string} project @param {any[]} all @returns {HTMLElement} */
function sideBySide(project, all) {
  const heads = ["~figure", ...all.map((_, n) => (n === 0 ? "#base" : `#run ${n + 1}`))];
  const keys = [...new Set(all.flatMap((one) => Object.keys(one.summary?.metrics ?? {})))].filter((key) => !key.includes("{")).sort();
  const facts = [
    ["run", ...all.map((one) => h("a", { href: runLink(project, one.execution.id) }, one.execution.id.slice(-10)))],
    ["status", ...all.map((one) => badge(one.execution.status))],
    ["started", ...all.map((one) => moment(one.execution.started_ms))],
    ["version", ...all.map((one) => h("code", {}, one.execution.version.slice(0, 8)))],
    ["commit", ...all.map((one) => one.execution.trigger.commit?.slice(0, 10) ?? "–")],
    ["requests", ...all.map((one) => (one.execution.applied ? count(one.execution.applied.http_reqs) : "–"))],
  ];
  const values = keys.flatMap((key) => {
    const kind = all.map((one) => one.summary?.metrics[key]?.type).find(Boolean);
    const aggregates = kind === "trend" ? ["med", "p(95)", "p(99)"] : kind === "rate" ? ["rate"] : kind === "counter" ? ["count", "rate"] : ["max"];
    return aggregates.map((aggregate) => {
      const format = formatOf({ key, kind, aggregate });
      const value = (/** @type {any} */ one) => one.summary?.metrics[key]?.values[aggregate];
      return [`${key} ${aggregate}`, ...all.map((one) => (value(one) == null ? "–" : format(value(one))))];
    });
  });
  return h("section", {}, h("h2", {}, "Side by side"), table("Figures of the runs, side by side", heads, [...facts, ...values]));
}

/** @param {any} base @param {any} other @returns {HTMLElement} */
function difference(base, other) {
  const title = `${other.execution.id.slice(-10)} against ${base.execution.id.slice(-10)}`;
  if (!other.comparison) return h("section", {}, h("h2", {}, title), h("p", { class: "note" }, other.problem ?? "can't be compared"));
  const { comparison } = other;
  const by = (/** @type {number | null | undefined} */ ratio) => (ratio == null ? "–" : `${ratio >= 1 ? "+" : "−"}${percent(Math.abs(ratio - 1))}`);
  const span = (/** @type {any} */ gate) => (gate.ratio == null ? "–" : `${by(gate.ratio.low)} to ${by(gate.ratio.high)}`);
  const ratios = comparison.gates.flatMap((/** @type {any} */ gate) => gate.ratio ?? []);
  const drawn = intervals(ratios, comparison.min_effect);
  const rows = comparison.gates.map((/** @type {any} */ gate) => [
    h("span", { class: `status ${TONES[gate.outcome] ?? ""}` }, gate.outcome), gate.id, by(gate.ratio?.estimate), span(gate), gate.ratio && drawn(gate.ratio), gate.note ?? "",
  ]);
  return h("section", {}, h("h2", {}, title, " ", h("span", { class: `status ${TONES[comparison.outcome] ?? ""}` }, comparison.outcome)),
    table(`Changes: ${title}`, ["~outcome", "number", "#change", "#interval", "drawn", "~note"], rows),
    ratios.length > 0 && h("p", { class: "note" }, `Drawn on a log scale: the dashed line is no change, the band is what is too small to matter, ${percent(comparison.min_effect)}.`),
    comparison.obstacles?.length > 0 && h("ul", { class: "list" }, comparison.obstacles.map((/** @type {string} */ text) => h("li", {}, text))));
}

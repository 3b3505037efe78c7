// The list of runs, with filters that stand in the address.
import { get } from "./api.js";
import { h, table } from "./dom.js";
import { badge, moment, origin, requests, runLink, testLink, took } from "./shown.js";

const STATUSES = ["passed", "failed", "inconclusive", "errored", "aborted", "running"];
const DAY_MS = 86_400_000;
const TIMES = /** @type {[string, string][]} */ ([["", "any time"], ["1", "last day"], ["7", "last 7 days"], ["30", "last 30 days"]]);
/** Compared at most. */
const MOST = 5;

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function runs({ main, query, gone }) {
  const filter = Object.fromEntries(["project", "test", "status", "branch", "days"].map((name) => [name, query.get(name) ?? ""]));
  const { days, ...asked } = filter;
  const since = days ? Date.now() - Number(days) * DAY_MS : null;
  /** @type {Set<string>} */
  const picked = new Set();
  const compared = h("a", { href: "#/compare", "aria-disabled": "true" }, "Compare the chosen runs");
  const list = h("div");
  const more = h("button", { type: "button", hidden: true }, "Older runs");
  const found = h("p", { class: "dim", role: "status" });
  /** @type {(HTMLElement | string | (HTMLElement | string)[])[][]} */
  let rows = [];

  const pick = (/** @type {import("./shown.js").Row} */ run) => {
    const box = h("input", { type: "checkbox", "aria-label": `Choose ${run.test} ${run.id} for a comparison` });
    box.addEventListener("change", () => {
      if (box.checked) picked.add(`${run.project}/${run.id}`);
      else picked.delete(`${run.project}/${run.id}`);
      choose();
    });
    return box;
  };
  const choose = () => {
    const all = [...picked].map((name) => name.split("/"));
    const projects = new Set(all.map(([project]) => project));
    const fits = all.length >= 2 && all.length <= MOST && projects.size === 1;
    compared.setAttribute("aria-disabled", String(!fits));
    const ids = all.map(([, id]) => id).sort().join(",");
    compared.href = fits ? `#/compare?${new URLSearchParams({ project: all[0][0], runs: ids })}` : "#/compare";
    compared.textContent = fits ? `Compare ${all.length} runs` : "Choose two to five runs of a project to compare";
  };
  const load = async (/** @type {string | null} */ after) => {
    const page = await get("/executions", { ...asked, since, after });
    if (gone.aborted) return;
    rows = rows.concat(page.executions.map((/** @type {import("./shown.js").Row} */ run) => [
      pick(run),
      [badge(run.status)],
      [h("a", { href: testLink(run.project, run.test) }, `${run.project}/${run.test}`), h("span", { class: "dim" }, run.engine)],
      [h("a", { href: runLink(run.project, run.id) }, run.id), ...(run.reason && run.status !== "passed" ? [h("span", { class: "dim" }, run.reason)] : [])],
      moment(run.started_ms ?? run.created_ms), took(run), requests(run.requests), origin(run),
    ]));
    const heads = ["~chosen", "status", "test", "run", "started", "#took", "#requests", "by"];
    list.replaceChildren(rows.length > 0 ? table("Runs, the newest first", heads, rows) : h("p", {}, Object.values(filter).some(Boolean) ? "No run matches these filters." : "No runs. Start one with floodgate run FILE."));
    found.textContent = `${rows.length} shown${page.next ? "; there are older ones" : ""}${page.damaged.length > 0 ? `; ${page.damaged.length} can't be read: ${page.damaged[0]}` : ""}`;
    more.hidden = page.next === null;
    more.onclick = () => load(page.next);
  };

  main.append(
    h("h1", {}, "Runs"),
    h("section", {},
      filters(filter),
      h("p", { class: "actions" }, compared, found)),
    h("section", {}, list, h("p", { class: "actions" }, more)));
  choose();
  await load(null);
  return "Runs";
}

/** @param {Record<string, string>} filter @returns {HTMLElement} */
function filters(filter) {
  const text = (/** @type {string} */ name, /** @type {string} */ label) =>
    h("label", {}, label, h("input", { name, value: filter[name], autocomplete: "off", spellcheck: "false" }));
  const choice = (/** @type {string} */ name, /** @type {string} */ label, /** @type {[string, string][]} */ options) =>
    h("label", {}, label, h("select", { name }, options.map(([value, shown]) => h("option", { value, selected: filter[name] === value }, shown))));
  const form = h("form", { class: "filters", "aria-label": "Filters" },
    text("project", "Project"), text("test", "Test"), text("branch", "Branch"),
    choice("status", "Status", [["", "any"], ...STATUSES.map((s) => /** @type {[string, string]} */ ([s, s]))]),
    choice("days", "Started", TIMES),
    h("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].filter(([, value]) => value !== "").map(([name, value]) => [name, String(value)]);
    const query = new URLSearchParams(given).toString();
    location.hash = query ? `/runs?${query}` : "/runs";
  });
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) form.requestSubmit();
  });
  return form;
}

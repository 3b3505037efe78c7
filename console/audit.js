// Who did what in a project.
import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { badge, moment, runLink } from "./shown.js";

/** Entries that are shown at a time. */
const PAGE = 50;
/** Outcomes that are shown as those of runs are. */
const OUTCOMES = ["passed", "failed", "inconclusive", "errored", "aborted"];

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function audit({ main, query, gone }) {
  const tests = await get("/tests");
  const projects = [...new Set(tests.map((/** @type {any} */ t) => /** @type {string} */ (t.project)))].sort();
  const project = query.get("project") ?? projects[0];
  const choose = h("select", { name: "project" }, projects.map((name) => h("option", { value: name, selected: name === project }, name)));
  choose.addEventListener("change", () => { location.hash = `/audit?${new URLSearchParams({ project: choose.value })}`; });
  main.append(h("h1", {}, "Audit"));
  if (!project) {
    main.append(h("section", {}, h("p", {}, "Nothing has been done yet.")));
    return "Audit";
  }
  const list = h("div");
  const more = h("button", { type: "button", hidden: true }, "Older entries");
  /** @type {(HTMLElement | string | (HTMLElement | string)[])[][]} */
  let rows = [];
  const load = async () => {
    // One more shows whether there are older ones.
    const trail = await get(`/projects${path(project)}/audit`, { skip: rows.length, limit: PAGE + 1 });
    if (gone.aborted) return;
    rows = rows.concat(trail.slice(0, PAGE).map((/** @type {any} */ e) => [
      moment(e.at_ms), [e.principal, h("span", { class: "dim" }, e.principal_is)], e.action,
      // Budgets and the like are of no run.
      e.execution ? h("a", { href: runLink(project, e.execution) }, e.execution) : "–", OUTCOMES.includes(e.outcome) ? badge(e.outcome) : e.outcome,
    ]));
    const heads = ["when", "who", "did", "run", "outcome"];
    list.replaceChildren(rows.length > 0 ? table(`Audit trail of ${project}, the newest entry first`, heads, rows) : h("p", {}, "Nothing has been done yet."));
    more.hidden = trail.length <= PAGE;
  };
  more.addEventListener("click", load);
  main.append(h("section", {}, h("p", { class: "filters" }, h("label", {}, "Project", choose))),
    h("section", {}, list, h("p", { class: "actions" }, more)));
  await load();
  return "Audit";
}

// Who did what in a project.
import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { badge, moment, runLink } from "./shown.js";

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function audit({ main, query }) {
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
  const trail = await get(`/projects${path(project)}/audit`);
  const known = ["passed", "failed", "inconclusive", "errored", "aborted"];
  main.append(h("section", {}, h("p", { class: "filters" }, h("label", {}, "Project", choose))), h("section", {},
    trail.length === 0 ? h("p", {}, "Nothing has been done yet.") :
      table(`Audit trail of ${project}, the newest entry first`, ["when", "who", "did", "run", "outcome"], trail.map((/** @type {any} */ e) => [
        moment(e.at_ms), [e.principal, h("span", { class: "dim" }, e.principal_is)], e.action,
        h("a", { href: runLink(project, e.execution) }, e.execution), known.includes(e.outcome) ? badge(e.outcome) : e.outcome,
      ]))));
  return "Audit";
}

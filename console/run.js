// One run: live while it goes on, then its report.
import { get, path, post, reportUrl } from "./api.js";
import { h } from "./dom.js";
import { live } from "./live.js";
import { APART } from "./session.js";
import { badge, moment, testLink } from "./shown.js";

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function run(place) {
  const { main, parts: [project, id], gone } = place;
  const at = `/projects${path(project)}/executions${path(id)}`;
  const shown = await get(at);
  if (gone.aborted) return "";
  const { execution } = shown;
  const open = !["passed", "failed", "inconclusive", "errored", "aborted"].includes(execution.status);
  const page = shown.has_report ? await reportUrl(project, execution.id) : null;
  if (gone.aborted) return "";
  const again = () => { if (!gone.aborted) dispatchEvent(new HashChangeEvent("hashchange")); };
  const trigger = execution.trigger.principal ?? execution.trigger.kind;
  main.append(
    h("h1", {}, h("a", { href: testLink(project, execution.test) }, `${project}/${execution.test}`), " ", badge(execution.status)),
    h("p", { class: "dim" }, execution.id, " · ", moment(execution.started_ms ?? execution.created_ms), ` · by ${trigger}`),
    h("p", { class: "actions" },
      h("a", { href: `#/compare?${new URLSearchParams({ project, runs: execution.id, test: execution.test })}` }, "Compare with another run"),
      h("a", { href: `${testLink(project, execution.test)}/versions` }, "Versions of the test"),
      page && alone(page, execution.id),
      open && stop(at, execution.test)));
  if (open) await live(place, at, again);
  else if (page) {
    main.append(h("iframe", { class: "report", src: page, title: `Report of ${execution.test} ${execution.id}`, sandbox: "allow-scripts allow-downloads" }));
  } else {
    const why = execution.reasons.length > 0 ? execution.reasons : ["This run has no report: floodgate report writes one."];
    main.append(h("section", {}, h("h2", {}, "No report"), h("ul", { class: "list" }, why.map((/** @type {string} */ text) => h("li", {}, text)))));
  }
  return `${execution.test}: ${execution.status}`;
}

/**
 * The report without the console. One that was fetched here would be opened as a page of this origin, so it is only saved.
 * @param {string} page @param {string} id @returns {HTMLElement}
 */
function alone(page, id) {
  return APART
    ? h("a", { href: page, download: `${id}.html` }, "Save the report")
    : h("a", { href: page, target: "_blank", rel: "noopener" }, "Report alone");
}

/** @param {string} at @param {string} test @returns {HTMLElement} */
function stop(at, test) {
  const told = h("p", { role: "alert" });
  const yes = h("button", { type: "button", class: "stop" }, "Stop the run");
  const dialog = h("dialog", { "aria-label": "Stop the run" },
    h("p", {}, `${test} stops in order: what is under way may end, and what was measured is kept.`), told,
    h("p", { class: "actions" }, yes, h("button", { type: "button", onclick: () => dialog.close() }, "Let it run")));
  yes.addEventListener("click", async () => {
    try {
      await post(`${at}/abort`);
      dialog.close();
    } catch (error) {
      told.textContent = error instanceof Error ? error.message : String(error);
    }
  });
  return h("span", {}, h("button", { type: "button", class: "stop", onclick: () => dialog.showModal() }, "Stop"), dialog);
}

// How runs look wherever they stand.
import { count, duration } from "/report/assets/format.js";
import { h } from "./dom.js";

/**
 * @typedef {{ id: string, project: string, test: string, version: string, status: string, engine: string, created_ms: number,
 *   started_ms: number | null, ended_ms: number | null, requests: number | null, reason: string | null, trigger: string,
 *   principal: string | null, branch: string | null, commit: string | null, build_url: string | null }} Row
 */

/** @type {Record<string, [string, string]>} */
const STATUSES = {
  passed: ["✓", "good"], failed: ["✗", "bad"], errored: ["✗", "bad"], inconclusive: ["?", "warn"], aborted: ["■", "warn"],
};

/** @param {string} status @returns {string} */
export function tone(status) {
  return STATUSES[status]?.[1] ?? "";
}

/** @param {string} status @returns {HTMLElement} */
export function badge(status) {
  return h("span", { class: `status ${tone(status)}` }, `${STATUSES[status]?.[0] ?? "…"} ${status}`);
}

/** @param {number | null} ms @returns {HTMLElement | string} */
export function moment(ms) {
  if (ms === null) return "–";
  const time = new Date(ms);
  return h("time", { datetime: time.toISOString(), title: time.toISOString() }, time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
}

/** @param {Row} run @returns {string} */
export function took(run) {
  return run.started_ms === null || run.ended_ms === null ? "–" : duration(run.ended_ms - run.started_ms, 3);
}

/** @param {number | null} n @returns {string} */
export function requests(n) {
  return n === null ? "–" : count(n);
}

/** @param {string} project @param {string} id @returns {string} */
export function runLink(project, id) {
  return `#/runs/${encodeURIComponent(project)}/${encodeURIComponent(id)}`;
}

/** @param {string} project @param {string} test @returns {string} */
export function testLink(project, test) {
  return `#/tests/${encodeURIComponent(project)}/${encodeURIComponent(test)}`;
}

/** A link to a page elsewhere, if it is one of the web; else its text. @param {string | null} url @param {string} text @returns {HTMLElement | string} */
export function outside(url, text) {
  return url !== null && /^https?:\/\//i.test(url) ? h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, text) : text;
}

/** Who started it, and for what. @param {Row} run @returns {(HTMLElement | string)[]} */
export function origin(run) {
  const who = run.principal ?? run.trigger;
  const what = [run.branch, run.commit?.slice(0, 10)].filter(Boolean).join(" @ ");
  return [outside(run.build_url, who), ...(what ? [h("span", { class: "dim" }, what)] : [])];
}

/** `1 run`, `2 runs`. @param {number} n @param {string} one @returns {string} */
export function counted(n, one) {
  return `${count(n)} ${one}${n === 1 ? "" : "s"}`;
}

// The versions of a test, and what differs between two.
import { count } from "/report/assets/format.js";
import { get, path } from "./api.js";
import { h, table } from "./dom.js";
import { moment, testLink } from "./shown.js";

/** Lines around a change that are shown. */
const AROUND = 3;
/** Lines of a file that are compared. */
const MOST = 4_000;

/** @param {import("./app.js").Place} place @returns {Promise<string>} */
export async function versions({ main, parts: [project, test], query }) {
  const at = `/projects${path(project)}/tests${path(test)}/versions`;
  const all = await get(at);
  const base = query.get("base") ?? all[1]?.version;
  const head = query.get("head") ?? all[0]?.version;
  const own = `${testLink(project, test)}/versions`;
  const link = (/** @type {string} */ version, /** @type {string} */ side) => {
    const both = { base: side === "base" ? version : base ?? version, head: side === "head" ? version : head };
    const chosen = version === (side === "base" ? base : head);
    return h("a", { href: `${own}?${new URLSearchParams(both)}`, "aria-current": chosen ? "true" : null }, chosen ? `${side} ✓` : side);
  };
  main.append(
    h("h1", {}, h("a", { href: testLink(project, test) }, `${project}/${test}`), " versions"),
    h("section", {}, all.length === 0 ? h("p", {}, "No version has run.") :
      table("Versions, the newest first", ["version", "compare as", "#runs", "first run", "last run", "commits"], all.map((/** @type {any} */ v) => [
        h("code", {}, v.version.slice(0, 12)), [link(v.version, "base"), " ", link(v.version, "head")], count(v.runs), moment(v.first_ms), moment(v.last_ms),
        v.commits.map((/** @type {string} */ c) => c.slice(0, 10)).join(", ") || "–",
      ]))));
  if (head) main.append(await difference(at, base === head ? undefined : base, head));
  return `${project}/${test}: versions`;
}

/** @param {string} at @param {string | undefined} base @param {string} head @returns {Promise<HTMLElement>} */
async function difference(at, base, head) {
  const text = async (/** @type {string} */ version) => JSON.stringify(await get(`${at}${path(version)}`), null, 2);
  try {
    const [after, before] = await Promise.all([text(head), base ? text(base) : text(head)]);
    const lines = diff(before.split("\n").slice(0, MOST), after.split("\n").slice(0, MOST));
    const title = base ? `From ${base.slice(0, 12)} to ${head.slice(0, 12)}` : `Version ${head.slice(0, 12)}`;
    const shown = base ? near(lines) : lines;
    const same = base && lines.every(([kind]) => kind === " ");
    return h("section", {}, h("h2", {}, title), same ? h("p", { class: "note" }, "The definitions are the same; a file beside them differs.") :
      h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": title }, shown.map(([kind, line]) =>
        h("span", { class: kind === "+" ? "added" : kind === "-" ? "removed" : kind === "…" ? "gap" : null }, `${kind} ${line}`))));
  } catch (error) {
    return h("section", { class: "problem" }, h("p", {}, error instanceof Error ? error.message : String(error)));
  }
}

/**
 * The longest common subsequence of lines: what stayed (" "), what went ("-"), what came ("+").
 * @param {string[]} a @param {string[]} b @returns {[string, string][]}
 */
export function diff(a, b) {
  let begin = 0;
  while (begin < a.length && begin < b.length && a[begin] === b[begin]) begin += 1;
  let end = 0;
  while (end < a.length - begin && end < b.length - begin && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [x, y] = [a.slice(begin, a.length - end), b.slice(begin, b.length - end)];
  const long = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i -= 1) {
    for (let j = y.length - 1; j >= 0; j -= 1) long[i][j] = x[i] === y[j] ? long[i + 1][j + 1] + 1 : Math.max(long[i + 1][j], long[i][j + 1]);
  }
  /** @type {[string, string][]} */
  const all = a.slice(0, begin).map((line) => [" ", line]);
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      all.push([" ", x[i]]);
      i += 1;
      j += 1;
    } else if (j >= y.length || (i < x.length && long[i + 1][j] >= long[i][j + 1])) {
      all.push(["-", x[i]]);
      i += 1;
    } else {
      all.push(["+", y[j]]);
      j += 1;
    }
  }
  return all.concat(a.slice(a.length - end).map((line) => [" ", line]));
}

/** Without the lines that are far from any change. @param {[string, string][]} lines @returns {[string, string][]} */
function near(lines) {
  const changed = lines.map(([kind]) => kind !== " ");
  const kept = lines.map((_, n) => changed.slice(Math.max(n - AROUND, 0), n + AROUND + 1).some(Boolean));
  /** @type {[string, string][]} */
  const shown = [];
  lines.forEach((line, n) => {
    if (kept[n]) shown.push(line);
    else if (n === 0 || kept[n - 1]) shown.push(["…", ""]);
  });
  return shown;
}

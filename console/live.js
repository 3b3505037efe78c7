// A run that goes on: its figures each second.
import { LineChart } from "/report/assets/chart.js";
import { clock, count, duration, percent, rate } from "/report/assets/format.js";
import { get } from "./api.js";
import { h } from "./dom.js";

const EVERY_MS = 1_000;
/** After a request that failed. */
const PATIENCE_MS = 5_000;
/** Seconds that are drawn. */
const DRAWN = 900;

/**
 * @typedef {{ p50: number, p95: number, p99: number }} Times
 * @typedef {{ phase: string, elapsed_s: number, total_s: number, offered_per_s: number | null, iterations_per_s: number, requests_per_s: number,
 *   iterations: number, requests: number, dropped: number, response_ms: Times | null, recent_response_ms: Times | null, error_ratio: number,
 *   recent_error_ratio: number, checks_ratio: number | null, vus: number, max_vus: number, tasks: Record<string, number>,
 *   stopping: string | null, seeking: string | null }} Figures
 */

/** Draws until the run ends, then calls `ended`. @param {import("./app.js").Place} place @param {string} at @param {() => void} ended */
export async function live({ main, gone }, at, ended) {
  const tiles = h("dl", { class: "tiles" });
  const state = h("p", { class: "dim", role: "status" });
  const charts = h("div", { class: "charts" });
  main.append(h("section", {}, h("h2", { class: "hidden" }, "Progress"), state, tiles, charts));
  const drawn = new Drawn(charts);
  gone.addEventListener("abort", () => drawn.remove());
  const look = async () => {
    let wait = EVERY_MS;
    try {
      const now = await get(`${at}/live`);
      if (gone.aborted) return;
      if (now.is_final) return ended();
      if (now.figures) {
        tiles.replaceChildren(...numbers(now.figures));
        state.textContent = sentence(now.figures);
        drawn.add(now.figures);
      } else {
        state.textContent = now.blind ? `Its progress can't be shown: ${now.blind}` : "The run is being prepared.";
      }
    } catch (error) {
      if (gone.aborted) return;
      state.textContent = `${error instanceof Error ? error.message : error}; the run goes on, trying again`;
      wait = PATIENCE_MS;
    }
    setTimeout(look, wait);
  };
  await look();
}

/** @param {Figures} now @returns {string} */
function sentence(now) {
  if (now.stopping) return `Stopping: ${now.stopping}`;
  if (now.phase === "waiting") return "Waiting for the generators";
  if (now.phase === "merging") return "Merging";
  const of = now.total_s > 0 ? ` of ${clock(now.total_s)}` : "";
  return `${clock(now.elapsed_s)}${of}${now.seeking ? ` · ${now.seeking}` : ""}`;
}

/** @param {Figures} now @returns {HTMLElement[]} */
function numbers(now) {
  const tile = (/** @type {string} */ label, /** @type {string} */ value, /** @type {string} */ note, tone = "") =>
    h("div", { class: "tile" }, h("dt", {}, label), h("dd", { class: tone }, value), h("dd", { class: "dim" }, note));
  const times = now.recent_response_ms;
  const tasks = Object.entries(now.tasks).filter(([, n]) => n > 0).map(([state, n]) => `${n} ${state}`).join(", ");
  const offered = now.offered_per_s === null ? "" : `of ${rate(now.offered_per_s)}/s planned`;
  return [
    tile("iterations", `${rate(now.iterations_per_s)}/s`, offered || `${count(now.iterations)} done`),
    tile("requests", `${rate(now.requests_per_s)}/s`, `${count(now.requests)} sent`),
    tile("response p95", times ? duration(times.p95, 3) : "–", times ? `p50 ${duration(times.p50, 3)}, p99 ${duration(times.p99, 3)}` : "no response yet"),
    tile("failed", percent(now.error_ratio), `now ${percent(now.recent_error_ratio)}`, now.error_ratio > 0 ? "bad" : ""),
    tile("dropped", count(now.dropped), "iterations", now.dropped > 0 ? "bad" : ""),
    tile("VUs", count(now.vus), `of ${count(now.max_vus)}`),
    tile("generators", tasks || "–", now.checks_ratio === null ? "" : `checks ${percent(now.checks_ratio)}`),
  ];
}

/** Charts that grow. */
class Drawn {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {number[]} */
    this.x = [];
    /** @type {Figures[]} */
    this.seen = [];
    /** @type {LineChart[]} */
    this.charts = [];
    this.end = 0;
  }

  /** @param {Figures} now */
  add(now) {
    const second = Math.round(now.elapsed_s);
    if (second <= (this.x[this.x.length - 1] ?? 0)) return;
    this.x.push(second);
    this.seen.push(now);
    if (this.x.length > DRAWN) {
      this.x.shift();
      this.seen.shift();
    }
    const end = this.wholeTime(now);
    if (end !== this.end) {
      this.remove();
      this.end = end;
      const figure = (/** @type {string} */ title) => this.place.appendChild(h("figure", { class: "chart" }, h("figcaption", {}, h("h3", {}, title))));
      this.charts = this.specs().map((spec) => new LineChart(figure(spec.title), spec));
    } else this.specs().forEach((spec, n) => this.charts[n].replace(spec));
  }

  /** As long as is planned; where nothing is, or it takes longer, whole minutes. @param {Figures} now @returns {number} */
  wholeTime(now) {
    const most = Math.max(this.x[this.x.length - 1], 1);
    return now.total_s >= most ? now.total_s : Math.ceil(most / 60) * 60;
  }

  remove() {
    for (const chart of this.charts) chart.remove();
    this.charts = [];
    this.place.replaceChildren();
  }

  specs() {
    const { x, seen, end } = this;
    const of = (/** @type {(f: Figures) => number | null | undefined} */ pick) => seen.map((f) => pick(f) ?? null);
    const ms = (/** @type {number} */ v) => duration(v, 3);
    const perS = (/** @type {number} */ v) => `${rate(v)}/s`;
    return [
      { title: "Load", x, end, format: perS, lines: [
        { label: "planned", values: of((f) => f.offered_per_s), color: "c9", dash: [6, 4] },
        { label: "iterations", values: of((f) => f.iterations_per_s), color: "c1" },
        { label: "requests", values: of((f) => f.requests_per_s), color: "c3" }] },
      { title: "Response time", x, end, format: ms, lines: [
        { label: "p50", values: of((f) => f.recent_response_ms?.p50), color: "q1" },
        { label: "p95", values: of((f) => f.recent_response_ms?.p95), color: "q3" },
        { label: "p99", values: of((f) => f.recent_response_ms?.p99), color: "q4" }] },
      { title: "Failed requests", x, end, format: percent, lines: [{ label: "failed", values: of((f) => f.recent_error_ratio), color: "c2" }] },
      { title: "VUs", x, end, format: count, lines: [{ label: "running", values: of((f) => f.vus), color: "c4" }] },
    ];
  }
}

// Which chart shows what.
import { inMs, perSecond, seconds, spread } from "./axes.js";
import { LineChart } from "./chart.js";
import { distributionChart } from "./distribution.js";
import { bytes, duration, number, percent, rate } from "./format.js";
import { HeatChart } from "./heat.js";
import { color } from "./theme.js";

/**
 * @typedef {import("./axes.js").Document} Document
 * @typedef {import("./axes.js").Figures} Figures
 * @typedef {import("./axes.js").Quantiles} Quantiles
 * @typedef {import("./chart.js").Spec} Spec
 */

const QUANTILES = /** @type {const} */ ([
  ["p50", "q1", 2.25],
  ["p90", "q2", 1.75],
  ["p95", "q3", 1.75],
  ["p99", "q4", 1.75],
  ["max", "q5", 1],
]);

/** @param {string} title @param {Quantiles} slots @param {import("./axes.js").Axis} axis @param {number} end @param {boolean} steps whether a value is shown for its whole slot @returns {Spec} */
function times(title, slots, axis, end, steps) {
  const most = slots.max.reduce((/** @type {number} */ most, us) => Math.max(most, us ?? 0), 0);
  const middle = slots.p50.filter((us) => us !== null).sort((a, b) => a - b);
  const median = middle[Math.floor(middle.length / 2)] ?? 1;
  return {
    title,
    x: seconds(axis),
    end,
    log: most > 20 * Math.max(median, 1),
    format: (ms) => duration(ms, 3),
    lines: QUANTILES.map(([name, color, width]) => ({
      label: name,
      color,
      width,
      steps,
      dash: name === "max" ? [3, 3] : undefined,
      values: inMs(slots[name]),
    })),
  };
}

/** @param {Figures} figures @param {number} n @returns {[Spec, Spec]} */
function ofName(figures, n) {
  const name = figures.names[n];
  const axis = figures.by_name;
  const end = figures.seconds;
  const shown = name.name || "(no name)";
  return [
    {
      title: `Requests of ${shown}`,
      x: seconds(axis),
      end,
      format: (v) => `${rate(v)}/s`,
      lines: [
        { label: "requests", color: "c1", fill: true, values: perSecond(name.requests, axis, end) },
        { label: "failed", color: "bad", values: perSecond(name.failed, axis, end) },
      ],
    },
    times(`Times of ${shown}`, name.times, axis, end, false),
  ];
}

/** @type {Record<string, (figure: HTMLElement, page: Document) => void>} */
export const CHARTS = {
  requests: (figure, { figures: f }) => {
    new LineChart(figure, {
      title: "Requests",
      x: seconds(f.fine),
      end: f.seconds,
      format: (v) => `${rate(v)}/s`,
      lines: [
        { label: "requests", color: "c1", fill: true, values: perSecond(f.load.requests, f.fine, f.seconds) },
        { label: "failed", color: "bad", values: perSecond(f.load.failed, f.fine, f.seconds) },
      ],
    });
  },
  iterations: (figure, { figures: f }) => {
    /** @type {import("./chart.js").Line[]} */
    const lines = [];
    const { planned, started, completed, dropped } = f.load;
    if (planned) lines.push({ label: "planned", color: "dim", dash: [5, 4], steps: true, values: perSecond(planned, f.fine, f.seconds) });
    if (started) {
      const values = spread(perSecond(started, f.coarse, f.seconds), f.coarse, f.fine);
      lines.push({ label: "started when due", color: "c2", steps: true, values });
    }
    lines.push({ label: "completed", color: "c1", values: perSecond(completed, f.fine, f.seconds) });
    lines.push({ label: "dropped", color: "bad", values: perSecond(dropped, f.fine, f.seconds) });
    new LineChart(figure, { title: "Iterations", x: seconds(f.fine), end: f.seconds, format: (v) => `${rate(v)}/s`, lines });
  },
  data: (figure, { figures: f }) => {
    new LineChart(figure, {
      title: "Data",
      x: seconds(f.fine),
      end: f.seconds,
      format: (v) => `${bytes(v)}/s`,
      lines: [
        { label: "received", color: "c1", values: perSecond(f.load.received, f.fine, f.seconds) },
        { label: "sent", color: "c2", values: perSecond(f.load.sent, f.fine, f.seconds) },
      ],
    });
  },
  response: (figure, page) => time(figure, page, "http_req_response_time", "Response time"),
  service: (figure, page) => time(figure, page, "http_req_duration", "Service time"),
  sample: (figure, page) => time(figure, page, "sample_duration", "Time of other requests"),
  iteration: (figure, page) => time(figure, page, "iteration_duration", "Iteration"),
  errors: (figure, { figures: f }) => {
    new LineChart(figure, {
      title: "Errors by code",
      x: seconds(f.fine),
      end: f.seconds,
      format: (v) => `${rate(v)}/s`,
      lines: f.errors.map((error, n) => ({
        label: error.code ?? `${error.codes} more codes`,
        color: `c${(n % 9) + 1}`,
        dash: n > 4 ? [6, 3] : undefined,
        values: perSecond(error.count, f.fine, f.seconds),
      })),
    });
  },
  vus: (figure, { figures: f }) => {
    new LineChart(figure, {
      title: "VUs",
      x: seconds(f.fine),
      end: f.seconds,
      format: (v) => number(v, 6),
      lines: [
        { label: "allocated", color: "dim", dash: [5, 4], values: f.generators.vus_max },
        { label: "running", color: "c1", fill: true, values: f.generators.vus },
      ],
    });
  },
  lag: (figure, { figures: f }) => {
    const spec = times("Lag of starts", f.generators.lag, f.coarse, f.seconds, true);
    new LineChart(figure, { ...spec, lines: spec.lines.filter((line) => ["p50", "p99", "max"].includes(line.label)) });
  },
  cpu: (figure, { figures: f }) => {
    const tasks = f.generators.tasks.length > 1 ? f.generators.tasks : [];
    new LineChart(figure, {
      title: "CPU of generators",
      x: seconds(f.fine),
      end: f.seconds,
      full: 1,
      format: percent,
      lines: [
        { label: "busiest", color: "c1", width: tasks.length ? 2.5 : undefined, values: f.generators.cpu },
        ...tasks.map((task, n) => ({ label: `task ${task.task}`, color: `c${(n % 8) + 2}`, width: 1, values: task.cpu })),
      ],
    });
  },
  heat: (figure, { figures: f }) => {
    if (f.heat) new HeatChart(figure, f.heat, f.seconds);
  },
  distribution: (figure, { figures: f }) => {
    distributionChart(figure, f.times);
  },
  capacity: (figure, { capacity }) => {
    if (!capacity) return;
    const steps = capacity.steps.filter((step) => step.seen).sort((a, b) => a.load - b.load);
    const of = (/** @type {"p50_ms" | "p95_ms" | "p99_ms"} */ name) => steps.map((step) => step.seen?.[name] ?? null);
    new LineChart(figure, {
      title: "Response time by load",
      x: steps.map((step) => step.load),
      time: false,
      points: true,
      span: true,
      log: false,
      formatX: (load) => number(load, 4),
      headX: capacity.unit,
      format: (ms) => duration(ms, 3),
      lines: [
        { label: "p50", color: "q1", values: of("p50_ms") },
        { label: "p95", color: "q3", values: of("p95_ms") },
        { label: "p99", color: "q4", values: of("p99_ms") },
      ],
      draw: (u) => {
        const [low, high] = [capacity.low ?? u.scales.x.min ?? 0, capacity.high ?? u.scales.x.max ?? 0];
        const [from, to] = [u.valToPos(low, "x", true), u.valToPos(high, "x", true)];
        u.ctx.save();
        u.ctx.fillStyle = color("band");
        u.ctx.fillRect(from, u.bbox.top, Math.max(to - from, 1), u.bbox.height);
        u.ctx.restore();
      },
    });
  },
};

/** @param {HTMLElement} figure @param {Document} page @param {string} metric @param {string} title */
function time(figure, { figures: f }, metric, title) {
  const found = f.times.find((time) => time.metric === metric);
  if (found) new LineChart(figure, times(title, found.slots, found.fine ? f.fine : f.coarse, f.seconds, !found.fine));
}

/** The two charts of a name, and the list to choose it from. @param {HTMLElement[]} figures @param {Document} page @returns {(n: number) => void} */
export function nameCharts([first, second], { figures }) {
  const [requests, own] = ofName(figures, 0);
  const charts = [new LineChart(first, requests), new LineChart(second, own)];
  const label = document.createElement("label");
  label.className = "choose";
  label.append("Charts of ");
  const select = label.appendChild(document.createElement("select"));
  figures.names.forEach((name, n) => {
    const option = select.appendChild(document.createElement("option"));
    option.value = String(n);
    option.textContent = name.name || "(no name)";
  });
  const show = (/** @type {number} */ n) => {
    select.value = String(n);
    ofName(figures, n).forEach((spec, at) => charts[at].replace(spec));
  };
  select.addEventListener("change", () => show(Number(select.value)));
  first.parentElement?.before(label);
  return (n) => {
    show(n);
    label.scrollIntoView({ block: "start" });
    select.focus({ preventScroll: true });
  };
}

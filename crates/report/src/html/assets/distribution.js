// The whole distribution, as HdrHistogram plots it: each power of ten on the axis is a nine more.
import { LineChart } from "./chart.js";
import { duration, number } from "./format.js";

const NAMES = /** @type {Record<string, [string, string, number[]?]>} */ ({
  http_req_response_time: ["response time", "c1"],
  http_req_duration: ["service time", "c2", [6, 4]],
  sample_duration: ["other requests", "c3"],
  iteration_duration: ["iteration", "c4", [2, 3]],
});

/** The place of a quantile on the axis. @param {[number, number]} point @param {number} n samples @returns {number} */
function place([q], n) {
  return q >= 1 ? Math.max(n, 1) : 1 / (1 - q);
}

/** @param {number} x */
function percentile(x) {
  const digits = 2 + Math.ceil(Math.log10(Math.max(x, 1)));
  return `${number((1 - 1 / x) * 100, digits)} %`;
}

/** @param {HTMLElement} figure @param {import("./axes.js").Time[]} times */
export function distributionChart(figure, times) {
  const of = times.filter((time) => time.distribution.length > 0 && time.metric !== "iteration_duration");
  const shown = of.length ? of : times.filter((time) => time.distribution.length > 0);
  const curves = shown.map((time) => {
    const n = time.slots.count.reduce((sum, count) => sum + count, 0);
    return new Map(time.distribution.map((point) => [place(point, n), point[1] / 1e3]));
  });
  const x = [...new Set(curves.flatMap((curve) => [...curve.keys()]))].sort((a, b) => a - b);
  const nines = [1, 2, 10];
  while (nines[nines.length - 1] * 10 <= x[x.length - 1]) nines.push(nines[nines.length - 1] * 10);
  return new LineChart(figure, {
    title: "Percentile distribution",
    x,
    time: false,
    logX: true,
    span: true,
    points: false,
    log: false,
    lines: shown.map((time, n) => {
      const [label, color, dash] = NAMES[time.metric] ?? [time.metric, `c${n + 1}`];
      return { label, color, dash, values: x.map((at) => curves[n].get(at) ?? null) };
    }),
    ticksX: (u) => nines.filter((at) => at >= (u.scales.x.min ?? 1) * 0.999 && at <= (u.scales.x.max ?? 1) * 1.001),
    formatX: percentile,
    headX: "percentile",
    format: (v) => duration(v, 3),
  });
}

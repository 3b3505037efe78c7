// The document that the page draws from, and its axes.

/**
 * @typedef {{ slot_s: number, slots: number }} Axis
 * @typedef {(number | null)[]} Values
 * @typedef {{ count: number[], p50: Values, p90: Values, p95: Values, p99: Values, max: Values }} Quantiles
 * @typedef {{ metric: string, fine: boolean, slots: Quantiles, distribution: [number, number][] }} Time
 * @typedef {{ metric: string, axis: Axis, edges_us: number[], columns: [number, number][][] }} Heat
 * @typedef {{ name: string, metric: string, requests: number[], failed: number[], times: Quantiles }} Name
 * @typedef {{
 *   execution: string, start_ms: number, seconds: number, fine: Axis, coarse: Axis, by_name: Axis,
 *   load: { planned: number[] | null, started: number[] | null, completed: number[], dropped: number[], requests: number[],
 *     failed: number[], sent: number[], received: number[] },
 *   times: Time[], errors: { code: string | null, codes: number, count: number[] }[],
 *   generators: { vus: Values, vus_max: Values, cpu: Values, tasks: { task: number, cpu: Values }[], more_tasks: number, lag: Quantiles },
 *   heat: Heat | null, names: Name[], more_names: number,
 * }} Figures
 * @typedef {{ load: number, seen?: { outcome: string, p50_ms: number | null, p95_ms: number | null, p99_ms: number | null } }} Step
 * @typedef {{ low: number | null, estimate: number | null, high: number | null, unit: string, steps: Step[] }} Capacity
 * @typedef {{ figures: Figures, capacity?: Capacity }} Document
 */

/** The seconds at which slots begin. @param {Axis} axis @returns {number[]} */
export function seconds(axis) {
  return Array.from({ length: axis.slots }, (_, slot) => slot * axis.slot_s);
}

/** Counts of slots per second; the last slot may be cut short. @param {number[]} counts @param {Axis} axis @param {number} covered whole seconds @returns {number[]} */
export function perSecond(counts, axis, covered) {
  return counts.map((n, slot) => {
    const left = covered - slot * axis.slot_s;
    return n / Math.max(Math.min(axis.slot_s, left), 1);
  });
}

/** Values of one axis at the slots of a finer one: each holds for its whole slot. @param {Values} values @param {Axis} from @param {Axis} to @returns {Values} */
export function spread(values, from, to) {
  return Array.from({ length: to.slots }, (_, slot) => values[Math.floor((slot * to.slot_s) / from.slot_s)] ?? null);
}

/** Times in µs as ms. @param {Values} values @returns {Values} */
export function inMs(values) {
  return values.map((us) => (us === null ? null : us / 1e3));
}

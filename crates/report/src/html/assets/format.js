// Numbers as a person reads them: the same texts as crates/report/src/format.rs gives; a test compares them.

/**
 * A number with so many decimals, ties to even as in Rust.
 * @param {number} value @param {number} decimals @returns {string}
 */
function fixed(value, decimals) {
  const twice = value * 2 ** (decimals + 1);
  // A tie has this form, and no other number has.
  if (Number.isInteger(twice) && Math.abs(twice % 2) === 1) {
    const down = Math.floor(value * 10 ** decimals);
    const even = down % 2 === 0 ? down : down + 1;
    return (even / 10 ** decimals).toFixed(decimals);
  }
  return value.toFixed(decimals);
}

/** @param {string} text @returns {string} */
function separated(text) {
  const [whole, fraction] = text.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** @param {number} value @returns {number} */
function magnitude(value) {
  return Math.floor(Math.log10(Math.abs(value)));
}

/** `value` with `significant` digits, trailing zeros kept. @param {number} value @param {number} significant @returns {string} */
export function digits(value, significant) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : String(value);
  const size = magnitude(value);
  const decimals = Math.min(Math.max(significant - 1 - size, 0), 9);
  const text = fixed(value, decimals);
  const shown = Number(text);
  const grown = shown !== 0 && magnitude(shown) > size;
  return separated(grown && decimals > 0 ? fixed(value, decimals - 1) : text);
}

/** @param {number} n @returns {string} */
export function count(n) {
  return separated(String(n));
}

/** A number beside a text: no trailing zeros. @param {number} value @param {number} significant @returns {string} */
export function number(value, significant) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return separated(value.toFixed(0));
  const text = digits(value, significant);
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/** A time in ms in the unit that suits it. @param {number} ms @param {number} significant @returns {string} */
export function duration(ms, significant) {
  if (ms === 0) return "0";
  /** @param {number} value */
  const fits = (value) => Math.abs(value) < 1e3 && !digits(Math.abs(value), significant).startsWith("1,000");
  /** @type {[number, string][]} */
  const units = [[ms * 1e3, "µs"], [ms, "ms"]];
  const [value, unit] = units.find(([value]) => fits(value)) ?? [ms / 1e3, "s"];
  return `${digits(value, significant)} ${unit}`;
}

/** A rate a second, without the unit. @param {number} perSecond @returns {string} */
export function rate(perSecond) {
  if (perSecond === 0 || perSecond >= 99.95) return count(Math.max(Math.round(perSecond), 0));
  return fixed(perSecond, 1);
}

/** Bytes in SI units. @param {number} n @returns {string} */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const size = Math.abs(n);
  const step = size < 1e3 ? 0 : Math.min(Math.trunc(Math.log10(size) / 3), units.length - 1);
  const scaled = n / 10 ** (3 * step);
  return `${step === 0 ? number(scaled, 3) : digits(scaled, 3)} ${units[step]}`;
}

/** A ratio in percent. @param {number} ratio @returns {string} */
export function percent(ratio) {
  const p = ratio * 100;
  if (p === 0) return "0 %";
  if (p > 0 && p < 0.01) return "<0.01 %";
  if (p < 100 && p > 99.99) return ">99.99 %";
  if (p === 100) return "100 %";
  return `${fixed(p, 2)} %`;
}

/** A stretch of time since the start, as `0:05`, `12:30`, `1:02:03`. @param {number} seconds @returns {string} */
export function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// Changes with their intervals, drawn one below the other on one scale.

/** @typedef {{ low: number, estimate: number, high: number }} Ratio */

/** What is beyond a third or three times as much is at the edge. */
const WIDEST = [1 / 3, 3];
const SVG = "http://www.w3.org/2000/svg";

/**
 * Draws intervals of ratios on a logarithmic scale that all of them share: half as much is as far from no change as twice as much.
 * What it draws stands beside it in words, and so is not heard.
 * @param {Ratio[]} ratios @param {number} minEffect what is too small to matter, a ratio @returns {(ratio: Ratio) => Element}
 */
export function intervals(ratios, minEffect) {
  const finite = (/** @type {number} */ v) => (Number.isFinite(v) ? v : WIDEST[1]);
  const low = Math.max(WIDEST[0], 0.99 * Math.min(1 - minEffect, ...ratios.map((r) => finite(r.low))));
  const high = Math.min(WIDEST[1], 1.01 * Math.max(1 + minEffect, ...ratios.map((r) => finite(r.high))));
  const place = (/** @type {number} */ ratio) => (Math.log(Math.min(Math.max(finite(ratio), low), high) / low) / Math.log(high / low)) * 100;
  return (ratio) => {
    const [from, at, to] = [ratio.low, ratio.estimate, ratio.high].map(place);
    const svg = shape("svg", { class: "interval", viewBox: "0 0 100 16", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(
      shape("rect", { class: "within", x: place(1 - minEffect), y: 0, width: place(1 + minEffect) - place(1 - minEffect), height: 16 }),
      shape("line", { class: "zero", x1: place(1), x2: place(1), y1: 0, y2: 16 }),
      shape("line", { class: "span", x1: from, x2: to, y1: 8, y2: 8 }),
      ...[from, to].filter((x) => x > 0 && x < 100).map((x) => shape("line", { class: "end", x1: x, x2: x, y1: 4, y2: 12 })),
      shape("rect", { class: "estimate", x: at - 0.6, y: 3, width: 1.2, height: 10 }));
    return svg;
  };
}

/** @param {string} tag @param {Record<string, string | number>} attributes @returns {Element} */
function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

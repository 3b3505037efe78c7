// Charts of lines: one cursor and one zoom for all that have time on their axis, by mouse, touch and keyboard.
import uPlot from "../vendor/uplot/uPlot.js";
import { clock } from "./format.js";
import { color, onColors } from "./theme.js";
import { valuesTable } from "./values.js";

/**
 * @typedef {{ label: string, values: (number | null)[], color: string, dash?: number[], width?: number, fill?: boolean, steps?: boolean }} Line
 * @typedef {{
 *   title: string, x: number[], lines: Line[],
 *   format: (value: number) => string, formatX?: (x: number) => string, headX?: string,
 *   end?: number, log?: boolean | null, logX?: boolean, ticksX?: (u: uPlot) => number[], full?: number,
 *   rangeY?: [number, number], span?: boolean, points?: boolean, draw?: (u: uPlot) => void, time?: boolean,
 * }} Spec
 */

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
/** @type {Set<LineChart>} */
const shared = new Set();
let zooming = false;

/** Shows the same stretch of time in all charts; without one, all of it. @param {[number, number] | null} range */
export function zoomTo(range) {
  zooming = true;
  for (const chart of shared) chart.show(range);
  zooming = false;
  const out = document.getElementById("zoom-out");
  if (out) out.hidden = range === null;
}

export class LineChart {
  /** @param {HTMLElement} figure @param {Spec} spec */
  constructor(figure, spec) {
    this.figure = figure;
    this.spec = spec;
    this.time = spec.time !== false;
    this.end = spec.end ?? spec.x[spec.x.length - 1] ?? 1;
    this.log = spec.log === true;
    this.hidden = new Set();
    this.plotted = figure.appendChild(document.createElement("div"));
    this.plotted.className = "plot";
    this.plotted.tabIndex = 0;
    this.plotted.setAttribute("role", "application");
    this.plotted.setAttribute("aria-roledescription", "chart");
    this.plotted.setAttribute("aria-label", `${spec.title}: chart. Arrow keys move the cursor, plus and minus zoom, 0 shows all. The values are in the table below.`);
    this.legend = figure.appendChild(document.createElement("div"));
    this.legend.className = "legend";
    this.buttons = spec.lines.map((line, n) => this.button(line, n));
    this.at = this.legend.appendChild(document.createElement("span"));
    this.at.className = "at";
    if (spec.log !== undefined && spec.log !== null) this.legend.append(this.logButton());
    figure.append(valuesTable(spec.title, () => this.sheet()));
    this.started = false;
    this.plot = this.make(null);
    if (this.time) shared.add(this);
    this.plotted.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.plotted);
    onColors(() => this.plot.redraw(false, true));
    this.values(null);
  }

  /** Draws other data in the same place. @param {Spec} spec */
  replace(spec) {
    this.spec = spec;
    this.plot.setData(this.data(), false);
    // The stretch of time stays; the scale of the values is another one.
    this.plot.redraw(true, true);
    this.values(null);
  }

  /** Takes it away; cursor and zoom of the others no longer reach it. */
  remove() {
    shared.delete(this);
    this.plot.destroy();
  }

  range() {
    const { min, max } = this.plot.scales.x;
    return /** @type {[number, number] | null} */ (min == null || max == null || (min <= 0 && max >= this.end) ? null : [min, max]);
  }

  /** @param {[number, number] | null} range */
  show(range) {
    const [min, max] = range ?? this.whole();
    this.plot.setScale("x", { min, max });
  }

  /** @returns {[number, number]} */
  whole() {
    return this.time ? [0, this.end] : [this.spec.x[0] ?? 0, this.end];
  }

  /** @returns {uPlot.AlignedData} */
  data() {
    const { x, lines } = this.spec;
    const lift = (/** @type {number | null} */ v) => (v !== null && v <= 0 ? null : v);
    const values = lines.map((line) => (this.log ? line.values.map(lift) : line.values));
    if (!this.time || !lines.some((line) => line.steps)) return /** @type {uPlot.AlignedData} */ ([x, ...values]);
    // The last step has a width, too.
    const ends = values.map((of, n) => [...of, lines[n].steps ? of[of.length - 1] : null]);
    return /** @type {uPlot.AlignedData} */ ([[...x, this.end], ...ends]);
  }

  /** A plot that begins with a stretch of time. @param {[number, number] | null} range @returns {uPlot} */
  make(range) {
    const { spec } = this;
    const first = range ?? this.whole();
    this.started = false;
    const line = (/** @type {string} */ name) => () => color(name);
    /** @type {uPlot.Options} */
    const options = {
      width: this.width(),
      height: this.height(),
      padding: [10, 34, 0, 0],
      legend: { show: false },
      cursor: {
        sync: this.time ? { key: "time" } : undefined,
        drag: { x: true, y: false, setScale: this.time },
        points: { size: 7 },
        bind: { dblclick: (u) => () => (this.time ? zoomTo(null) : this.show(null), null) },
      },
      scales: {
        x: { time: false, distr: spec.logX ? 3 : 1, range: (u, min, max) => (this.started && min != null ? [min, max] : first) },
        y: this.log ? { distr: 3, range: spec.rangeY } : { range: (u, min, max) => [0, Math.max(spec.full ?? 0, (max ?? 0) * 1.08) || 1] },
      },
      axes: [
        {
          stroke: line("dim"), grid: { stroke: line("grid"), width: 1 }, ticks: { stroke: line("grid"), width: 1, size: 5 },
          font: FONT, size: ROOT * 2.2, space: ROOT * 4.6, incrs: this.time ? STEPS : undefined, splits: spec.ticksX,
          filter: spec.ticksX ? (u, splits) => splits : undefined,
          values: (u, splits) => splits.map((x) => (x == null ? "" : (spec.formatX ?? clock)(x))),
        },
        {
          stroke: line("dim"), grid: { stroke: line("grid"), width: 1 }, ticks: { show: false }, font: FONT,
          splits: this.log ? ticks : undefined,
          filter: this.log ? (u, splits) => splits : undefined,
          values: (u, splits) => splits.map((v) => (v == null ? "" : short(spec.format(v)))),
          size: (u, values) => 14 + ROOT * 0.47 * Math.max(4, ...(values ?? []).map((text) => text?.length ?? 0)),
          space: 38,
        },
      ],
      series: [{}, ...spec.lines.map((l, n) => this.series(l, n))],
      hooks: {
        ready: [() => { this.started = true; }],
        setCursor: [(u) => this.values(u.cursor.idx ?? null)],
        setScale: [(u, key) => { if (key === "x" && this.time && this.started && !zooming) zoomTo(this.range()); }],
        drawAxes: [(u) => spec.draw?.(u)],
      },
    };
    return new uPlot(options, this.data(), this.plotted);
  }

  /** @param {Line} line @param {number} n @returns {uPlot.Series} */
  series(line, n) {
    return {
      label: line.label,
      show: !this.hidden.has(n),
      stroke: () => color(line.color),
      width: line.width ?? 1.75,
      dash: line.dash,
      fill: line.fill ? () => `${color(line.color)}22` : undefined,
      spanGaps: this.spec.span ?? false,
      paths: line.steps ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
      points: {
        show: this.spec.points,
        size: this.spec.points ? 7 : undefined,
        fill: () => color(this.spec.points ? line.color : "card"),
      },
    };
  }

  width() {
    return Math.max(this.plotted.clientWidth, 120);
  }

  height() {
    const tall = this.figure.classList.contains("wide");
    return Math.round(Math.min(ROOT * (tall ? 21 : 16), Math.max(180, innerHeight * 0.45)));
  }

  resize() {
    if (this.plotted.clientWidth > 0 && this.width() !== this.plot.width) this.plot.setSize({ width: this.width(), height: this.height() });
  }

  /** @param {Line} line @param {number} n @returns {HTMLElement} */
  button(line, n) {
    const button = this.legend.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "key";
    button.setAttribute("aria-pressed", "true");
    const swatch = button.appendChild(document.createElement("span"));
    swatch.className = line.dash ? "swatch dashed" : "swatch";
    swatch.style.setProperty("--swatch", `var(--${line.color})`);
    button.appendChild(document.createElement("span")).textContent = line.label;
    const value = button.appendChild(document.createElement("b"));
    button.addEventListener("click", () => {
      const hide = !this.hidden.has(n);
      if (hide) this.hidden.add(n);
      else this.hidden.delete(n);
      button.setAttribute("aria-pressed", String(!hide));
      this.plot.setSeries(n + 1, { show: !hide });
    });
    return value;
  }

  /** @returns {HTMLElement} */
  logButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "log";
    button.textContent = "Log scale";
    button.setAttribute("aria-pressed", String(this.log));
    button.addEventListener("click", () => {
      this.log = !this.log;
      button.setAttribute("aria-pressed", String(this.log));
      const range = this.range();
      this.plot.destroy();
      this.plot = this.make(range);
    });
    return button;
  }

  /** Shows the values of a place; without one, none. @param {number | null} at */
  values(at) {
    const { spec } = this;
    const index = at === null ? null : Math.min(at, spec.x.length - 1);
    const x = index === null ? null : spec.x[index];
    this.at.textContent = x == null ? "" : (spec.formatX ?? clock)(x);
    spec.lines.forEach((line, n) => {
      const value = index === null ? null : line.values[index];
      this.buttons[n].textContent = index === null ? "" : value == null ? "–" : spec.format(value);
    });
  }

  sheet() {
    const { spec } = this;
    const [min, max] = [this.plot.scales.x.min ?? 0, this.plot.scales.x.max ?? Infinity];
    const format = (/** @type {number | null} */ v) => (v == null ? "–" : spec.format(v));
    const rows = () => {
      /** @type {string[][]} */
      const all = [];
      spec.x.forEach((x, n) => {
        if (x >= min && x <= max) all.push([(spec.formatX ?? clock)(x), ...spec.lines.map((line) => format(line.values[n]))]);
      });
      return all;
    };
    return { head: spec.headX ?? "after", columns: spec.lines.map((line) => line.label), rows };
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { x } = this.spec;
    const [min, max] = [this.plot.scales.x.min ?? 0, this.plot.scales.x.max ?? this.end];
    const index = Math.min(this.plot.cursor.idx ?? x.findIndex((at) => at >= min), x.length - 1);
    const step = event.shiftKey ? 10 : 1;
    const last = x.length - 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.move(Math.max(index - step, 0)),
      ArrowRight: () => this.move(Math.min(index + step, last)),
      Home: () => this.move(0),
      End: () => this.move(last),
      "+": () => this.zoom(x[index] ?? min, (max - min) / 2),
      "=": () => this.zoom(x[index] ?? min, (max - min) / 2),
      "-": () => this.zoom(x[index] ?? min, (max - min) * 2),
      "0": () => this.time && zoomTo(null),
      Escape: () => this.time && zoomTo(null),
    };
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** @param {number} index */
  move(index) {
    const { spec, plot } = this;
    const x = spec.x[index];
    const [min, max] = [plot.scales.x.min ?? 0, plot.scales.x.max ?? this.end];
    if (this.time && (x < min || x > max)) this.zoom(x, max - min);
    plot.setCursor({ left: plot.valToPos(x, "x"), top: plot.over.clientHeight / 2 });
    const said = document.getElementById("said");
    const all = spec.lines.map((line) => `${line.label} ${line.values[index] == null ? "no data" : spec.format(/** @type {number} */ (line.values[index]))}`);
    if (said) said.textContent = `${(spec.formatX ?? clock)(x)}: ${all.join(", ")}`;
  }

  /** @param {number} around @param {number} width */
  zoom(around, width) {
    if (!this.time) return;
    const least = Math.min(this.end, 5 * ((this.spec.x[1] ?? 1) - (this.spec.x[0] ?? 0)));
    const wide = Math.max(width, least);
    if (wide >= this.end) return zoomTo(null);
    const min = Math.min(Math.max(around - wide / 2, 0), this.end - wide);
    zoomTo([min, min + wide]);
  }
}

/** Ticks of a logarithmic axis: powers of ten, and between few of them twice and five times as much. @param {uPlot} u @returns {number[]} */
function ticks(u) {
  const [min, max] = [u.scales.y.min ?? 1, u.scales.y.max ?? 10];
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const parts = to - from > 3 ? [1] : [1, 2, 5];
  const all = [];
  for (let power = from; power <= to; power += 1) for (const part of parts) all.push(part * 10 ** power);
  return all.filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
}

/** A text on an axis: without zeros behind the point. @param {string} text */
function short(text) {
  return text.replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
}

const ROOT = parseFloat(getComputedStyle(document.documentElement).fontSize) || 15;
const FONT = `${Math.round(ROOT * 0.8)}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;

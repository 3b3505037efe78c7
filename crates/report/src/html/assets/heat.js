// How many took how long, and when: cells of time and value, darker where there are more.
import { seconds } from "./axes.js";
import { LineChart } from "./chart.js";
import { clock, count, duration } from "./format.js";
import { color } from "./theme.js";

export class HeatChart extends LineChart {
  /** @param {HTMLElement} figure @param {import("./axes.js").Heat} heat @param {number} end */
  constructor(figure, heat, end) {
    const ms = heat.edges_us.map((us) => us / 1e3);
    const what = heat.metric === "iteration_duration" ? "iterations" : "requests";
    const most = heat.columns.flat().reduce((most, [, n]) => Math.max(most, n), 1);
    super(figure, {
      title: "Latency over time",
      x: seconds(heat.axis),
      end,
      lines: [{ label: what, values: heat.columns.map(() => null), color: "c1" }],
      format: (v) => duration(v, 3),
      log: true,
      rangeY: [ms[0], ms[ms.length - 1]],
      draw: (u) => paint(u, heat, ms, most),
    });
    this.heat = heat;
    this.ms = ms;
    this.what = what;
    this.legend.querySelector(".log")?.remove();
    this.legend.querySelector(".key")?.remove();
    this.legend.append(scale(most, what));
    this.values(null);
  }

  /** @override @param {number | null} index */
  values(index) {
    const { heat, ms, plot } = this;
    if (!heat) return;
    if (index === null || index === undefined) {
      this.at.textContent = "";
      return;
    }
    const top = plot.cursor.top ?? -1;
    const value = top >= 0 ? plot.posToVal(top, "y") : 0;
    const bin = ms.findIndex((edge, n) => value >= edge && value < (ms[n + 1] ?? 0));
    const cell = heat.columns[index]?.find(([b]) => b === bin);
    const all = heat.columns[index]?.reduce((sum, [, n]) => sum + n, 0) ?? 0;
    const place = bin < 0 ? "" : ` · ${duration(ms[bin], 3)} to ${duration(ms[bin + 1], 3)}: ${count(cell?.[1] ?? 0)}`;
    this.at.textContent = `${clock(this.spec.x[index])} · ${count(all)} in all${place}`;
  }

  /** @override @param {number} index */
  move(index) {
    super.move(index);
    const said = document.getElementById("said");
    if (said) said.textContent = this.at.textContent;
  }

  /** @override */
  sheet() {
    const { heat, ms } = this;
    const between = (/** @type {number} */ bin) => `${duration(ms[bin], 3)} to ${duration(ms[bin + 1], 3)}`;
    const rows = () =>
      heat.columns.map((cells, n) => {
        const all = cells.reduce((sum, [, n]) => sum + n, 0);
        const most = cells.reduce((best, cell) => (cell[1] > best[1] ? cell : best), [-1, 0]);
        const ends = cells.length ? `${duration(ms[cells[0][0]], 3)} to ${duration(ms[cells[cells.length - 1][0] + 1], 3)}` : "–";
        return [clock(this.spec.x[n]), count(all), ends, most[0] < 0 ? "–" : `${between(most[0])}: ${count(most[1])}`];
      });
    return { head: "after", columns: [this.what, "from … to", "most of them"], rows };
  }
}

/** @param {number} n @param {number} most */
function share(n, most) {
  return most <= 1 ? 1 : Math.log(1 + n) / Math.log(1 + most);
}

/** @param {LineChart["plot"]} u @param {import("./axes.js").Heat} heat @param {number[]} ms @param {number} most */
function paint(u, heat, ms, most) {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const colors = ["heat0", "heat1", "heat2", "heat3", "heat4", "heat5", "heat6", "heat7"].map(color);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  heat.columns.forEach((cells, column) => {
    const from = column * heat.axis.slot_s;
    const x0 = u.valToPos(from, "x", true);
    const x1 = u.valToPos(from + heat.axis.slot_s, "x", true);
    for (const [bin, n] of cells) {
      const y0 = u.valToPos(ms[bin + 1], "y", true);
      const y1 = u.valToPos(ms[bin], "y", true);
      ctx.fillStyle = colors[Math.min(Math.floor(share(n, most) * colors.length), colors.length - 1)];
      ctx.fillRect(Math.floor(x0), Math.floor(y0), Math.max(Math.ceil(x1) - Math.floor(x0), 1), Math.max(Math.ceil(y1) - Math.floor(y0), 1));
    }
  });
  ctx.restore();
}

/** @param {number} most @param {string} what @returns {HTMLElement} */
function scale(most, what) {
  const all = document.createElement("span");
  all.className = "scale";
  all.append("1");
  for (let n = 0; n < 8; n += 1) {
    const cell = all.appendChild(document.createElement("i"));
    cell.style.setProperty("--swatch", `var(--heat${n})`);
  }
  all.append(`${count(most)} ${what}`);
  return all;
}

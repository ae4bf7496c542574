// <x-chart kind="…" label="…">: draws the table inside it. The table stays, for screen readers and
// for all where nothing can be drawn. A cell's number is its data-value, what is said of it its text.
//
//   line, bar, stacked   a row for each point, named by its first cell; a column for each series
//   heat                 the same, each number a field of colour; data-least and data-most bound it
//   chord                rows of from, to, amount
//   graph                rows of what, and what it stands on; a link in a cell leads on,
//                        data-state on a row colours the first

import { hold } from "./drawn.js";

const COLOURS = ["#b45309", "#0f766e", "#9d3a8c", "#475569", "#b91c4b", "#3f6212"];
const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [12, 4], [2, 6]];
const POINTS = ["circle", "rect", "triangle", "diamond", "pin", "arrow"];
const MOOD = { good: "#0b6b3d", wait: "#a16207", bad: "#a8201c", info: "#1c4f9e", quiet: "#64748b" };
const INK = "#16202e";
const QUIET = "#54617a";
const LINE = "#e2e7ef";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const language = () => document.documentElement.lang || "en";
const short = (unit) => {
  const format = new Intl.NumberFormat(language(), { notation: "compact", maximumFractionDigits: 2 });
  return (value) => (unit ? `${format.format(value)} ${unit}` : format.format(value));
};

customElements.define("x-chart", class extends HTMLElement {
  async connectedCallback() {
    this.held ??= hold(this);
    let init;
    try {
      ({ init } = await import("./vendor/echarts.js"));
    } catch {
      return this.held.leave();
    }
    if (!this.isConnected || this.chart) return;
    this.chart = init(this.held.canvas, null, { renderer: "canvas" });
    this.size = new ResizeObserver(() => this.resized());
    this.size.observe(this.held.canvas);
    this.change = new MutationObserver(() => this.draw());
    this.change.observe(this.held.table, { subtree: true, childList: true, characterData: true });
    this.chart.on("click", ({ data }) => data?.href && location.assign(data.href));
    this.draw();
  }

  disconnectedCallback() {
    this.size?.disconnect();
    this.change?.disconnect();
    this.chart?.dispose();
    this.chart = undefined;
  }

  resized() {
    if (!this.held.canvas.clientWidth) return; // the table stands in its place
    this.chart.resize();
    if (this.getAttribute("kind") === "graph") this.draw();
  }

  draw() {
    const table = this.querySelector("table");
    const shown = read(table);
    if (!shown.rows.length) return this.held.leave();
    const kind = KINDS[this.getAttribute("kind")];
    if (!kind) throw new Error(`x-chart draws no ${this.getAttribute("kind")}`);
    this.chart.setOption({ ...frame(), ...kind(shown, this.dataset, this.held.canvas.clientWidth) }, { notMerge: true });
    this.held.ready();
  }
});

function read(table) {
  const cell = (one) => {
    const told = one.dataset.value ?? one.querySelector("data[value]")?.value ?? one.textContent;
    const link = one.querySelector("a[href]");
    const text = one.textContent.trim();
    const value = told.trim() === "" || Number.isNaN(Number(told)) ? null : Number(told);
    return { text, value, href: link?.getAttribute("href") };
  };
  return {
    heads: [...(table?.tHead?.rows[0]?.cells ?? [])].map((one) => one.textContent.trim()),
    rows: [...(table?.tBodies[0]?.rows ?? [])].map((row) => ({ state: row.dataset.state, cells: [...row.cells].map(cell) })),
  };
}

function frame() {
  return {
    color: [style("--hansa-brand-ink") || "#1d4ed8", ...COLOURS],
    textStyle: { fontFamily: "Inter, system-ui, sans-serif", color: INK, fontSize: 12 },
    animation: !still.matches,
    animationDuration: 350,
    aria: { enabled: true, label: { enabled: false } },
    tooltip: tip({ trigger: "axis" }),
  };
}

// Drawn on the canvas: as HTML it would bring styles along, which the page's policy forbids.
const tip = (more) => ({
  renderMode: "richText", confine: true, backgroundColor: INK, borderWidth: 0, padding: [8, 12],
  textStyle: { color: "#fff", fontSize: 12, lineHeight: 18 }, ...more,
});

function axes(shown, data, hasLegend) {
  const long = shown.rows.length > 40;
  return {
    grid: { left: 4, right: data.target ? 60 : 12, top: hasLegend ? 36 : 14, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    legend: hasLegend ? { type: "scroll", top: 0, left: 0, itemWidth: 26, itemHeight: 10, itemGap: 18, textStyle: { color: INK, fontSize: 12 } } : undefined,
    xAxis: {
      type: "category",
      data: shown.rows.map(({ cells }) => cells[0].text),
      axisLine: { lineStyle: { color: LINE } },
      axisTick: { show: false },
      axisLabel: { color: QUIET, hideOverlap: true, margin: 10 },
      boundaryGap: !long,
    },
    yAxis: {
      type: "value", scale: Boolean(data.zoomed), axisLabel: { color: QUIET, formatter: short(data.unit) },
      splitLine: { lineStyle: { color: LINE } }, splitNumber: 4,
    },
  };
}

const heard = (shown) => (points) => {
  const at = points[0].dataIndex;
  const { cells } = shown.rows[at];
  return [cells[0].text, ...points.map(({ seriesName, seriesIndex }) => `${seriesName}: ${cells[seriesIndex + 1].text || "–"}`)].join("\n");
};

function goal(data) {
  if (data.target === undefined) return undefined;
  const label = { formatter: `${data.targetWord}\n${short(data.unit)(Number(data.target))}`, color: MOOD.bad, fontSize: 11, lineHeight: 14, fontWeight: 600, position: "end" };
  return { silent: true, symbol: "none", animation: false, data: [{ yAxis: Number(data.target) }], lineStyle: { color: MOOD.bad, type: [6, 4], width: 1.5 }, label };
}

/** Bounds between which everything lies, the target too, in steps that can be read. */
function reach(shown, data) {
  if (data.target === undefined) return {};
  const target = Number(data.target);
  const values = shown.rows.flatMap(({ cells }) => cells.slice(1).map((one) => one.value)).filter((one) => one !== null);
  const least = data.zoomed ? Math.min(...values, target) : 0;
  const most = Math.max(...values, target);
  const rough = (most - least || Math.abs(most) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const max = Math.ceil(most / interval - 1e-9) * interval;
  return { min: Math.floor(least / interval + 1e-9) * interval, max: data.unit === "%" ? Math.min(max, Math.max(100, most)) : max, interval };
}

function series(shown, data, more) {
  const names = shown.heads.slice(1);
  const around = axes(shown, data, names.length > 1);
  Object.assign(around.yAxis, reach(shown, data));
  return {
    ...around,
    tooltip: tip({ trigger: "axis", formatter: heard(shown), axisPointer: { type: "line", lineStyle: { color: QUIET } } }),
    series: names.map((name, at) => ({
      name, data: shown.rows.map(({ cells }) => cells[at + 1]?.value ?? null), markLine: at === 0 ? goal(data) : undefined, ...more(at, names.length),
    })),
  };
}

const patterned = (count) => ({ aria: { enabled: true, label: { enabled: false }, decal: { show: count > 1 } } });

const KINDS = {
  line: (shown, data) =>
    series(shown, { zoomed: "1", ...data }, (at, count) => ({
      type: "line", symbol: POINTS[at], symbolSize: 6, showSymbol: shown.rows.length <= 40, connectNulls: false,
      lineStyle: { width: 2.25, type: DASHES[at] }, areaStyle: count === 1 ? { opacity: 0.07 } : undefined,
    })),
  bar: (shown, data) => ({
    ...series(shown, data, () => ({ type: "bar", barMaxWidth: 32, itemStyle: { borderRadius: [4, 4, 0, 0] } })),
    ...patterned(shown.heads.length - 1),
  }),
  stacked: (shown, data) => ({
    ...series(shown, data, () => ({ type: "bar", stack: "all", barMaxWidth: 44, itemStyle: { borderColor: "#fff", borderWidth: 1 } })),
    ...patterned(shown.heads.length - 1),
  }),
  heat,
  chord,
  graph,
};

function heat(shown, data) {
  const columns = shown.heads.slice(1);
  const rows = shown.rows.map(({ cells }) => cells[0].text);
  const points = shown.rows.flatMap(({ cells }, y) => columns.map((_, x) => ({ value: [x, y, cells[x + 1]?.value ?? "-"], text: cells[x + 1]?.text ?? "" })));
  const values = points.map(({ value }) => value[2]).filter((one) => one !== "-");
  const least = Number(data.least ?? Math.min(...values));
  const most = Number(data.most ?? Math.max(...values));
  const dark = (value) => (data.good === "low" ? value > least + (most - least) * 0.5 : value < least + (most - least) * 0.5);
  const ramp = ["#f3f7fd", "#c9dbf7", "#7ea8e8", "#2f64b9", "#143a7b"];
  return {
    grid: { left: 4, right: 4, top: 4, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tip({ trigger: "item", formatter: ({ data: one }) => `${rows[one.value[1]]}, ${columns[one.value[0]]}\n${one.text}` }),
    xAxis: { type: "category", data: columns, axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: QUIET, hideOverlap: true } },
    yAxis: { type: "category", data: rows, inverse: true, axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: INK } },
    // Dark is where somebody should look.
    visualMap: { show: false, type: "continuous", min: least, max: most, inRange: { color: data.good === "low" ? ramp : [...ramp].reverse() } },
    series: [{
      type: "heatmap", itemStyle: { borderColor: "#fff", borderWidth: 2, borderRadius: 4 }, emphasis: { itemStyle: { borderColor: INK } },
      data: points.map((one) => ({ ...one, label: { show: columns.length <= 14, formatter: one.text, fontSize: 11, color: one.value[2] !== "-" && dark(one.value[2]) ? "#fff" : INK } })),
    }],
  };
}

function chord(shown) {
  const flows = shown.rows.map(({ cells }) => ({ source: cells[0].text, target: cells[1].text, value: cells[2].value ?? 0, text: cells[2].text }));
  const names = [...new Set(flows.flatMap(({ source, target }) => [source, target]))];
  return {
    tooltip: tip({ trigger: "item", formatter: ({ data: one }) => (one.source ? `${one.source} → ${one.target}\n${one.text}` : one.name) }),
    series: [{
      type: "chord", radius: ["62%", "70%"], center: ["50%", "50%"], padAngle: 3, minAngle: 4,
      label: { show: true, color: INK, fontSize: 12, fontWeight: 600 }, lineStyle: { color: "source", opacity: 0.35 },
      itemStyle: { borderRadius: 3 }, emphasis: { focus: "adjacency" }, data: names.map((name) => ({ name })), links: flows,
    }],
  };
}

/** Left what is sold, and to the right of each thing what it stands on. */
function graph(shown, _data, width) {
  const things = new Map();
  const links = [];
  const thing = ({ text, href }, state) => {
    const known = things.get(text) ?? { name: text, depth: 0 };
    things.set(text, Object.assign(known, href && { href }, state && { state }));
    return known;
  };
  for (const { cells, state } of shown.rows) {
    const from = thing(cells[0], state);
    if (!cells[1]?.text) continue;
    links.push({ from, to: thing(cells[1]) });
  }
  for (let round = 0; round < things.size; round++) {
    for (const { from, to } of links) to.depth = Math.max(to.depth, Math.min(from.depth + 1, things.size));
  }
  const depths = [...things.values()].map(({ depth }) => depth);
  const levels = Math.max(...depths);
  const wide = Math.min(160, width / (levels + 1) - 28);
  place([...things.values()], links, levels);
  const places = [...things.values()].map((one) => {
    const colour = MOOD[one.state] ?? MOOD.quiet;
    return {
      name: one.name, href: one.href, value: [one.depth, one.height], symbol: box(wide, 32), symbolSize: [wide, 32], cursor: one.href ? "pointer" : "default",
      itemStyle: { color: "#fff", borderColor: colour, borderWidth: 1.5, borderType: one.state === "bad" ? "dashed" : "solid" },
      label: { show: true, color: one.state ? colour : INK, fontSize: 12, fontWeight: 550, width: wide - 14, overflow: "truncate", formatter: one.state === "bad" ? "⚠ {b}" : "{b}" },
    };
  });
  const hidden = { show: false, type: "value" };
  return {
    tooltip: tip({ trigger: "item", formatter: ({ data: one, name }) => (one.source ? `${one.source} → ${one.target}` : name) }),
    grid: { left: wide / 2 + 4, right: wide / 2 + 4, top: 8, bottom: 8, outerBoundsMode: "none" },
    xAxis: { ...hidden, min: 0, max: levels || 1 },
    yAxis: { ...hidden, min: 0, max: 1, inverse: true },
    series: [{
      type: "graph", coordinateSystem: "cartesian2d", data: places, links: links.map(({ from, to }) => ({ source: from.name, target: to.name })),
      edgeSymbol: ["none", "arrow"], edgeSymbolSize: 8, lineStyle: { color: "#8592a8", width: 1.5 }, emphasis: { focus: "adjacency" },
    }],
  };
}

/** The height of each thing, 0 to 1: near to what stands on it, so that few lines cross. */
function place(things, links, levels) {
  for (let depth = 0; depth <= levels; depth++) {
    const level = things.filter((one) => one.depth === depth);
    for (const one of level) {
      const above = links.filter(({ to }) => to === one).map(({ from }) => from.height ?? 0);
      one.wish = above.length ? above.reduce((sum, height) => sum + height, 0) / above.length : level.indexOf(one) / level.length;
    }
    level.sort((one, other) => one.wish - other.wish);
    level.forEach((one, at) => (one.height = (at + 0.5) / level.length));
  }
}

/** A box in its own size: one that is stretched would have a frame of uneven width. */
const box = (wide, high, round = 8) =>
  `path://M${round} 0H${wide - round}Q${wide} 0 ${wide} ${round}V${high - round}Q${wide} ${high} ${wide - round} ${high}H${round}Q0 ${high} 0 ${high - round}V${round}Q0 0 ${round} 0Z`;

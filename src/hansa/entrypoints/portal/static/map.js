// <x-map label="…">: draws places over the borders of the world: those of the table inside it, of
// the table that data-rows selects, and of the GeoJSON at src. Choosing a row flies there, and
// choosing a place marks its row.
//
// A row is a place by data-place (an id), data-lat and data-lon; data-kind is site (or nothing) or
// pop; data-state of a site is feasible, near or off-net; data-radius, in kilometres, draws what a
// pop covers; data-to, the id of another place, draws a line. Properties of GeoJSON's points bear
// the same names, and name besides.
//
// data-tiles is the address of raster tiles that lie over the countries and under the places, with
// {z}, {x} and {y} in it, and data-attribution whose they are. Where none come, countries stay.

import { hold } from "./drawn.js";

const INK = "#16202e";
const LOOKS = {
  feasible: { colour: "#0b6b3d", shape: "circle" },
  near: { colour: "#a35c00", shape: "diamond" },
  "off-net": { colour: "#64748b", shape: "square" },
  pop: { colour: "#16202e", shape: "triangle" },
};
const NOTHING = { type: "FeatureCollection", features: [] };
const COLLECT_FROM = 60; // fewer places than this are all drawn, more stand together as numbers
const EARTH_KM = 6371;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const collection = (features) => ({ type: "FeatureCollection", features });

customElements.define("x-map", class extends HTMLElement {
  async connectedCallback() {
    this.words = JSON.parse(this.dataset.words);
    this.held ??= hold(this);
    this.rows = new Map();
    const places = await this.places();
    if (!this.isConnected) return;
    if (!places.length) return this.held.leave();
    try {
      await (canDrawFully() ? this.draw(places) : this.drawFlat(places));
      this.held.ready();
      if (this.rows.size && this.dataset.rows) this.held.table.hidden = true;
    } catch (error) {
      this.held.leave();
      throw error;
    }
  }

  disconnectedCallback() {
    this.size?.disconnect();
    this.map?.remove();
    this.chart?.dispose();
    this.map = this.chart = undefined;
  }

  async places() {
    const table = this.dataset.rows ? document.querySelector(this.dataset.rows) : this.held.table;
    const found = [];
    for (const row of table?.querySelectorAll("[data-place]") ?? []) {
      const { place: id, lat, lon, kind = "site", state = "", radius, to, name } = row.dataset;
      this.rows.set(id, row);
      found.push({ id, at: [Number(lon), Number(lat)], kind, state, radius: Number(radius) || 0, to, name: name ?? row.cells?.[0]?.textContent.trim() ?? row.textContent.trim() });
    }
    const src = this.getAttribute("src");
    if (src) {
      const answer = await fetch(src, { headers: { Accept: "application/geo+json" } });
      if (!answer.ok) throw new Error(`${src} answered ${answer.status}`);
      for (const { properties, geometry } of (await answer.json()).features) {
        if (geometry.type === "Point") found.push({ kind: "site", state: "", radius: 0, ...properties, id: properties.place, at: geometry.coordinates });
      }
    }
    return found.filter(({ at }) => at.every(Number.isFinite));
  }

  async draw(places) {
    const [maplibre] = await Promise.all([import("./vendor/maplibre-gl.js"), styled("./vendor/maplibre-gl.css")]);
    maplibre.setWorkerUrl(new URL("./vendor/maplibre-gl-worker.js", import.meta.url).href);
    const world = await (await fetch(this.dataset.basemap)).json();
    if (!this.isConnected) return;
    const map = new maplibre.Map({
      container: this.held.canvas,
      style: ground(world),
      bounds: around(places),
      fitBoundsOptions: { padding: 56, maxZoom: 8 },
      maxZoom: this.dataset.tiles ? 18 : 14,
      attributionControl: false,
      fadeDuration: still.matches ? 0 : 200,
      dragRotate: false,
      pitchWithRotate: false,
      cooperativeGestures: false,
      scrollZoom: false, // a page is scrolled past a map more often than a map is zoomed
      locale: { "Map.Title": this.getAttribute("label") },
    });
    this.map = map;
    map.touchZoomRotate.disableRotation();
    this.byId = new Map(places.map((one) => [one.id, one]));
    this.buttons();
    this.legend(places);
    this.link();
    map.on("click", (event) => this.pressed(event));
    for (const layer of ["groups", "sites", "pops"]) {
      map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
      map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
    }
    await map.once("load");
    for (const [name, look] of Object.entries(LOOKS)) map.addImage(name, picture(look), { pixelRatio: 2 });
    map.addSource("covered", { type: "geojson", data: collection(places.filter(({ radius }) => radius).map(circle)) });
    map.addSource("ways", { type: "geojson", data: collection(places.flatMap((one) => way(one, this.byId))) });
    map.addSource("pops", { type: "geojson", data: collection(places.filter(({ kind }) => kind === "pop").map(point)) });
    const sites = places.filter(({ kind }) => kind !== "pop");
    map.addSource("sites", { type: "geojson", data: collection(sites.map(point)), cluster: sites.length >= COLLECT_FROM, clusterRadius: 44, clusterMaxZoom: 9 });
    map.addSource("chosen", { type: "geojson", data: NOTHING });
    for (const layer of layers(sites.length >= COLLECT_FROM)) map.addLayer(layer);
    await map.once("idle");
    if (this.dataset.tiles) this.tile(this.dataset.tiles);
  }

  /** The tiles come after the map is there: it waits for no other host, and stays without it. */
  tile(address) {
    const { map } = this;
    let came = false;
    const loaded = ({ sourceId, tile }) => {
      if (sourceId !== "tiles" || tile?.state !== "loaded" || came) return;
      came = true;
      this.source.textContent = [this.dataset.attribution, this.words.borders].filter(Boolean).join(" · ");
    };
    map.on("sourcedata", loaded);
    // Without a listener the library writes each tile that fails on the console.
    map.on("error", ({ sourceId, error }) => sourceId === "tiles" || console.error(error));
    map.addSource("tiles", { type: "raster", tiles: [address.startsWith("/") ? location.origin + address : address], tileSize: 256 });
    map.addLayer({ id: "tiles", type: "raster", source: "tiles" }, "covered");
    map.once("idle", () => {
      if (came) return;
      map.removeLayer("tiles");
      map.removeSource("tiles");
      this.source.setAttribute("role", "status");
      this.source.textContent = [this.words.untiled, this.words.borders].join(" ");
    });
  }

  buttons() {
    const box = document.createElement("div");
    box.className = "map-buttons";
    for (const [sign, word, act] of [
      ["+", "zoom-in", () => this.map.zoomIn()],
      ["−", "zoom-out", () => this.map.zoomOut()],
      ["⤢", "all", () => this.map.fitBounds(around([...this.byId.values()]), { padding: 56, maxZoom: 8, animate: !still.matches })],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", this.words[word]);
      button.title = this.words[word];
      button.addEventListener("click", act);
      box.append(button);
    }
    this.note = document.createElement("div");
    this.note.className = "map-note";
    this.note.setAttribute("role", "status");
    this.held.canvas.after(box, this.note);
  }

  legend(places) {
    const legend = document.createElement("div");
    legend.className = "map-legend";
    const kinds = new Set(places.map(({ kind, state }) => (kind === "pop" ? "pop" : state)));
    for (const name of Object.keys(LOOKS)) {
      if (!kinds.has(name)) continue;
      const entry = document.createElement("span");
      entry.append(drawing(LOOKS[name]), this.words[name]);
      legend.append(entry);
    }
    this.source = document.createElement("span");
    this.source.className = "map-source";
    this.source.textContent = this.words.borders;
    legend.append(this.source);
    this.held.canvas.parentElement.append(legend);
  }

  /** Rows lead to places: by a press anywhere on them, and by a button for those who use keys. */
  link() {
    for (const [id, row] of this.rows) {
      const place = this.byId.get(id);
      if (!place || row.dataset.linked) continue;
      row.dataset.linked = "1";
      row.addEventListener("click", (event) => event.target.closest("a, button, input, select, label") || this.lead(id));
      const cell = row.cells?.[0];
      if (!cell || !this.dataset.rows) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "map-go";
      button.setAttribute("aria-label", this.words.show.replace("{name}", place.name));
      button.append(drawing(LOOKS[place.kind === "pop" ? "pop" : place.state] ?? LOOKS["off-net"]));
      button.addEventListener("click", () => this.lead(id));
      cell.prepend(button);
    }
  }

  /** From a row to its place, which has to be in sight. */
  lead(id) {
    this.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
    this.choose(id);
  }

  choose(id) {
    const place = this.byId?.get(id);
    if (!place) return;
    for (const [other, row] of this.rows) {
      row.classList.toggle("chosen", other === id);
      if (other === id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const state = this.words[place.kind === "pop" ? "pop" : place.state];
    this.note.textContent = state ? `${place.name} · ${state}` : place.name;
    this.map.getSource("chosen")?.setData(collection([point(place)]));
    const to = { center: place.at, zoom: Math.max(this.map.getZoom(), 9.5) };
    if (still.matches) this.map.jumpTo(to);
    else this.map.flyTo({ ...to, duration: 900 });
    this.dispatchEvent(new CustomEvent("x-map:chosen", { bubbles: true, detail: { place: id } }));
  }

  async pressed({ point: { x, y } }) {
    const near = [[x - 6, y - 6], [x + 6, y + 6]];
    const [found] = this.map.queryRenderedFeatures(near, { layers: ["sites", "pops", "groups"].filter((name) => this.map.getLayer(name)) });
    if (!found) return;
    if (found.properties.cluster) {
      const zoom = await this.map.getSource("sites").getClusterExpansionZoom(found.properties.cluster_id);
      this.map.easeTo({ center: found.geometry.coordinates, zoom, animate: !still.matches });
      return;
    }
    this.choose(found.properties.place);
    this.rows.get(found.properties.place)?.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
  }

  /** Where a browser lacks WebGL 2: the same places, without groups, ways and streets. */
  async drawFlat(places) {
    const [{ init, registerMap }, world] = await Promise.all([
      import("./vendor/echarts.js"), fetch(this.dataset.basemap).then((answer) => answer.json()),
    ]);
    if (!this.isConnected) return;
    registerMap("world", world);
    this.chart = init(this.held.canvas);
    this.size = new ResizeObserver(() => this.chart.resize());
    this.size.observe(this.held.canvas);
    const [[west, south], [east, north]] = around(places);
    const symbols = { circle: "circle", diamond: "diamond", square: "rect", triangle: "triangle" };
    this.chart.setOption({
      animation: false,
      geo: { map: "world", boundingCoords: [[west - 2, north + 2], [east + 2, south - 2]], silent: true, itemStyle: { areaColor: "#fbfcfd", borderColor: "#c4cedb" } },
      series: Object.entries(LOOKS).map(([name, { colour, shape }]) => ({
        type: "scatter", coordinateSystem: "geo", symbol: symbols[shape], symbolSize: 10, itemStyle: { color: colour, borderColor: "#fff", borderWidth: 1 },
        data: places.filter(({ kind, state }) => (kind === "pop" ? "pop" : state) === name).map(({ at }) => at),
      })),
    });
    this.held.canvas.setAttribute("role", "img");
    this.held.canvas.setAttribute("aria-label", `${this.getAttribute("label")}. ${this.words.flat}`);
    this.legend(places);
  }
});

/* --- what is drawn -------------------------------------------------------------------------------- */

function ground(world) {
  const names = new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "region" });
  const labels = world.labels.map((one) => {
    const { code, name, area } = one.properties;
    return { ...one, properties: { name: code ? names.of(code) : name, area } };
  });
  return {
    version: 8,
    sources: {
      land: { type: "geojson", data: collection(world.features), tolerance: 0.2 },
      names: { type: "geojson", data: collection(labels) },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": "#dfe8f1" } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": "#fbfcfd", "fill-antialias": true } },
      { id: "borders", type: "line", source: "land", paint: { "line-color": "#c4cedb", "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.5, 8, 1.4] } },
      {
        id: "names", type: "symbol", source: "names",
        filter: [">=", ["get", "area"], ["step", ["zoom"], 1200, 3, 250, 4, 40, 5, 0]],
        layout: { "text-field": ["get", "name"], "text-font": ["Inter"], "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 7, 14], "text-max-width": 7, "symbol-sort-key": ["-", ["get", "area"]] },
        paint: { "text-color": "#5d6b82", "text-halo-color": "#fbfcfd", "text-halo-width": 1.2 },
      },
    ],
  };
}

function layers(collected) {
  const image = ["case", ["==", ["get", "kind"], "pop"], "pop", ["in", ["get", "state"], ["literal", Object.keys(LOOKS)]], ["get", "state"], "off-net"];
  return [
    { id: "covered", type: "fill", source: "covered", paint: { "fill-color": "#1c4f9e", "fill-opacity": 0.08 } },
    { id: "covered-edge", type: "line", source: "covered", paint: { "line-color": "#1c4f9e", "line-opacity": 0.45, "line-width": 1, "line-dasharray": [3, 2] } },
    { id: "ways", type: "line", source: "ways", minzoom: collected ? 8 : 0, paint: { "line-color": "#54617a", "line-width": 1, "line-opacity": 0.6 } },
    { id: "groups", type: "circle", source: "sites", filter: ["has", "point_count"], paint: { "circle-color": "#1c4f9e", "circle-opacity": 0.92, "circle-stroke-color": "#fff", "circle-stroke-width": 2, "circle-radius": ["interpolate", ["linear"], ["get", "point_count"], 2, 13, 50, 18, 500, 27] } },
    { id: "counts", type: "symbol", source: "sites", filter: ["has", "point_count"], layout: { "text-field": ["to-string", ["get", "point_count"]], "text-font": ["Inter"], "text-size": 12, "text-allow-overlap": true }, paint: { "text-color": "#fff" } },
    { id: "chosen", type: "circle", source: "chosen", paint: { "circle-radius": 15, "circle-color": "#f5b301", "circle-opacity": 0.35, "circle-stroke-color": INK, "circle-stroke-width": 2 } },
    { id: "sites", type: "symbol", source: "sites", filter: ["!", ["has", "point_count"]], layout: { "icon-image": image, "icon-allow-overlap": true } },
    { id: "pops", type: "symbol", source: "pops", layout: { "icon-image": image, "icon-allow-overlap": true, "text-field": ["get", "name"], "text-font": ["Inter"], "text-size": 11, "text-offset": [0, 1.1], "text-anchor": "top", "text-optional": true }, paint: { "text-color": INK, "text-halo-color": "#fff", "text-halo-width": 1.4 } },
  ];
}

const point = ({ id, at, kind, state, name }) => ({ type: "Feature", properties: { place: id, kind, state, name }, geometry: { type: "Point", coordinates: at } });

const way = ({ at, to }, byId) => (byId.has(to) ? [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: [at, byId.get(to).at] } }] : []);

/** What lies within a radius, as a polygon: on this map a circle would have another size elsewhere. */
function circle({ at: [lon, lat], radius }) {
  const rad = Math.PI / 180;
  const angle = radius / EARTH_KM;
  const ring = Array.from({ length: 65 }, (_, step) => {
    const bearing = (step / 64) * 2 * Math.PI;
    const y = Math.asin(Math.sin(lat * rad) * Math.cos(angle) + Math.cos(lat * rad) * Math.sin(angle) * Math.cos(bearing));
    const x = lon * rad + Math.atan2(Math.sin(bearing) * Math.sin(angle) * Math.cos(lat * rad), Math.cos(angle) - Math.sin(lat * rad) * Math.sin(y));
    return [x / rad, y / rad];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

function around(places) {
  const [lons, lats] = [0, 1].map((axis) => places.map(({ at }) => at[axis]));
  const bounds = [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
  return bounds;
}

const PATHS = { circle: "M8 2.5a5.5 5.5 0 1 0 .01 0z", diamond: "M8 1.2 14.8 8 8 14.8 1.2 8z", square: "M3 3h10v10H3z", triangle: "M8 1.5 15 14H1z" };

function drawing({ colour, shape }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[shape]);
  path.setAttribute("fill", colour);
  svg.append(path);
  return svg;
}

function picture({ colour, shape }) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 36;
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  pen.translate(1, 1);
  const path = new Path2D(PATHS[shape]);
  pen.lineWidth = 2;
  pen.strokeStyle = "#fff";
  pen.stroke(path);
  pen.fillStyle = colour;
  pen.fill(path);
  return pen.getImageData(0, 0, 36, 36);
}

function canDrawFully() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

function styled(address) {
  const href = new URL(address, import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
  });
}

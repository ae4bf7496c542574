// Copies what the portal's pages take from others out of node_modules, as it is: no bundler.
// Usage: node vendor.mjs TARGET STAMP. TARGET is made anew; STAMP is written last, so a folder
// that bears it is whole.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { geoArea, geoCentroid, geoEquirectangular } from "d3-geo";
import { geoProject } from "d3-geo-projection";
import countries from "i18n-iso-countries";
import { feature } from "topojson-client";

const [target, stamp] = process.argv.slice(2);
const modules = new URL("node_modules/", import.meta.url);
const read = (name) => readFile(new URL(name, modules), "utf8");

// htmx and its extension are one file: htmx looks over the page as soon as the browser has a
// moment, and what is registered after that, since it came over the wire later, is never used.
const COPIED = {
  "htmx.js": ["htmx.org/dist/htmx.min.js", "htmx.org/dist/ext/hx-sse.min.js"],
  "tabler.css": "@tabler/core/dist/css/tabler.min.css",
  "echarts.js": "echarts/dist/echarts.esm.min.mjs",
  "maplibre-gl.js": "maplibre-gl/dist/maplibre-gl.mjs",
  "maplibre-gl-worker.js": "maplibre-gl/dist/maplibre-gl-worker.mjs",
  "maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
};

const FONTS = {
  "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
};

const ICONS = `
  activity affiliate alert-circle alert-triangle arrow-left arrow-right arrows-exchange ban bell
  book-2 building building-bank building-community calendar chart-bar chart-line check checks
  chevron-down chevron-left chevron-right chevron-up circle-check circle-dashed circle-dot circle-x
  clipboard-list clock coins copy credit-card dots download external-link eye file-invoice
  file-spreadsheet file-text file-type-pdf filter flag gauge help-circle history home hourglass
  inbox info-circle key language layout-dashboard lifebuoy list-check list-details loader-2 lock
  logout mail map map-pin menu-2 minus network palette pencil percentage phone player-pause
  player-play plug-connected plug-connected-x plus receipt refresh rocket router scale search
  send settings shield-check shopping-cart sitemap sort-ascending sort-descending stack-2 table
  ticket timeline trash upload user user-circle users world writing-sign x`
  .trim()
  .split(/\s+/);

const ANTARCTICA = "010";

/** A sprite of the icons that pages name, each drawn in the colour of the text around it. */
async function icons() {
  const symbols = await Promise.all(
    ICONS.map(async (name) => {
      const drawn = await read(`@tabler/icons/icons/outline/${name}.svg`);
      const body = drawn.replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s*\n\s*/g, "");
      return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

/**
 * Countries as GeoJSON in degrees, and a point in the largest part of each for its name. They are
 * cut at the date line, where flat maps would otherwise draw a stroke across the world.
 */
async function world() {
  const atlas = JSON.parse(await read("world-atlas/countries-50m.json"));
  const degrees = geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).reflectY(true).precision(0);
  const spherical = feature(atlas, atlas.objects.countries).features.filter((one) => one.id !== ANTARCTICA);
  const shape = (one) => {
    const { type, coordinates } = geoProject(one, degrees).geometry;
    return { type, coordinates: rounded(coordinates) };
  };
  const features = spherical.map((one) => ({
    type: "Feature",
    properties: named(one),
    geometry: shape(one),
  }));
  const labels = spherical.map((one) => {
    const biggest = parts(one.geometry).reduce((best, part) => (geoArea(part) > geoArea(best) ? part : best));
    return {
      type: "Feature",
      properties: { ...named(one), area: Math.round(geoArea(biggest) * 1e5) },
      geometry: { type: "Point", coordinates: rounded(geoCentroid(biggest)) },
    };
  });
  return JSON.stringify({ type: "FeatureCollection", features, labels });
}

/** code: ISO 3166-1 alpha-2, by which browsers know the name in each language; else empty. */
const named = (one) => ({ code: countries.numericToAlpha2(one.id) ?? "", name: one.properties.name });

const parts = ({ type, coordinates }) =>
  type === "Polygon" ? [{ type, coordinates }] : coordinates.map((one) => ({ type: "Polygon", coordinates: one }));

const rounded = (value) => (Array.isArray(value) ? value.map(rounded) : Math.round(value * 100) / 100);

/** Whose work the files are, and under which terms: every package that a page is given parts of. */
async function notices() {
  const { dependencies } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
  const inside = ["zrender", "tslib", "d3-geo"]; // ECharts brings the first two; the last cut the map
  const names = [...Object.keys(dependencies), ...inside, ...(await broughtBy("maplibre-gl"))];
  const said = await Promise.all(names.map(notice));
  return (
    "What the portal's pages take from others, copied as published by npm. The map's borders are\n" +
    "those of Natural Earth, which is in the public domain, as de facto held.\n\n" +
    said.join("\n" + "=".repeat(96) + "\n\n")
  );
}

async function broughtBy(name) {
  const { dependencies = {} } = JSON.parse(await read(`${name}/package.json`));
  return Object.keys(dependencies).filter((one) => !one.startsWith("@types/"));
}

async function notice(name) {
  const { version, license } = JSON.parse(await read(`${name}/package.json`));
  if (!license) throw new Error(`${name} does not say its licence`);
  const files = (await readdir(new URL(`${name}/`, modules))).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = await Promise.all(files.filter((file) => file !== "licenses").map((file) => read(`${name}/${file}`)));
  return [`${name} ${version}, ${license}`, ...texts.map((text) => text.trim())].join("\n\n") + "\n";
}

/** Beside each text its two packed forms, so that nothing is packed when it is asked for. */
async function pack(name, text) {
  const bytes = Buffer.from(text);
  const best = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  const [gz, br] = await Promise.all([
    promisify(zlib.gzip)(bytes, { level: 9 }),
    promisify(zlib.brotliCompress)(bytes, best),
  ]);
  await writeFile(join(target, name), bytes);
  await writeFile(join(target, `${name}.gz`), gz);
  await writeFile(join(target, `${name}.br`), br);
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const texts = { "icons.svg": icons(), "world.json": world(), "NOTICES.txt": notices() };
for (const [name, sources] of Object.entries(COPIED)) {
  // Maps of sources are not shipped, so browsers' tools need not ask for them.
  texts[name] = Promise.all([sources].flat().map(read)).then((all) =>
    all.map((text) => text.replace(/(\/\/|\/\*)# sourceMappingURL=.*?(\*\/)?\s*$/, "")).join(";\n"),
  );
}
await Promise.all(Object.entries(texts).map(async ([name, text]) => pack(name, await text)));
for (const [name, source] of Object.entries(FONTS)) {
  await writeFile(join(target, name), await readFile(new URL(source, modules)));
}
await writeFile(join(target, "stamp"), stamp);

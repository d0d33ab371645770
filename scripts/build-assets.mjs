// Bundle the browser assets: every <room>/static_src/*.{js,css} whose name has no leading underscore becomes a minified,
// fingerprinted file in crm/static/build/, the icons that pages name become one SVG sprite, manifest.json tells who is who.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(top, "crm/static/build");
const rooms = ["crm", "ecp", "surveys", "web_tracking", "self_service_portal", "hub"].filter((room) => existsSync(join(top, room)));

function entries() {
  const folders = rooms.map((room) => join(top, room, "static_src")).filter(existsSync);
  return folders.flatMap((folder) =>
    readdirSync(folder).filter((name) => /^[^_].*\.(js|css)$/.test(name)).map((name) => join(folder, name)),
  );
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (["node_modules", "build", "__pycache__", "translations"].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : /\.(html|py|js)$/.test(entry.name) ? [path] : [];
  });
}

// icon("pencil") in a template or a script, icon="pencil" in a declaration, and the names listed in static_src/icons.txt
function iconNames() {
  const names = new Set();
  for (const room of rooms) {
    const list = join(top, room, "static_src/icons.txt");
    if (existsSync(list)) readFileSync(list, "utf8").split(/\s+/).filter(Boolean).forEach((name) => names.add(name));
    for (const path of files(join(top, room))) {
      for (const found of readFileSync(path, "utf8").matchAll(/\bicon(?:\(\s*|=)["']([a-z][a-z0-9-]*)["']/g)) names.add(found[1]);
    }
  }
  return [...names].sort();
}

function sprite() {
  const missing = [];
  const symbols = iconNames().flatMap((name) => {
    const path = join(top, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
    if (!existsSync(path)) {
      missing.push(name);
      return [];
    }
    const body = readFileSync(path, "utf8").replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
    return [`<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`];
  });
  if (missing.length) console.warn(`No such icon in @tabler/icons: ${missing.join(", ")}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${symbols.join("")}</svg>\n`;
}

// The licences ask that their text goes with the copies: one file beside the bundles holds them all.
function licences(inputs) {
  const packages = new Set(
    Object.keys(inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean).concat("@tabler/icons"),
  );
  return [...packages].sort().map((name) => {
    const folder = join(top, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file) && statSync(join(folder, file)).isFile());
    return [`${name} ${version} (${license})`, ...texts.map((file) => readFileSync(join(folder, file), "utf8"))].join("\n\n");
  }).join("\n\n----------------------------------------\n\n");
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const result = await build({
  absWorkingDir: top,
  entryPoints: entries(),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  outdir: target,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "dataurl" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (output.entryPoint) manifest[basename(output.entryPoint)] = basename(path);
  else if (output.cssBundle) manifest[basename(output.cssBundle)] = basename(output.cssBundle);
}
const svg = sprite();
const svgName = `icons-${createHash("sha256").update(svg).digest("hex").slice(0, 8).toUpperCase()}.svg`;
writeFileSync(join(target, svgName), svg);
manifest["icons.svg"] = svgName;
writeFileSync(join(target, "licences.txt"), licences(result.metafile.inputs));
writeFileSync(join(target, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
for (const [name, built] of Object.entries(manifest)) {
  console.log(`${extname(name) === ".js" ? "script" : "      "} ${name.padEnd(14)} ${(statSync(join(target, built)).size / 1000).toFixed(0).padStart(6)} kB`);
}

// Makes the folder of browser files that crates/kehu embeds: `node build.mjs FOLDER`.
// Joins our stylesheets and scripts, bundles the charts, leaves out of Tabler what no page names, makes the icon sprite,
// names every file by its content, writes .br and .gz beside it, and lists all in manifest.txt (name, file, media type,
// digest). A file that an earlier run left in FOLDER with the same content is not compressed again.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { onlyUsed, wordsIn } from "./used.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs FOLDER");
  process.exit(2);
}

const read = (path) => readFileSync(join(here, path), "utf8");
const modules = (path) => read(join("node_modules", path)).replace(/\n\/[/*]# sourceMappingURL=.*$/m, "");

// base.css and base.js come first; the other files do not depend on each other's order.
function ordered(folder, ending) {
  const names = readdirSync(join(here, folder)).filter((name) => name.endsWith(ending)).sort();
  const first = "base" + ending;
  return [first, ...names.filter((name) => name !== first)].map((name) => join(folder, name));
}

// Comments and indentation only: nothing that could change what a rule or a string means.
const lighter = (css) => css.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s+/gm, "");

function styles() {
  return ordered("css", ".css").map((path) => lighter(read(path))).join("\n");
}

// Each script stands in a function of its own; what they share hangs on `kehu`.
function scripts() {
  return ordered("js", ".js").map((path) => `(() => {\n"use strict";\n${read(path)}\n})();`).join("\n");
}

// Only the classes that a template, a handler or a script could put on an element.
function tabler() {
  const named = ["../crates/kehu/templates", "../crates/kehu/src", "../crates/kehu/examples", "js"];
  return onlyUsed(modules("@tabler/core/dist/css/tabler.min.css"), wordsIn(named.map((path) => join(here, path))));
}

function charts() {
  const { outputFiles } = buildSync({
    absWorkingDir: here,
    entryPoints: ["echarts.js"],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    globalName: "echarts",
    target: "es2020",
    legalComments: "eof",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0].text;
}

function sprite() {
  const names = read("icons/list.txt").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const symbols = names.map((name) => {
    const path = join(here, "node_modules/@tabler/icons/icons/outline", `${name}.svg`);
    if (!existsSync(path)) throw new Error(`web/icons/list.txt: @tabler/icons has no outline icon ${name}`);
    const inner = readFileSync(path, "utf8")
      .replace(/<!--[\s\S]*?-->/g, "")
      .match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1]
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
      .replace(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

const files = [
  ["tabler.css", "text/css; charset=utf-8", tabler()],
  ["app.css", "text/css; charset=utf-8", styles()],
  ["htmx.js", "text/javascript; charset=utf-8", modules("htmx.org/dist/htmx.min.js")],
  ["app.js", "text/javascript; charset=utf-8", scripts()],
  ["sortable.js", "text/javascript; charset=utf-8", modules("sortablejs/Sortable.min.js")],
  ["echarts.js", "text/javascript; charset=utf-8", charts()],
  ["icons.svg", "image/svg+xml", sprite()],
  ["favicon.svg", "image/svg+xml", read("icons/favicon.svg")],
];

const compressions = [
  [".br", (bytes) => brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })],
  [".gz", (bytes) => gzipSync(bytes, { level: 9 })],
];

// Half a file under the final name would be taken for the whole by the next run.
function put(name, bytes) {
  writeFileSync(join(out, `${name}.new`), bytes);
  renameSync(join(out, `${name}.new`), join(out, name));
}

mkdirSync(out, { recursive: true });
const wanted = new Set(["manifest.txt"]);
const manifest = files.map(([name, type, text]) => {
  const bytes = Buffer.from(text);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const dot = name.lastIndexOf(".");
  const file = `${name.slice(0, dot)}.${digest}${name.slice(dot)}`;
  for (const [ending, make] of [["", (plain) => plain], ...compressions]) {
    wanted.add(file + ending);
    if (!existsSync(join(out, file + ending))) put(file + ending, make(bytes));
  }
  return [name, file, type, digest].join("\t");
});
put("manifest.txt", manifest.join("\n") + "\n");
for (const name of readdirSync(out)) if (!wanted.has(name)) rmSync(join(out, name));

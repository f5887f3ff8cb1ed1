// Builds the page into dist/: index.html, and assets/ with a hash of their content in their names.
// A server may deliver dist/ meanwhile: old files are deleted when nothing refers to them any more.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");
const ASSETS = join(DIST, "assets");
const ENTRY = "src/main.tsx";

mkdirSync(DIST, { recursive: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: [ENTRY],
  bundle: true,
  format: "esm",
  splitting: true,
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  legalComments: "linked",
  metafile: true,
  outdir: ASSETS,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
});

/** A file and those that it imports at once, not later. */
function withImports(path) {
  const imports = metafile.outputs[path].imports.filter(({ kind }) => kind === "import-statement");
  return [...new Set([path, ...imports.flatMap((each) => withImports(each.path))])];
}

const [entry, { cssBundle }] = Object.entries(metafile.outputs).find(
  ([, { entryPoint }]) => entryPoint === ENTRY,
);
const [script, ...imported] = withImports(entry).map((path) => basename(path));
const preloads = imported.map((name) => `<link rel="modulepreload" href="/assets/${name}" />`).join("\n    ");
/** The names of the scripts that the page loads at once. */
export const firstScripts = [script, ...imported];

const outputs = Object.keys(metafile.outputs).map((path) => basename(path));
cpSync(join(ROOT, "static"), DIST, { recursive: true });
const html = readFileSync(join(ROOT, "index.html"), "utf8");
writeFileSync(
  join(DIST, "index.html.new"),
  html
    .replace("{{script}}", `/assets/${script}`)
    .replace("<!-- {{preloads}} -->", preloads)
    .replace("{{style}}", `/assets/${basename(cssBundle)}`),
);
renameSync(join(DIST, "index.html.new"), join(DIST, "index.html"));
for (const name of readdirSync(ASSETS)) {
  if (!outputs.includes(name)) rmSync(join(ASSETS, name));
}

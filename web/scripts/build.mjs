// Builds the page into dist/: index.html, and assets/ with a hash of their content in their names.
// A server may deliver dist/ meanwhile: old files are deleted when nothing refers to them any more.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");
const ASSETS = join(DIST, "assets");

mkdirSync(DIST, { recursive: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ["src/main.tsx"],
  bundle: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  legalComments: "linked",
  metafile: true,
  outdir: ASSETS,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
});

const outputs = Object.keys(metafile.outputs).map((path) => basename(path));
const script = outputs.find((name) => name.endsWith(".js"));
const style = outputs.find((name) => name.endsWith(".css"));
cpSync(join(ROOT, "static"), DIST, { recursive: true });
const html = readFileSync(join(ROOT, "index.html"), "utf8");
writeFileSync(
  join(DIST, "index.html.new"),
  html.replace("{{script}}", `/assets/${script}`).replace("{{style}}", `/assets/${style}`),
);
renameSync(join(DIST, "index.html.new"), join(DIST, "index.html"));
for (const name of readdirSync(ASSETS)) {
  if (!outputs.includes(name)) rmSync(join(ASSETS, name));
}

// Builds the page into dist/: index.html, and assets/ with a hash of their content in their names.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(ROOT, "dist");

rmSync(DIST, { recursive: true, force: true });
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
  outdir: join(DIST, "assets"),
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
});

const outputs = Object.keys(metafile.outputs).map((path) => basename(path));
const script = outputs.find((name) => name.endsWith(".js"));
const style = outputs.find((name) => name.endsWith(".css"));
cpSync(join(ROOT, "static"), DIST, { recursive: true });
const html = readFileSync(join(ROOT, "index.html"), "utf8");
writeFileSync(
  join(DIST, "index.html"),
  html.replace("{{script}}", `/assets/${script}`).replace("{{style}}", `/assets/${style}`),
);

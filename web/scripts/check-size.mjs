// Builds the page and fails if the JavaScript that it loads at once is larger than the limit, gzipped. Editors and other
// views are loaded when they are opened.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { firstScripts } from "./build.mjs";

const LIMIT_BYTES = 60_000;
const assets = new URL("../dist/assets/", import.meta.url);
const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
const gzipped = (names) =>
  names
    .map((name) => gzipSync(readFileSync(new URL(name, assets)), { level: 9 }).length)
    .reduce((sum, each) => sum + each, 0);
const bytes = gzipped(firstScripts);
console.log(
  `The page loads ${bytes} bytes of JavaScript at once, gzipped; the limit is ${LIMIT_BYTES}. All of it has ${gzipped(scripts)}.`,
);
process.exitCode = bytes > LIMIT_BYTES ? 1 : 0;

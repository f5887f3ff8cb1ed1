// Builds the page and fails if its JavaScript is larger than the limit.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import "./build.mjs";

const LIMIT_BYTES = 60_000;
const assets = new URL("../dist/assets/", import.meta.url);
const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
const bytes = scripts
  .map((name) => gzipSync(readFileSync(new URL(name, assets)), { level: 9 }).length)
  .reduce((sum, each) => sum + each, 0);
console.log(`The page has ${bytes} bytes of JavaScript, gzipped; the limit is ${LIMIT_BYTES}.`);
process.exitCode = bytes > LIMIT_BYTES ? 1 : 0;

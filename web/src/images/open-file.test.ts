import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { UPLOAD } from "../api/upload.ts";
import { MAX_PIXELS } from "./open-file.ts";

test("the limits are those of docs/api.md", () => {
  const text = readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8");
  const [, mebibytes, megapixels] = /up to (\d+) MiB and (\d+) megapixels/.exec(text) ?? [];
  assert.equal(UPLOAD.size.maximum, Number(mebibytes) * 1024 * 1024);
  assert.equal(MAX_PIXELS, Number(megapixels) * 1e6);
});

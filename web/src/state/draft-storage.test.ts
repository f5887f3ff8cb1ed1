import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDraft } from "./draft-storage.ts";

test("a draft is read back", () => {
  const draft = {
    prompt: "a circle",
    steps: 700,
    guidance_interval: [0.2, 0.8],
    loras: [{ name: "moon", weight: 0.5 }],
    controlnets: [{ type: "canny", start: 0.1 }],
    hires: {},
    output_format: "webp",
  };
  assert.deepEqual(parseDraft(JSON.stringify(draft)), draft);
});

test("what another version has written does not get into the form", () => {
  const draft = {
    prompt: "a circle",
    brightness: 3,
    steps: "many",
    seed: null,
    tags: "one",
    loras: [{ weight: 1 }],
    hires: { zoom: 2 },
    output_format: "gif",
    input_image: "s3://bucket/input.png",
    constructor: {},
  };
  assert.deepEqual(parseDraft(JSON.stringify(draft)), { prompt: "a circle" });
});

test("a text that is no draft is an empty form", () => {
  for (const text of [null, "", "{", "3", "null", "[1]"]) assert.deepEqual(parseDraft(text), {});
});

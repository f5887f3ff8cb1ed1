import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { language } from "../i18n/language.ts";
import { imageFor, jobWith } from "../jobs/job-fixture.ts";
import { parametersOf } from "./parameters.ts";

const catalog = {
  models: [],
  samplers: [{ name: "euler_a", label: "Euler a", aliases: [], schedule_types: [] }],
};
const { request } = jobWith();

afterEach(() => {
  language.value = "en";
});

function parameters(fields: Partial<typeof request>): ReadonlyMap<string, string> {
  const job = jobWith({ request: { ...request, ...fields } });
  return new Map(parametersOf(job, imageFor(42), catalog));
}

test("an image has its own seed and size, and its sampler's label", () => {
  const shown = parameters({ count: 4 });
  assert.equal(shown.get("Seed"), "42");
  assert.equal(shown.get("Size"), "512 × 768");
  assert.equal(shown.get("Sampler"), "Euler a");
});

test("fields with defaults are left out, any other is shown", () => {
  const plain = parameters({ loras: [], mask_invert: false, quality: 90, vae: null });
  const changed = parameters({ quality: 55, clip_skip: 2, mask_invert: true });
  assert.deepEqual(
    [...changed.keys()].filter((label) => !plain.has(label)),
    ["Quality", "CLIP skip", "Invert the mask"],
  );
});

test("lists and objects are named by their fields; files have no directories", () => {
  const shown = parameters({
    loras: [{ name: "moon", weight: 0.8 }, { name: "sun" }],
    hires: { scale: 2, steps: null, upscaler: "lanczos" },
    input_image: "s3://bucket/inputs/a/cat.png",
  });
  assert.equal(shown.get("LoRA"), "moon Weight: 0.8, sun");
  assert.equal(shown.get("Hires fix"), "Scale: 2 Upscaler: lanczos");
  assert.equal(shown.get("Input image"), "cat.png");
});

test("labels are those of the form, in the page's language", () => {
  language.value = "zh";
  assert.equal(parameters({}).get("采样器"), "Euler a");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Generation } from "../api/types.ts";
import { appliedFields } from "./applied.ts";
import { modelOf, SAMPLERS } from "./fixtures.ts";

const CONTEXT = {
  models: [modelOf({ steps: 20 }), modelOf({}, {}, "other")],
  samplers: SAMPLERS,
  withSeed: true,
};
const JOB: Generation = {
  id: "01M8KW2R0YAET3VH7WYWBNYVBV",
  model: "base",
  prompt: "a circle",
  negative_prompt: "",
  width: 512,
  height: 768,
  steps: 20,
  guidance_scale: 7.5,
  sampler: "dpmpp_2m_karras",
  seed: 7,
  count: 1,
  guidance_interval: [0, 1],
  input_image: "s3://bucket/input.png",
  strength: null,
  controlnets: [{ type: "canny", image: "s3://bucket/control.png", weight: 0.5 }],
  loras: [{ name: "moon", weight: 0.8 }],
  embeddings: [],
  hires: null,
  output_format: "png",
  preview: true,
};

test("a job fills the form with what is not the model's default", () => {
  assert.deepEqual(appliedFields(JOB, {}, CONTEXT), {
    fields: {
      prompt: "a circle",
      height: 768,
      sampler: "dpmpp_2m",
      scheduler: "karras",
      seed: 7,
      controlnets: [{ type: "canny", weight: 0.5 }],
      loras: [{ name: "moon", weight: 0.8 }],
    },
    missingModel: undefined,
  });
});

test("without the seed it is random", () => {
  const { fields } = appliedFields(JOB, { seed: 5 }, { ...CONTEXT, withSeed: false });
  assert.ok(!("seed" in fields));
});

test("what the form held before is replaced, but for what belongs to the visitor", () => {
  const present = { steps: 99, vae: "mine", tags: ["mine"], preview: false };
  const { fields } = appliedFields({ prompt: "a square" }, present, CONTEXT);
  assert.deepEqual(fields, { prompt: "a square", tags: ["mine"], preview: false });
});

test("another model comes with the job, and the defaults are those of that model", () => {
  const { fields } = appliedFields({ ...JOB, model: "other" }, {}, CONTEXT);
  assert.equal(fields.model, "other");
  assert.equal(fields.steps, 20);
});

test("a model that is not here is named, and the form's model stays", () => {
  const { fields, missingModel } = appliedFields({ ...JOB, model: "gone" }, { model: "other" }, CONTEXT);
  assert.equal(missingModel, "gone");
  assert.equal(fields.model, "other");
  assert.equal(fields.prompt, "a circle");
});

test("unknown fields and values of other types in a file's metadata are ignored", () => {
  const metadata = {
    prompt: "a circle",
    steps: "many",
    hires: { zoom: 2 },
    clip: 1,
    controlnets: [null],
    scheduler: "Karras",
  };
  const { fields } = appliedFields(metadata as never, {}, CONTEXT);
  assert.deepEqual(fields, { prompt: "a circle", scheduler: "Karras" });
});

test("AUTOMATIC1111's automatic schedule is the model's", () => {
  const { fields } = appliedFields({ sampler: "DPM++ 2M", scheduler: "Automatic" }, {}, CONTEXT);
  assert.deepEqual(fields, { sampler: "dpmpp_2m" });
});

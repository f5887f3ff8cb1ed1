import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "./fixtures.ts";
import { boundsOf, defaultOf } from "./model-schema.ts";

const MODEL = modelOf({ steps: 20 }, { max_steps: 100, min_size: 256, max_size: 512 });

test("bounds are the model's, else those of the API", () => {
  assert.deepEqual(boundsOf("width", MODEL), { min: 256, max: 512, step: 8 });
  assert.deepEqual(boundsOf("steps", MODEL), { min: 1, max: 100, step: 1 });
  assert.deepEqual(boundsOf("hires/steps", MODEL), { min: 1, max: 100, step: 1 });
  assert.deepEqual(boundsOf("guidance_scale", MODEL), { min: 0, max: 50, step: 0.5 });
  assert.deepEqual(boundsOf("loras/3/weight", MODEL), { min: -4, max: 4, step: 0.05 });
});

test("a bound that is excluded is not offered", () => {
  assert.deepEqual(boundsOf("strength", MODEL), { min: 0.05, max: 1, step: 0.05 });
});

test("defaults are the model's, else the page's and the API's", () => {
  assert.equal(defaultOf("steps", MODEL), 20);
  assert.equal(defaultOf("preview", MODEL), true);
  assert.equal(defaultOf("hires/scale", MODEL), 2);
  assert.equal(defaultOf("seed", MODEL), undefined);
});

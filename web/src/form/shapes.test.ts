import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "./fixtures.ts";
import { shapesOf } from "./shapes.ts";

test("shapes have the default's area and sides that are multiples of 8", () => {
  const shapes = shapesOf(modelOf({ width: 1024, height: 1024 }, { max_size: 2048 }));
  assert.deepEqual(
    shapes.map(({ label, width, height }) => `${label} ${width}x${height}`),
    [
      "1:1 1024x1024",
      "4:3 1184x888",
      "3:4 888x1184",
      "3:2 1256x840",
      "2:3 840x1256",
      "16:9 1368x768",
      "9:16 768x1368",
    ],
  );
});

test("shapes stay within the model's limits and keep their ratio where these permit", () => {
  for (const limits of [
    { min_size: 64, max_size: 512 },
    { min_size: 500, max_size: 520 },
  ]) {
    for (const { width, height } of shapesOf(modelOf({ width: 512, height: 512 }, limits))) {
      for (const side of [width, height]) {
        assert.ok(side >= limits.min_size && side <= limits.max_size && side % 8 === 0, `${width}x${height}`);
      }
    }
  }
  const wide = shapesOf(modelOf({ width: 512, height: 512 }, { max_size: 512 })).find(
    ({ label }) => label === "16:9",
  );
  assert.deepEqual([wide?.width, wide?.height], [512, 288]);
});

test("a default of another ratio is the first shape", () => {
  const [first, second] = shapesOf(modelOf({ width: 640, height: 384 }));
  assert.deepEqual(first, { label: "640×384", width: 640, height: 384 });
  assert.equal(second?.label, "1:1");
});

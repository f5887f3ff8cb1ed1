import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model } from "../api/types.ts";
import {
  borderOf,
  bordersOf,
  extendedSize,
  isUnchanged,
  NO_BORDERS,
  placedSize,
  placement,
} from "./borders.ts";

const MODEL = {
  defaults: { width: 512, height: 512 },
  limits: { min_size: 64, max_size: 1024 },
} as unknown as Model;

test("borders are multiples of 8 within the API's limits", () => {
  assert.deepEqual([-20, 3, 4, 60, 1e9, Number.NaN].map(borderOf), [0, 0, 8, 64, 2048, 0]);
});

test("omitted sides have no border", () => {
  assert.deepEqual(bordersOf({ left: 8 }), { ...NO_BORDERS, left: 8 });
  assert.ok(isUnchanged(bordersOf(null)));
  assert.ok(!isUnchanged(bordersOf({ top: 8 })));
});

test("an image within the limits keeps its size, on the grid", () => {
  assert.deepEqual(placedSize({ width: 1023, height: 500 }, MODEL), { width: 1024, height: 504 });
});

test("a larger image gets the model's default area", () => {
  assert.deepEqual(placedSize({ width: 4000, height: 2000 }, MODEL), { width: 728, height: 360 });
});

test("a very wide image stays within the limits", () => {
  assert.deepEqual(placedSize({ width: 12_000, height: 1000 }, MODEL), { width: 1024, height: 88 });
});

test("the image is placed so that its frame is in the middle, with room to pull it outward", () => {
  const image = { width: 100, height: 100 };
  const borders = { ...NO_BORDERS, left: 100 };
  const { scale, x, y } = placement(image, borders, { width: 300, height: 300 });
  assert.equal(scale, 1);
  assert.deepEqual([x, y], [150, 100]);
});

test("borders are added to both sides", () => {
  const borders = { left: 8, right: 16, top: 24, bottom: 0 };
  assert.deepEqual(extendedSize({ width: 64, height: 64 }, borders), { width: 88, height: 88 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { neighboursOf } from "./neighbours.ts";
import { Tiles } from "./tiles.ts";

const tiles = new Tiles([
  { id: "D", tiles: 0 },
  { id: "C", tiles: 3 },
  { id: "B", tiles: 0 },
  { id: "A", tiles: 2 },
]);

test("positions and tiles correspond; unfinished jobs take none", () => {
  assert.equal(tiles.count, 5);
  for (let position = 0; position < tiles.count; position += 1) {
    const tile = tiles.at(position);
    assert.ok(tile);
    assert.equal(tiles.positionOf(tile), position);
  }
  assert.deepEqual(tiles.at(0), { id: "C", index: 0 });
  assert.deepEqual(tiles.at(3), { id: "A", index: 0 });
});

test("there is nothing beyond the ends", () => {
  assert.equal(tiles.at(-1), undefined);
  assert.equal(tiles.at(5), undefined);
  assert.equal(new Tiles([]).at(0), undefined);
  assert.equal(tiles.positionOf({ id: "B", index: 0 }), undefined);
  assert.equal(tiles.positionOf({ id: "unknown", index: 0 }), undefined);
});

test("a range of tiles is the same from both ends", () => {
  assert.deepEqual(tiles.keysBetween("C/2", "A/1"), ["C/2", "A/0", "A/1"]);
  assert.deepEqual(tiles.keysBetween("A/1", "C/2"), ["C/2", "A/0", "A/1"]);
});

test("the neighbours of an image are those of the grid, across jobs", () => {
  const { previous, next } = neighboursOf(tiles, { id: "C", index: 2 });
  assert.deepEqual(previous, { id: "C", index: 1 });
  assert.deepEqual(next, { id: "A", index: 0 });
  assert.equal(neighboursOf(tiles, { id: "C", index: 0 }).previous, undefined);
  assert.equal(neighboursOf(tiles, { id: "A", index: 1 }).next, undefined);
});

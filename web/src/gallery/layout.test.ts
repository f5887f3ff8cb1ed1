import assert from "node:assert/strict";
import { test } from "node:test";
import { cornerOf, GAP, gridHeight, layoutFor, moveFocus, rangeFor } from "./layout.ts";

test("tiles and gaps fill the width", () => {
  for (const width of [280, 366, 800, 1248, 2500]) {
    const { columns, tile } = layoutFor(width);
    assert.ok(Math.abs(columns * tile + (columns - 1) * GAP - width) < 0.001);
  }
  assert.equal(layoutFor(366).columns, 3);
});

test("a width of nothing is no error", () => {
  assert.equal(layoutFor(0).columns, 1);
});

test("the grid is as high as its rows, without a gap at the end", () => {
  const layout = { columns: 4, tile: 100 };
  assert.equal(gridHeight(layout, 0), 0);
  assert.equal(gridHeight(layout, 4), 100);
  assert.equal(gridHeight(layout, 5), 208);
});

test("only the rows near the screen are rendered", () => {
  const layout = { columns: 4, tile: 100 };
  assert.deepEqual(rangeFor(layout, 2000, 0, 8), { first: 0, end: 40 });
  assert.deepEqual(rangeFor(layout, 2000, 100, 108), { first: 392, end: 440 });
  assert.deepEqual(rangeFor(layout, 10, 100, 108), { first: 10, end: 10 });
});

test("a tile is at its row and column", () => {
  assert.deepEqual(cornerOf({ columns: 4, tile: 100 }, 6), { x: 216, y: 108 });
});

test("keys move the focus and stay in the grid", () => {
  const layout = { columns: 4, tile: 100 };
  const move = (key: string, position: number): number | undefined => moveFocus(key, position, 10, layout, 3);
  assert.equal(move("ArrowRight", 3), 4);
  assert.equal(move("ArrowRight", 9), 9);
  assert.equal(move("ArrowUp", 2), 2);
  assert.equal(move("ArrowDown", 7), 9);
  assert.equal(move("PageUp", 9), 1);
  assert.equal(move("Home", 9), 0);
  assert.equal(move("End", 0), 9);
  assert.equal(move("x", 0), undefined);
});

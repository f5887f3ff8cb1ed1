import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyBitmap, paintSegment, segmentBounds } from "./bitmap.ts";
import { History } from "./history.ts";

const SIZE = { width: 150, height: 100 };

function dab(history: History, bitmap: ReturnType<typeof emptyBitmap>, x: number, y: number): void {
  history.touch(segmentBounds(SIZE, { x, y }, { x, y }, 10));
  paintSegment(bitmap, { x, y }, { x, y }, 10, 1);
  history.commit();
}

test("undo and redo restore every state", () => {
  const bitmap = emptyBitmap(SIZE);
  const history = new History(bitmap);
  const states = [bitmap.data.join("")];
  for (const [x, y] of [
    [10, 10],
    [64, 64],
    [149, 99],
    [70, 60],
  ] as const) {
    dab(history, bitmap, x, y);
    states.push(bitmap.data.join(""));
  }
  history.invert();
  states.push(bitmap.data.join(""));
  history.clear();
  states.push(bitmap.data.join(""));
  assert.equal(new Set(states).size, 6, "the mask is empty at the beginning and at the end");
  for (const state of states.slice(0, -1).reverse()) {
    history.undo();
    assert.equal(bitmap.data.join(""), state);
  }
  assert.equal(history.canUndo, false);
  for (const state of states.slice(1)) {
    history.redo();
    assert.equal(bitmap.data.join(""), state);
  }
  assert.equal(history.canRedo, false);
});

test("a new stroke ends what could be redone", () => {
  const bitmap = emptyBitmap(SIZE);
  const history = new History(bitmap);
  dab(history, bitmap, 10, 10);
  history.undo();
  dab(history, bitmap, 50, 50);
  assert.equal(history.canRedo, false);
});

test("a stroke that changes nothing is none", () => {
  const bitmap = emptyBitmap(SIZE);
  const history = new History(bitmap);
  history.clear();
  history.touch({ left: 0, top: 0, right: 0, bottom: 10 });
  history.commit();
  assert.equal(history.canUndo, false);
});

test("a stroke under way can be taken back", () => {
  const bitmap = emptyBitmap(SIZE);
  const history = new History(bitmap);
  history.touch(segmentBounds(SIZE, { x: 60, y: 60 }, { x: 90, y: 70 }, 10));
  paintSegment(bitmap, { x: 60, y: 60 }, { x: 90, y: 70 }, 10, 1);
  history.revert();
  assert.ok(!bitmap.data.includes(1));
  assert.equal(history.canUndo, false);
});

test("the memory is bounded: the oldest changes cannot be taken back", () => {
  const bitmap = emptyBitmap(SIZE);
  const history = new History(bitmap, 3 * 64 * 64);
  for (let index = 0; index < 20; index += 1) dab(history, bitmap, 20, 11 + index);
  let undone = 0;
  for (; history.canUndo; undone += 1) history.undo();
  assert.equal(undone, 3);
});

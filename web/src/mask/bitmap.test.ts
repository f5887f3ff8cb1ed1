import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bitmap,
  coverage,
  emptyBitmap,
  invert,
  isEmpty,
  type Point,
  paintSegment,
  valueAt,
} from "./bitmap.ts";

function distance({ x, y }: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const square = dx * dx + dy * dy;
  const share = square === 0 ? 0 : Math.min(Math.max(((x - from.x) * dx + (y - from.y) * dy) / square, 0), 1);
  return Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
}

function pixels(bitmap: Bitmap): string {
  return bitmap.data.join("");
}

test("a segment covers exactly the pixels whose centers are near it", () => {
  const size = { width: 40, height: 30 };
  const segments: readonly (readonly [Point, Point, number])[] = [
    [{ x: 10, y: 10 }, { x: 30, y: 20 }, 5],
    [{ x: 30, y: 20 }, { x: 30, y: 5 }, 3.5],
    [{ x: 5, y: 15 }, { x: 35, y: 15 }, 7.25],
    [{ x: 20, y: 15 }, { x: 20, y: 15 }, 9],
    [{ x: -20, y: -5 }, { x: 60, y: 50 }, 4],
    [{ x: 33.3, y: 28.1 }, { x: 2.2, y: 1.7 }, 2.6],
  ];
  for (const [from, to, radius] of segments) {
    const bitmap = emptyBitmap(size);
    paintSegment(bitmap, from, to, radius, 1);
    const expected = Array.from({ length: 40 * 30 }, (_, index) => {
      const center = { x: (index % 40) + 0.5, y: Math.floor(index / 40) + 0.5 };
      return distance(center, from, to) <= radius ? 1 : 0;
    });
    assert.equal(pixels(bitmap), expected.join(""));
  }
});

test("the smallest brush paints the pixel below it", () => {
  const bitmap = emptyBitmap({ width: 3, height: 3 });
  paintSegment(bitmap, { x: 1.1, y: 1.9 }, { x: 1.1, y: 1.9 }, 0.25, 1);
  assert.equal(pixels(bitmap), "000010000");
});

test("the eraser removes what was painted", () => {
  const bitmap = emptyBitmap({ width: 9, height: 9 });
  paintSegment(bitmap, { x: 4, y: 4 }, { x: 4, y: 4 }, 3, 1);
  paintSegment(bitmap, { x: 4, y: 4 }, { x: 4, y: 4 }, 3, 0);
  assert.ok(isEmpty(bitmap));
});

test("outside the image nothing is painted", () => {
  const bitmap = emptyBitmap({ width: 9, height: 9 });
  paintSegment(bitmap, { x: -20, y: 4 }, { x: -10, y: 4 }, 3, 1);
  paintSegment(bitmap, { x: 9, y: 4 }, { x: 9, y: 4 }, 0.25, 1);
  assert.ok(isEmpty(bitmap));
});

test("inverting exchanges both values", () => {
  const bitmap = emptyBitmap({ width: 2, height: 2 });
  bitmap.data[1] = 1;
  invert(bitmap);
  assert.equal(pixels(bitmap), "1011");
  assert.equal(coverage(bitmap), 0.75);
  assert.equal(valueAt(bitmap, { x: 1.5, y: 0.5 }), 0);
  assert.equal(valueAt(bitmap, { x: 2, y: 0 }), 0);
});

/**
 * The pixels of a mask: 1 where the image is regenerated, 0 where it is kept.
 *
 * They are not kept in a canvas: it would soften edges to grays, take four bytes a pixel, be limited in size on
 * phones, and some browsers change the pixels that pages read back.
 */
import type { Size } from "../images/image-ref.ts";

export interface Bitmap extends Size {
  /** Row by row. */
  readonly data: Uint8Array;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels from `left`, `top` to `right`, `bottom`, which are excluded. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A mask that keeps the whole image. */
export function emptyBitmap({ width, height }: Size): Bitmap {
  return { width, height, data: new Uint8Array(width * height) };
}

/** The whole bitmap. */
export function boundsOf({ width, height }: Size): Rect {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** The pixels that a segment with round ends may touch, within the bitmap. */
export function segmentBounds(size: Size, from: Point, to: Point, radius: number): Rect {
  return {
    left: clamp(Math.floor(Math.min(from.x, to.x) - radius), 0, size.width),
    top: clamp(Math.floor(Math.min(from.y, to.y) - radius), 0, size.height),
    right: clamp(Math.ceil(Math.max(from.x, to.x) + radius), 0, size.width),
    bottom: clamp(Math.ceil(Math.max(from.y, to.y) + radius), 0, size.height),
  };
}

/**
 * Sets the pixels of a segment with round ends: those whose centers are at most `radius` away from it, and at
 * least the pixels under its ends.
 */
export function paintSegment(bitmap: Bitmap, from: Point, to: Point, radius: number, value: 0 | 1): void {
  const { width, data } = bitmap;
  const { top, bottom } = segmentBounds(bitmap, from, to, radius);
  for (let y = top; y < bottom; y += 1) {
    const [left, right] = rowOf(from, to, radius, y + 0.5);
    const start = clamp(Math.ceil(left - 0.5), 0, width);
    const end = clamp(Math.floor(right - 0.5) + 1, 0, width);
    if (start < end) data.fill(value, y * width + start, y * width + end);
  }
  for (const point of [from, to]) paintPixel(bitmap, point, value);
}

/** Exchanges both values everywhere. */
export function invert({ data }: Bitmap): void {
  for (let index = 0; index < data.length; index += 1) data[index] = data[index] === 0 ? 1 : 0;
}

/** Whether nothing is regenerated. */
export function isEmpty({ data }: Bitmap): boolean {
  return !data.includes(1);
}

/** The share of the image that is regenerated, from 0 to 1. */
export function coverage({ data }: Bitmap): number {
  let painted = 0;
  for (const value of data) painted += value;
  return data.length === 0 ? 0 : painted / data.length;
}

/** The value at a point; 0 outside. */
export function valueAt({ width, height, data }: Bitmap, { x, y }: Point): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  return data[Math.floor(y) * width + Math.floor(x)] ?? 0;
}

function paintPixel(bitmap: Bitmap, { x, y }: Point, value: 0 | 1): void {
  if (x < 0 || y < 0 || x >= bitmap.width || y >= bitmap.height) return;
  bitmap.data[Math.floor(y) * bitmap.width + Math.floor(x)] = value;
}

/** The interval that a segment with round ends covers at height `y`: the shape is convex. */
function rowOf(from: Point, to: Point, radius: number, y: number): readonly [number, number] {
  const xs = [...discAt(from, radius, y), ...discAt(to, radius, y), ...bandAt(from, to, radius, y)];
  return [Math.min(...xs), Math.max(...xs)];
}

function discAt(center: Point, radius: number, y: number): readonly number[] {
  const half = radius ** 2 - (y - center.y) ** 2;
  return half < 0 ? [] : [center.x - Math.sqrt(half), center.x + Math.sqrt(half)];
}

/** The ends of the rectangle around the segment, without its round ends, at height `y`. */
function bandAt(from: Point, to: Point, radius: number, y: number): readonly number[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length === 0) return [];
  const across = { x: (-(to.y - from.y) / length) * radius, y: ((to.x - from.x) / length) * radius };
  const corners = [plus(from, across), plus(to, across), minus(to, across), minus(from, across)];
  return corners.flatMap((corner, index) => crossing(corner, corners[(index + 1) % 4] ?? corner, y));
}

function crossing(one: Point, other: Point, y: number): readonly number[] {
  if (one.y === other.y || Math.min(one.y, other.y) > y || Math.max(one.y, other.y) < y) return [];
  return [one.x + ((other.x - one.x) * (y - one.y)) / (other.y - one.y)];
}

function plus(one: Point, other: Point): Point {
  return { x: one.x + other.x, y: one.y + other.y };
}

function minus(one: Point, other: Point): Point {
  return { x: one.x - other.x, y: one.y - other.y };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

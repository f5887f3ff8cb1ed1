/** The part of an image that the editor shows: image pixel p is at `p * scale + offset` of the viewport. */
import type { Size } from "../images/image-ref.ts";
import type { Point } from "./bitmap.ts";

export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const MARGIN = 16;
const MAX_SCALE = 32;

/** The view of the whole image in the middle; small images are scaled up. */
export function fit(image: Size, viewport: Size): View {
  const room = { width: viewport.width - 2 * MARGIN, height: viewport.height - 2 * MARGIN };
  const scale = Math.max(Math.min(room.width / image.width, room.height / image.height, MAX_SCALE), 0.001);
  return {
    scale,
    x: (viewport.width - image.width * scale) / 2,
    y: (viewport.height - image.height * scale) / 2,
  };
}

/** Zooms by a factor; the image's point at `center` of the viewport stays there. */
export function zoom(view: View, center: Point, factor: number, image: Size, viewport: Size): View {
  const least = Math.min(fit(image, viewport).scale, 1) / 2;
  const scale = Math.min(Math.max(view.scale * factor, least), MAX_SCALE);
  const change = scale / view.scale;
  const moved = {
    scale,
    x: center.x - (center.x - view.x) * change,
    y: center.y - (center.y - view.y) * change,
  };
  return pan(moved, { x: 0, y: 0 }, image, viewport);
}

/** Moves the image, which always stays in sight in part. */
export function pan(view: View, by: Point, image: Size, viewport: Size): View {
  return {
    scale: view.scale,
    x: inSight(view.x + by.x, image.width * view.scale, viewport.width),
    y: inSight(view.y + by.y, image.height * view.scale, viewport.height),
  };
}

/** Follows two fingers from their former points to their present ones: moves and zooms. */
export function pinch(
  view: View,
  before: readonly [Point, Point],
  after: readonly [Point, Point],
  image: Size,
  viewport: Size,
): View {
  const [from, to] = [middle(before), middle(after)];
  const moved = pan(view, { x: to.x - from.x, y: to.y - from.y }, image, viewport);
  return zoom(moved, to, distance(after) / Math.max(distance(before), 1), image, viewport);
}

/** The image's point at a point of the viewport. */
export function toImage(view: View, { x, y }: Point): Point {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
}

/** The viewport's point at a point of the image. */
export function toViewport(view: View, { x, y }: Point): Point {
  return { x: x * view.scale + view.x, y: y * view.scale + view.y };
}

/** The view that shows a point of the image: moved as little as needed. */
export function reveal(view: View, point: Point, image: Size, viewport: Size): View {
  const at = toViewport(view, point);
  return pan(view, { x: shift(at.x, viewport.width), y: shift(at.y, viewport.height) }, image, viewport);
}

function middle([one, other]: readonly [Point, Point]): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function distance([one, other]: readonly [Point, Point]): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function shift(at: number, room: number): number {
  return Math.max(MARGIN - at, 0) || Math.min(room - MARGIN - at, 0);
}

function inSight(offset: number, extent: number, room: number): number {
  const least = Math.min(4 * MARGIN, extent);
  return Math.min(Math.max(offset, least - extent), room - least);
}

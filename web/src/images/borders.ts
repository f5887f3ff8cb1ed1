/** Borders around an image, by which the API extends it. */
import { FIELDS } from "../api/fields.ts";
import type { Model, Outpaint } from "../api/types.ts";
import type { Size } from "./image-ref.ts";

export const SIDES = ["left", "right", "top", "bottom"] as const;
export type Side = (typeof SIDES)[number];

const ROOM_FOR_PULLING = 1.5;

/** Pixels on each side. */
export type Borders = Readonly<Record<Side, number>>;

export const NO_BORDERS: Borders = { left: 0, right: 0, top: 0, bottom: 0 };

/** What the API accepts on each side. */
export const BORDER = FIELDS.outpaint.properties.left;

/** The borders of a request, with zeros for the sides that it omits. */
export function bordersOf(outpaint: Outpaint | null | undefined): Borders {
  return { ...NO_BORDERS, ...outpaint };
}

/** The nearest number of pixels that the API accepts for a side. */
export function borderOf(pixels: number): number {
  const rounded = Math.round(pixels / BORDER.multipleOf) * BORDER.multipleOf;
  return Math.min(Math.max(Number.isFinite(rounded) ? rounded : 0, BORDER.minimum), BORDER.maximum);
}

/** Whether nothing is extended. */
export function isUnchanged(borders: Borders): boolean {
  return SIDES.every((side) => borders[side] === 0);
}

/** The size that the API gives the image itself: on its grid, and within the model's limits. */
export function placedSize(image: Size, { limits, defaults }: Model): Size {
  const size = { width: toGrid(image.width), height: toGrid(image.height) };
  if (Math.max(size.width, size.height) <= limits.max_size) return size;
  const ratio = image.width / image.height;
  const width = Math.sqrt(defaults.width * defaults.height * ratio);
  const tooLarge = Math.max(width, width / ratio) / limits.max_size;
  const tooSmall = Math.min(width, width / ratio) / limits.min_size;
  const fitted = width / (tooLarge > 1 ? tooLarge : Math.min(tooSmall, 1));
  return { width: toGrid(fitted), height: toGrid(fitted / ratio) };
}

/** The size with borders. */
export function extendedSize({ width, height }: Size, { left, right, top, bottom }: Borders): Size {
  return { width: width + left + right, height: height + top + bottom };
}

/** The scale and the corner of the image in a preview of the size `room`, with room to pull borders outward. */
export function placement(
  image: Size,
  borders: Borders,
  room: Size,
): { scale: number; x: number; y: number } {
  const frame = extendedSize(image, borders);
  const scale = Math.min(room.width / frame.width, room.height / frame.height) / ROOM_FOR_PULLING;
  return {
    scale,
    x: (room.width - frame.width * scale) / 2 + borders.left * scale,
    y: (room.height - frame.height * scale) / 2 + borders.top * scale,
  };
}

function toGrid(pixels: number): number {
  return Math.max(Math.round(pixels / BORDER.multipleOf), 1) * BORDER.multipleOf;
}

/** Sizes of common aspect ratios with about as many pixels as the model's default. */
import type { Model } from "../api/types.ts";

export interface Shape {
  readonly label: string;
  readonly width: number;
  readonly height: number;
}

const RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [4, 3],
  [3, 4],
  [3, 2],
  [2, 3],
  [16, 9],
  [9, 16],
];
const MULTIPLE = 8;

/** The shapes within the model's limits; the model's default size is among them. */
export function shapesOf({ defaults, limits }: Model): readonly Shape[] {
  const shapes = RATIOS.map(([across, down]) => {
    const scale = Math.sqrt((defaults.width * defaults.height) / (across * down));
    const [width, height] = within(across * scale, down * scale, limits.min_size, limits.max_size);
    return { label: `${across}:${down}`, width, height };
  });
  const hasDefault = shapes.some((each) => each.width === defaults.width && each.height === defaults.height);
  if (hasDefault) return shapes;
  const { width, height } = defaults;
  return [{ label: `${width}×${height}`, width, height }, ...shapes];
}

/** Scales a size into the limits where its ratio permits, and rounds it. */
function within(width: number, height: number, least: number, most: number): readonly [number, number] {
  const shrunk = Math.min(1, most / Math.max(width, height));
  const factor = shrunk < 1 ? shrunk : Math.max(1, least / Math.min(width, height));
  const side = (length: number) => {
    const rounded = Math.round((length * factor) / MULTIPLE) * MULTIPLE;
    const lowest = Math.ceil(least / MULTIPLE) * MULTIPLE;
    const highest = Math.floor(most / MULTIPLE) * MULTIPLE;
    return Math.min(highest, Math.max(lowest, rounded));
  };
  return [side(width), side(height)];
}

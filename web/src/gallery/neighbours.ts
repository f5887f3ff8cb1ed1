/** The images before and after another one. */
import type { Tile } from "./entries.ts";
import type { Tiles } from "./tiles.ts";

export interface Neighbours {
  /** Undefined at the beginning, and if the list lacks the image. */
  readonly previous: Tile | undefined;
  /** Undefined at the end, and if the list lacks the image. */
  readonly next: Tile | undefined;
  /** Whether the end of what is loaded is near. */
  readonly isNearEnd: boolean;
}

const NEAR = 5;

/** The neighbours of a tile. */
export function neighboursOf(tiles: Tiles, tile: Tile): Neighbours {
  const position = tiles.positionOf(tile);
  if (position === undefined) return { previous: undefined, next: undefined, isNearEnd: false };
  return {
    previous: tiles.at(position - 1),
    next: tiles.at(position + 1),
    isNearEnd: position + NEAR >= tiles.count,
  };
}

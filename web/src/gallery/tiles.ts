/** The places of tiles in the grid. */
import { type Entry, keyOf, type Tile, tileOf } from "./entries.ts";

/** The tiles of a list of jobs by their positions. */
export class Tiles {
  readonly entries: readonly Entry[];
  readonly count: number;
  /** The number of tiles before each entry. */
  readonly #offsets: readonly number[];

  constructor(entries: readonly Entry[]) {
    const offsets: number[] = [];
    let sum = 0;
    for (const { tiles } of entries) {
      offsets.push(sum);
      sum += tiles;
    }
    this.entries = entries;
    this.count = sum;
    this.#offsets = offsets;
  }

  /** The index of the entry that a position belongs to; undefined beyond the ends. */
  entryIndexAt(position: number): number | undefined {
    if (position < 0 || position >= this.count) return undefined;
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#offsets[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The tile at a position; undefined beyond the ends. */
  at(position: number): Tile | undefined {
    const index = this.entryIndexAt(position);
    const entry = index === undefined ? undefined : this.entries[index];
    if (index === undefined || entry === undefined) return undefined;
    return { id: entry.id, index: position - (this.#offsets[index] ?? 0) };
  }

  /** The name of the tile at a position; undefined beyond the ends. */
  keyAt(position: number): string | undefined {
    const tile = this.at(position);
    return tile && keyOf(tile);
  }

  /** The position of a tile; undefined if the list lacks it. */
  positionOf({ id, index }: Tile): number | undefined {
    const found = this.entries.findIndex((entry) => entry.id === id);
    const entry = this.entries[found];
    return entry === undefined || index >= entry.tiles ? undefined : (this.#offsets[found] ?? 0) + index;
  }

  /** The names of the tiles from one to another, in the order of the grid. */
  keysBetween(one: string, other: string): readonly string[] {
    const ends = [one, other].map((key) => this.positionOf(tileOf(key)) ?? 0);
    const first = Math.min(...ends);
    const keys: string[] = [];
    for (let position = first; position <= Math.max(...ends); position += 1) {
      const key = this.keyAt(position);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }
}

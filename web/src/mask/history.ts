/** Undo and redo of a mask, bounded in memory. */
import { type Bitmap, boundsOf, invert, type Rect } from "./bitmap.ts";

const TILE = 64;
const MAX_BYTES = 48 * 1024 * 1024;

/** A change that can be exchanged with the present state: former tiles by their numbers, or an inversion. */
type Change = ReadonlyMap<number, Uint8Array> | "inversion";

/** The changes of a bitmap. `touch` is called before pixels change, `commit` after each stroke. */
export class History {
  readonly #bitmap: Bitmap;
  readonly #columns: number;
  readonly #maxBytes: number;
  #current = new Map<number, Uint8Array>();
  #undone: Change[] = [];
  #done: Change[] = [];

  constructor(bitmap: Bitmap, maxBytes = MAX_BYTES) {
    this.#bitmap = bitmap;
    this.#columns = Math.ceil(bitmap.width / TILE);
    this.#maxBytes = maxBytes;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Remembers the pixels of a rectangle that is about to change. */
  touch({ left, top, right, bottom }: Rect): void {
    if (right <= left || bottom <= top) return;
    for (let row = Math.floor(top / TILE); row * TILE < bottom; row += 1) {
      for (let column = Math.floor(left / TILE); column * TILE < right; column += 1) {
        const tile = row * this.#columns + column;
        if (!this.#current.has(tile)) this.#current.set(tile, this.#read(tile));
      }
    }
  }

  /** Ends a change, unless nothing was different. */
  commit(): void {
    const changed = [...this.#current].filter(([tile, before]) => !equal(before, this.#read(tile)));
    this.#current = new Map();
    if (changed.length > 0) this.#push(new Map(changed));
  }

  /** Takes back what has changed since the last `commit`. */
  revert(): void {
    for (const [tile, before] of this.#current) this.#write(tile, before);
    this.#current = new Map();
  }

  /** Inverts the bitmap. */
  invert(): void {
    invert(this.#bitmap);
    this.#push("inversion");
  }

  /** Clears the bitmap. */
  clear(): void {
    this.touch(boundsOf(this.#bitmap));
    this.#bitmap.data.fill(0);
    this.commit();
  }

  /** Takes the last change back. */
  undo(): void {
    const change = this.#done.pop();
    if (change !== undefined) this.#undone.push(this.#exchange(change));
  }

  /** Makes the last change again that was taken back. */
  redo(): void {
    const change = this.#undone.pop();
    if (change !== undefined) this.#done.push(this.#exchange(change));
  }

  #push(change: Change): void {
    this.#undone = [];
    this.#done.push(change);
    while (
      this.#done.length > 1 &&
      this.#done.reduce((sum, each) => sum + bytesOf(each), 0) > this.#maxBytes
    ) {
      this.#done.shift();
    }
  }

  #exchange(change: Change): Change {
    if (change === "inversion") {
      invert(this.#bitmap);
      return change;
    }
    const present = new Map([...change.keys()].map((tile) => [tile, this.#read(tile)]));
    for (const [tile, pixels] of change) this.#write(tile, pixels);
    return present;
  }

  #read(tile: number): Uint8Array {
    const { data, width } = this.#bitmap;
    const { left, top, right, bottom } = this.#rect(tile);
    const pixels = new Uint8Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y += 1) {
      pixels.set(data.subarray(y * width + left, y * width + right), (y - top) * (right - left));
    }
    return pixels;
  }

  #write(tile: number, pixels: Uint8Array): void {
    const { data, width } = this.#bitmap;
    const { left, top, right, bottom } = this.#rect(tile);
    const stride = right - left;
    for (let y = top; y < bottom; y += 1) {
      data.set(pixels.subarray((y - top) * stride, (y - top + 1) * stride), y * width + left);
    }
  }

  #rect(tile: number): Rect {
    const { width, height } = this.#bitmap;
    const [left, top] = [(tile % this.#columns) * TILE, Math.floor(tile / this.#columns) * TILE];
    return { left, top, right: Math.min(left + TILE, width), bottom: Math.min(top + TILE, height) };
  }
}

function bytesOf(change: Change): number {
  return change === "inversion" ? 0 : [...change.values()].reduce((sum, { length }) => sum + length, 0);
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}

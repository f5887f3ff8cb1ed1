/** The tile that the keyboard is at. */
import { signal } from "@preact/signals";

/** The name of the tile that Tab leads to; undefined for the first one. */
export const currentTile = signal<string | undefined>(undefined);

/** The name of a tile that takes the focus as soon as it is rendered. */
export const wantedFocus = signal<string | undefined>(undefined);

/** Moves the focus to a tile, and scrolls to it. */
export function focusTile(key: string): void {
  currentTile.value = key;
  wantedFocus.value = key;
}

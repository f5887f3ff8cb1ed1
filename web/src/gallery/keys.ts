/** What keys do in the grid. */
import { focusTile } from "./focus.ts";
import { type Layout, moveFocus, rowHeight } from "./layout.ts";
import { addSelected, clearSelection, selected, toggleSelected } from "./selection.ts";
import type { Tiles } from "./tiles.ts";

interface Grid {
  readonly tiles: Tiles;
  readonly layout: Layout;
  /** Position of the tile with the focus. */
  readonly focus: number;
  readonly onDelete: () => void;
}

/** Does what a key asks for; returns whether it asks for anything. */
export function pressKey(event: KeyboardEvent, grid: Grid): boolean {
  return move(event, grid) || select(event, grid);
}

function move({ key, shiftKey }: KeyboardEvent, { tiles, layout, focus }: Grid): boolean {
  const page = Math.max(1, Math.floor(innerHeight / rowHeight(layout)) - 1);
  const target = moveFocus(key, focus, tiles.count, layout, page);
  const to = target === undefined ? undefined : tiles.keyAt(target);
  if (to === undefined) return false;
  if (shiftKey) addSelected(tiles.keysBetween(tiles.keyAt(focus) ?? to, to));
  focusTile(to);
  return true;
}

function select({ key, ctrlKey, metaKey, target }: KeyboardEvent, { tiles, focus, onDelete }: Grid): boolean {
  const here = tiles.keyAt(focus);
  if (here === undefined) return false;
  if (key === " " && isTile(target)) {
    toggleSelected(here);
  } else if (key === "a" && (ctrlKey || metaKey)) {
    addSelected(tiles.keysBetween(tiles.keyAt(0) ?? here, tiles.keyAt(tiles.count - 1) ?? here));
  } else if (key === "Escape" && selected.value.size > 0) {
    clearSelection();
  } else if (key === "Delete") {
    if (selected.value.size === 0) toggleSelected(here);
    onDelete();
  } else {
    return false;
  }
  return true;
}

/** Whether a key belongs to a tile, and not to its checkbox. */
export function isTile(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement;
}

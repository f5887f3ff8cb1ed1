/** The arithmetic of the grid: square tiles in rows, of which only those near the screen are rendered. */

/** Pixels between tiles. */
export const GAP = 8;
/** Rows that are rendered above and below the screen. */
const OVERSCAN = 2;
const MIN_TILE = 176;
const MIN_TILE_NARROW = 104;
const NARROW = 600;

export interface Layout {
  readonly columns: number;
  /** Side of a tile in pixels. */
  readonly tile: number;
}

/** Positions of tiles, from `first` to before `end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** Columns and tiles for a width in pixels. */
export function layoutFor(width: number): Layout {
  const least = width < NARROW ? MIN_TILE_NARROW : MIN_TILE;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  return { columns, tile: Math.max(1, (width - GAP * (columns - 1)) / columns) };
}

/** Distance from a row to the next. */
export function rowHeight({ tile }: Layout): number {
  return tile + GAP;
}

/** Height of a grid in pixels. */
export function gridHeight(layout: Layout, tiles: number): number {
  const rows = Math.ceil(tiles / layout.columns);
  return Math.max(0, rows * rowHeight(layout) - GAP);
}

/** The top left corner of a tile in pixels. */
export function cornerOf(layout: Layout, position: number): { readonly x: number; readonly y: number } {
  const row = Math.floor(position / layout.columns);
  return { x: (position - row * layout.columns) * rowHeight(layout), y: row * rowHeight(layout) };
}

/** The tiles to render while some rows are on the screen. */
export function rangeFor({ columns }: Layout, tiles: number, firstRow: number, endRow: number): Range {
  const first = Math.min(tiles, Math.max(0, firstRow - OVERSCAN) * columns);
  return { first, end: Math.max(first, Math.min(tiles, (endRow + OVERSCAN) * columns)) };
}

/** Where a key moves the focus from a tile; undefined for other keys. `page` is the number of rows on the screen. */
export function moveFocus(
  key: string,
  position: number,
  tiles: number,
  { columns }: Layout,
  page: number,
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -position,
    End: tiles - 1 - position,
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  const target = position + step;
  if (target >= 0 && target < tiles) return target;
  if (key === "PageUp") return position % columns;
  return key === "PageDown" || key === "ArrowDown" ? Math.max(position, tiles - 1) : position;
}

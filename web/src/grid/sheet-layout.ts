/** Where the parts of a grid's sheet are, in pixels of the unscaled sheet. */
import { cellsOf, indices } from "./plan.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SheetLayout {
  /** The size of the canvas, after scaling. */
  readonly width: number;
  readonly height: number;
  /** What all lengths are multiplied with to fit the limits; 1 if they fit. */
  readonly scale: number;
  readonly fontSize: number;
  readonly title: Box;
  readonly columnLabels: readonly Box[];
  readonly rowLabels: readonly Box[];
  /** Row by row. */
  readonly cells: readonly Box[];
}

export interface SheetParts {
  readonly columns: number;
  readonly rows: number;
  /** The size of the largest image. */
  readonly cell: { readonly width: number; readonly height: number };
  /** The width of the longest label of a row in a font size; 0 without labels. */
  readonly rowLabelWidth: (fontSize: number) => number;
}

/** The largest side that all browsers draw. */
const MAX_SIDE = 8192;
/** The largest area that all browsers draw, phones included. */
const MAX_AREA = 4096 * 4096;
const FONT_SHARE = 0.045;
const MIN_FONT = 12;
const MAX_FONT = 40;
/** Longer labels of rows end with an ellipsis. */
const MAX_LABEL_FONTS = 16;

/** Lays out a title, labels above the columns and beside the rows, and the images. */
export function sheetLayout({ columns, rows, cell, rowLabelWidth }: SheetParts): SheetLayout {
  const fontSize = Math.round(Math.min(Math.max(cell.width * FONT_SHARE, MIN_FONT), MAX_FONT));
  const gap = Math.round(fontSize / 2);
  const line = fontSize * 2;
  const labelWidth = Math.ceil(Math.min(rowLabelWidth(fontSize), fontSize * MAX_LABEL_FONTS));
  const left = labelWidth === 0 ? gap : labelWidth + 2 * gap;
  const top = gap + line * 2;
  const at = (column: number, row: number): Box => ({
    x: left + column * (cell.width + gap),
    y: top + row * (cell.height + gap),
    ...cell,
  });
  const fullWidth = left + columns * (cell.width + gap);
  const fullHeight = top + rows * (cell.height + gap);
  const scale = Math.min(
    1,
    MAX_SIDE / fullWidth,
    MAX_SIDE / fullHeight,
    Math.sqrt(MAX_AREA / (fullWidth * fullHeight)),
  );
  return {
    width: Math.floor(fullWidth * scale),
    height: Math.floor(fullHeight * scale),
    scale,
    fontSize,
    title: { x: gap, y: gap, width: fullWidth - 2 * gap, height: line },
    columnLabels: indices(columns).map((column) => ({ ...at(column, 0), y: gap + line, height: line })),
    rowLabels:
      labelWidth === 0 ? [] : indices(rows).map((row) => ({ ...at(0, row), x: gap, width: labelWidth })),
    cells: cellsOf(columns, rows).map(({ column, row }) => at(column, row)),
  };
}

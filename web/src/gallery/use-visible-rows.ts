import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { type Layout, layoutFor, rowHeight } from "./layout.ts";

/** The part of a grid that is on the screen. */
export interface VisibleRows {
  readonly layout: Layout;
  readonly firstRow: number;
  /** The row after the last visible one. */
  readonly endRow: number;
}

/** Follows the width of a grid and the part of it that is on the screen; undefined before the first look. */
export function useVisibleRows(grid: RefObject<HTMLElement | null>): VisibleRows | undefined {
  const [rows, setRows] = useState<VisibleRows>();
  useLayoutEffect(() => {
    let frame = 0;
    const look = (): void => {
      frame = 0;
      if (grid.current === null) return;
      const { top, width } = grid.current.getBoundingClientRect();
      setRows((before) => withRows(before, width, -top, innerHeight - top));
    };
    const lookSoon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", lookSoon, { passive: true });
    addEventListener("resize", lookSoon, { passive: true });
    const observer = new ResizeObserver(lookSoon);
    if (grid.current?.parentElement) observer.observe(grid.current.parentElement);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", lookSoon);
      removeEventListener("resize", lookSoon);
      observer.disconnect();
    };
  }, [grid]);
  return rows;
}

function withRows(before: VisibleRows | undefined, width: number, top: number, bottom: number): VisibleRows {
  const fitted = layoutFor(width);
  const layout = before !== undefined && before.layout.tile === fitted.tile ? before.layout : fitted;
  const height = rowHeight(layout);
  const firstRow = Math.max(0, Math.floor(top / height));
  const endRow = Math.max(0, Math.ceil(bottom / height));
  const same = before?.layout === layout && before.firstRow === firstRow && before.endRow === endRow;
  return same ? before : { layout, firstRow, endRow };
}

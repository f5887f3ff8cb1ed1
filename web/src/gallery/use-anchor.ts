import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { tileOf } from "./entries.ts";
import { cornerOf, type Layout, rowHeight } from "./layout.ts";
import type { Tiles } from "./tiles.ts";

interface Anchor {
  readonly key: string;
  /** Distance of its row from the top of the screen. */
  readonly top: number;
}

/** Keeps the tiles on the screen where they are when others arrive or go above them, or when the width changes. */
export function useAnchor(
  grid: RefObject<HTMLElement | null>,
  layout: Layout | undefined,
  tiles: Tiles,
): void {
  const anchor = useRef<Anchor | undefined>(undefined);
  const state = useRef({ layout, tiles });
  state.current = { layout, tiles };

  const note = (): void => {
    const now = state.current;
    const top = grid.current?.getBoundingClientRect().top ?? 0;
    anchor.current = undefined;
    // At the top of the page new tiles are what the visitor wants to see.
    if (now.layout === undefined || top >= 0) return;
    const row = Math.floor(-top / rowHeight(now.layout)) + 1;
    const key = now.tiles.keyAt(row * now.layout.columns);
    if (key !== undefined) anchor.current = { key, top: top + row * rowHeight(now.layout) };
  };

  const restore = (): void => {
    const now = state.current;
    if (now.layout === undefined || anchor.current === undefined || grid.current === null) return;
    const position = now.tiles.positionOf(tileOf(anchor.current.key));
    if (position === undefined) return;
    const top = grid.current.getBoundingClientRect().top + cornerOf(now.layout, position).y;
    if (Math.abs(top - anchor.current.top) > 1) scrollBy(0, top - anchor.current.top);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the functions read the newest state
  useLayoutEffect(() => {
    restore();
    note();
  }, [layout, tiles]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the functions read the newest state
  useLayoutEffect(() => {
    addEventListener("scroll", note, { passive: true });
    const observer = new ResizeObserver(restore);
    if (grid.current?.parentElement) observer.observe(grid.current.parentElement);
    return () => {
      removeEventListener("scroll", note);
      observer.disconnect();
    };
  }, []);
}

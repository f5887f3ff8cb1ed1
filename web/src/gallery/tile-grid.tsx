import { useLayoutEffect, useRef } from "preact/hooks";
import { openImage } from "../app/route.ts";
import { keyOf, type Tile as TileId, tileOf } from "./entries.ts";
import { currentTile, wantedFocus } from "./focus.ts";
import type { JobList } from "./job-list.ts";
import { isTile, pressKey } from "./keys.ts";
import { cornerOf, gridHeight, type Range, rangeFor } from "./layout.ts";
import { text } from "./messages.ts";
import { addSelected, selected, toggleSelected } from "./selection.ts";
import { type Press, Tile } from "./tile.tsx";
import { useAnchor } from "./use-anchor.ts";
import { useLoading } from "./use-loading.ts";
import { useVisibleRows } from "./use-visible-rows.ts";

interface TileGridProps {
  readonly list: JobList;
  /** Asks whether to delete the selected tiles. */
  readonly onDelete: () => void;
}

/** The images of a list of jobs. Only those near the screen are rendered; the places of all are computed. */
export function TileGrid({ list, onDelete }: TileGridProps) {
  const grid = useRef<HTMLUListElement>(null);
  const lastPressed = useRef<string | undefined>(undefined);
  const tiles = list.tiles.value;
  const rows = useVisibleRows(grid);
  const layout = rows?.layout;
  const range = rows && rangeFor(rows.layout, tiles.count, rows.firstRow, rows.endRow);
  useAnchor(grid, layout, tiles);
  useLoading(list, range);

  const current = currentTile.value;
  const found = current === undefined ? undefined : tiles.positionOf(tileOf(current));
  const focus = found ?? range?.first ?? 0;

  const wanted = wantedFocus.value;
  useLayoutEffect(() => {
    const button = wanted && grid.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted)}"]`);
    if (!button) return;
    wantedFocus.value = undefined;
    button.focus({ preventScroll: true });
    button.scrollIntoView({ block: "nearest" });
  });

  const press = (tile: TileId, how: Press): void => {
    const key = keyOf(tile);
    currentTile.value = key;
    if (how === "range") addSelected(tiles.keysBetween(lastPressed.current ?? key, key));
    else if (how === "toggle") toggleSelected(key);
    else openImage(tile.id, tile.index);
    lastPressed.current = key;
  };

  return (
    <ul
      ref={grid}
      class="tiles"
      aria-label={text.images()}
      style={{ height: layout === undefined ? "0" : `${gridHeight(layout, tiles.count)}px` }}
      onKeyDown={(event) => {
        if (layout !== undefined && pressKey(event, { tiles, layout, focus, onDelete }))
          event.preventDefault();
      }}
      onKeyUp={(event) => {
        if (event.key === " " && isTile(event.target)) event.preventDefault();
      }}
    >
      {layout !== undefined &&
        renderedPositions(range, found).map((position) => {
          const tile = tiles.at(position);
          if (tile === undefined) return null;
          const key = keyOf(tile);
          return (
            <Tile
              key={key}
              tile={tile}
              {...cornerOf(layout, position)}
              size={layout.tile}
              position={position}
              tiles={tiles.count}
              isCurrent={position === focus}
              isSelected={selected.value.has(key)}
              isSelecting={selected.value.size > 0}
              onPress={press}
            />
          );
        })}
    </ul>
  );
}

/** The positions near the screen, and the one with the focus: without its tile the focus would be lost. */
function renderedPositions(range: Range | undefined, focus: number | undefined): readonly number[] {
  if (range === undefined) return [];
  const positions = Array.from({ length: range.end - range.first }, (_, step) => range.first + step);
  if (focus === undefined || (focus >= range.first && focus < range.end)) return positions;
  return focus < range.first ? [focus, ...positions] : [...positions, focus];
}

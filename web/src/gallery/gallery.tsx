import { useEffect, useState } from "preact/hooks";
import { DeleteDialog } from "./delete-dialog.tsx";
import { tileOf } from "./entries.ts";
import { focusTile } from "./focus.ts";
import type { JobList } from "./job-list.ts";
import { ListEnd } from "./list-end.tsx";
import { clearSelection, selected } from "./selection.ts";
import { SelectionBar } from "./selection-bar.tsx";
import { TileGrid } from "./tile-grid.tsx";
import { useJobList } from "./use-job-list.ts";

interface Deletion {
  readonly keys: readonly string[];
  /** Position of the first tile: the one that takes its place gets the focus. */
  readonly place: number;
}

/** The images of a list of jobs, and what can be done with several of them. */
export function Gallery({ list }: { readonly list: JobList }) {
  const [deleting, setDeleting] = useState<Deletion>();
  useJobList(list);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has other images
  useEffect(() => clearSelection, [list]);
  const askToDelete = (): void => {
    const keys = [...selected.value];
    const places = keys.map((key) => list.tiles.peek().positionOf(tileOf(key)) ?? 0);
    setDeleting({ keys, place: Math.min(...places) });
  };
  const focusPlace = (place: number): void => {
    const tiles = list.tiles.peek();
    const key = tiles.keyAt(Math.min(place, tiles.count - 1));
    if (key !== undefined) focusTile(key);
  };
  return (
    <>
      {selected.value.size > 0 && <SelectionBar onDelete={askToDelete} />}
      <TileGrid list={list} onDelete={askToDelete} />
      <ListEnd list={list} />
      {deleting !== undefined && (
        <DeleteDialog
          keys={deleting.keys}
          onClose={() => setDeleting(undefined)}
          onDeleted={() => focusPlace(deleting.place)}
        />
      )}
    </>
  );
}

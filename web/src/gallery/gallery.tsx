import { useEffect, useState } from "preact/hooks";
import { DeleteDialog } from "./delete-dialog.tsx";
import type { JobList } from "./job-list.ts";
import { ListEnd } from "./list-end.tsx";
import { clearSelection, selected } from "./selection.ts";
import { SelectionBar } from "./selection-bar.tsx";
import { TileGrid } from "./tile-grid.tsx";
import { useJobList } from "./use-job-list.ts";

/** The images of a list of jobs, and what can be done with several of them. */
export function Gallery({ list }: { readonly list: JobList }) {
  const [deleting, setDeleting] = useState<readonly string[]>();
  useJobList(list);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has other images
  useEffect(() => clearSelection, [list]);
  const askToDelete = (): void => setDeleting([...selected.value]);
  return (
    <>
      {selected.value.size > 0 && <SelectionBar onDelete={askToDelete} />}
      <TileGrid list={list} onDelete={askToDelete} />
      <ListEnd list={list} />
      {deleting !== undefined && <DeleteDialog keys={deleting} onClose={() => setDeleting(undefined)} />}
    </>
  );
}

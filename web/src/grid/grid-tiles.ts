import { entryOf } from "../gallery/entries.ts";
import { Tiles } from "../gallery/tiles.ts";
import { jobSignal } from "../state/jobs.ts";
import { gridSignal } from "./grids.ts";
import { cellKey, cellsOf } from "./plan.ts";

/** The images of a grid, row by row. */
export function gridTiles(id: string): Tiles {
  const data = gridSignal(id).value;
  if (data === undefined) return new Tiles([]);
  const entries = cellsOf(data.x.values.length, data.y?.values.length ?? 1).flatMap((cell) => {
    const jobId = data.cells.get(cellKey(cell));
    const job = jobId === undefined ? undefined : jobSignal(jobId).value;
    return job === undefined || job.images.length === 0 ? [] : [entryOf(job)];
  });
  return new Tiles(entries);
}

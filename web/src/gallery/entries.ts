/** The list of jobs, light enough for thousands: ids, newest first, and how many tiles each job takes. */
import { isTerminal, type Job } from "../api/types.ts";

export interface Entry {
  readonly id: string;
  /** Tiles: one an image; one for a job that has ended without images; none while it is unfinished. */
  readonly tiles: number;
}

/** A tile: an image of a job, or the job itself if it has ended without images. */
export interface Tile {
  readonly id: string;
  readonly index: number;
}

/** The part of the list that an answer covers: ids below `from`, down to `to`; undefined for the ends. */
export interface Span {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** A job's entry. */
export function entryOf(job: Job): Entry {
  return { id: job.id, tiles: isTerminal(job.status) ? Math.max(job.images.length, 1) : 0 };
}

/**
 * The list with an answer in it: entries of the covered part that the answer lacks are gone.
 *
 * @param keeps Whether an entry stays although the answer lacks it: lists are a moment behind new jobs.
 */
export function mergePage(
  entries: readonly Entry[],
  page: readonly Entry[],
  { from, to }: Span,
  keeps: (id: string) => boolean,
): readonly Entry[] {
  const fresh = new Set(page.map(({ id }) => id));
  const covered = (id: string): boolean =>
    (from === undefined || id < from) && (to === undefined || id >= to);
  const others = entries.filter(({ id }) => !fresh.has(id) && (!covered(id) || keeps(id)));
  return [...others, ...page].sort((one, other) => (one.id < other.id ? 1 : -1));
}

/** The list with a job's changed number of tiles; the same list if nothing has changed. */
export function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const index = entries.findIndex(({ id }) => id === entry.id);
  return index < 0 || entries[index]?.tiles === entry.tiles ? entries : entries.with(index, entry);
}

/** A tile's name, for keys and sets. */
export function keyOf({ id, index }: Tile): string {
  return `${id}/${index}`;
}

/** The tile of a name. */
export function tileOf(key: string): Tile {
  const [id = "", index = "0"] = key.split("/");
  return { id, index: Number(index) };
}

/** The tags of a grid's jobs, by which the grid is found again and its cells are put in their places. */
import type { AxisValue } from "./axis-values.ts";
import type { Place } from "./replacement.ts";

/** The tag of one job of each grid, to list the grids by. */
export const GRID_TAG = "grid";

/** Tags of a job that a grid needs. */
export const NEEDED_TAGS = 4;

const MAX_LENGTH = 64;
const OF_GRIDS = /^grid(?:$|:|\.[xy]:)/;
const ALLOWED = /^[\p{L}\p{N}_.:/=+@-]+$/u;
const AXIS = /^grid\.([xy]):([\w/]+):(\d{1,2})\/(\d{1,2})(?::(.+))?$/;
const PLACE = /^(\d+)\+(\d+)$/;

/** A job's place on an axis. */
export interface AxisPlace {
  readonly path: string;
  readonly index: number;
  readonly count: number;
  /** The value as text, or its place in the prompt; undefined if only the request has it. */
  readonly value?: string | Place;
}

/** What a job's tags say of its grid. */
export interface GridPlace {
  readonly id: string;
  readonly x: AxisPlace;
  readonly y: AxisPlace | undefined;
}

/** The tag of all jobs of a grid. */
export function gridTag(id: string): string {
  return `${GRID_TAG}:${id}`;
}

/** The tags that a visitor has given a job. */
export function ownTags(tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => !OF_GRIDS.test(tag));
}

/** The tag of a job's place on an axis. A value that a tag cannot hold is left out. */
export function axisTag(
  axis: "x" | "y",
  { path, index, count }: AxisPlace,
  value: AxisValue | Place,
): string {
  const place = `${GRID_TAG}.${axis}:${path}:${index}/${count}`;
  const tag = `${place}:${typeof value === "object" ? `${value.start}+${value.length}` : value}`;
  return tag.length <= MAX_LENGTH && ALLOWED.test(tag) ? tag : place;
}

/** What the tags say of the job's grid; undefined if it belongs to none. */
export function parseTags(tags: readonly string[]): GridPlace | undefined {
  const id = tags.map((each) => /^grid:(\w+)$/.exec(each)?.[1]).find((each) => each !== undefined);
  const axes = new Map(tags.map((each) => parseAxis(each)).filter((each) => each !== undefined));
  const x = axes.get("x");
  return id === undefined || x === undefined ? undefined : { id, x, y: axes.get("y") };
}

function parseAxis(tag: string): readonly [string, AxisPlace] | undefined {
  const [, axis, path, index, count, value] = AXIS.exec(tag) ?? [];
  if (axis === undefined || path === undefined || Number(index) >= Number(count)) return undefined;
  const place = { path, index: Number(index), count: Number(count) };
  if (value === undefined) return [axis, place];
  const [, start, length] = (path === "prompt" && PLACE.exec(value)) || [];
  return [
    axis,
    { ...place, value: start === undefined ? value : { start: Number(start), length: Number(length) } },
  ];
}

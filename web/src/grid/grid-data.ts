/** A grid as its jobs describe it, in this browser or another one. */
import type { Job } from "../api/types.ts";
import { valueIn } from "../state/paths.ts";
import type { AxisValue } from "./axis-values.ts";
import { cellKey, type Plan } from "./plan.ts";
import { type AxisPlace, parseTags } from "./tags.ts";

export interface AxisData {
  readonly path: string;
  /** Undefined for those that no known job has. */
  readonly values: readonly (AxisValue | undefined)[];
}

export interface GridData {
  readonly x: AxisData;
  readonly y: AxisData | undefined;
  /** The newest job of each cell, by `cellKey`. */
  readonly cells: ReadonlyMap<string, string>;
}

/** A planned grid without jobs. */
export function dataOfPlan({ x, y }: Plan): GridData {
  return { x, y, cells: new Map() };
}

/** The grid with a job in its place. Jobs whose tags do not fit the grid change nothing. */
export function withJob(data: GridData | undefined, job: Job): GridData | undefined {
  const place = parseTags(job.tags);
  if (place === undefined) return data;
  const x = withValue(data?.x, place.x, job);
  const y = place.y === undefined ? undefined : withValue(data?.y, place.y, job);
  if (x === undefined || (place.y !== undefined && y === undefined)) return data;
  const cells = new Map(data?.cells);
  const key = cellKey({ column: place.x.index, row: place.y?.index ?? 0 });
  if ((cells.get(key) ?? "") < job.id) cells.set(key, job.id);
  return { x, y, cells };
}

function withValue(axis: AxisData | undefined, place: AxisPlace, job: Job): AxisData | undefined {
  const { path, index, count } = place;
  const { values } = axis ?? { values: Array.from<AxisValue | undefined>({ length: count }) };
  if (index >= values.length || (axis !== undefined && axis.path !== path)) return undefined;
  return { path, values: values.with(index, requestedValue(place, job)) };
}

function requestedValue({ path, value }: AxisPlace, { request }: Job): AxisValue | undefined {
  if (typeof value === "string") return value;
  if (value !== undefined) return request.prompt.slice(value.start, value.start + value.length);
  const found = valueIn(request, path);
  return typeof found === "string" || typeof found === "number" ? found : undefined;
}

/** A grid before its jobs: the request that its cells share, and the values of its axes. */
import type { Submission } from "../api/types.ts";
import { withValueIn } from "../state/paths.ts";
import type { AxisValue } from "./axis-values.ts";
import { replaceTexts } from "./replacement.ts";
import { axisTag, gridTag } from "./tags.ts";

export interface Axis {
  readonly path: string;
  /** For the prompt, the first value is the text that the others replace. */
  readonly values: readonly AxisValue[];
}

export interface Plan {
  readonly id: string;
  readonly base: Submission;
  readonly x: Axis;
  readonly y: Axis | undefined;
}

/** A cell by its column and row, from 0. */
export interface Cell {
  readonly column: number;
  readonly row: number;
}

/** The key of a cell in maps. */
export function cellKey({ column, row }: Cell): string {
  return `${column}.${row}`;
}

/** The numbers from 0 to below the count. */
export function indices(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The cells of a grid, row by row. */
export function cellsOf(columns: number, rows: number): readonly Cell[] {
  return indices(rows).flatMap((row) => indices(columns).map((column) => ({ column, row })));
}

/** The request of a cell. */
export function cellRequest({ id, base, x, y }: Plan, { column, row }: Cell): Submission {
  const axes = [
    { name: "x" as const, axis: x, index: column },
    ...(y === undefined ? [] : [{ name: "y" as const, axis: y, index: row }]),
  ];
  const replacing = axes.filter(({ axis }) => axis.path === "prompt");
  const { result, places } = replaceTexts(
    base.prompt,
    replacing.map(({ axis, index }) => ({
      search: String(axis.values[0]),
      value: String(axis.values[index]),
    })),
  );
  let request: Submission = { ...base, prompt: result };
  const tags = [...(base.tags ?? []), gridTag(id)];
  for (const each of axes) {
    const { path, values } = each.axis;
    const value = values[each.index] ?? "";
    if (path !== "prompt") request = withValueIn(request, path, value);
    const place = { path, index: each.index, count: values.length };
    tags.push(axisTag(each.name, place, places[replacing.indexOf(each)] ?? value));
  }
  return { ...request, tags };
}

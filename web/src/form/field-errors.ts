/** Which of the API's errors still stand beside their fields. */
import type { FieldError } from "../api/types.ts";
import { valueIn } from "../state/paths.ts";

/** What the form held when it was submitted: its fields and, in place of its images, their ids. */
export interface Snapshot {
  readonly model?: unknown;
  readonly [name: string]: unknown;
}

/**
 * The sentences by the paths of their fields, `loras/0/weight`. An error stands while its field is as it was when
 * the form was submitted; all are void once the model is another.
 */
export function standingErrors(
  errors: readonly FieldError[],
  then: Snapshot,
  now: Snapshot,
): ReadonlyMap<string, string> {
  const standing = new Map<string, string>();
  if (then.model !== now.model && !errors.some((each) => pathOf(each) === "model")) return standing;
  for (const error of errors) {
    const path = pathOf(error);
    if (!isEqual(valueIn(then, path), valueIn(now, path))) continue;
    const known = standing.get(path);
    standing.set(path, known === undefined ? error.detail : `${known}; ${error.detail}`);
  }
  return standing;
}

/** The errors at a path and below it. */
export function errorsWithin(errors: ReadonlyMap<string, string>, path: string): readonly string[] {
  return [...errors]
    .filter(([each]) => each === path || each.startsWith(`${path}/`))
    .map(([, detail]) => detail);
}

function pathOf({ pointer }: FieldError): string {
  return pointer.replace(/^#?\/?/, "");
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

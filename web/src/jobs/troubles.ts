/** Jobs that have ended without images since the page was opened, until the visitor hides them. */
import { signal } from "@preact/signals";
import { isTerminal } from "../api/types.ts";
import { onJobChange } from "../state/jobs.ts";

const MAX_TROUBLES = 4;

const found = signal<readonly string[]>([]);

/** Their ids, the newest first. */
export const troubles: { readonly value: readonly string[] } = found;

onJobChange((id, after, before) => {
  if (after === undefined) hideTrouble(id);
  else if (before !== undefined && !isTerminal(before.status) && isTerminal(after.status)) {
    if (after.status !== "succeeded") found.value = [id, ...found.value].slice(0, MAX_TROUBLES);
  }
});

/** Hides a job's card; the job stays in the gallery. */
export function hideTrouble(id: string): void {
  if (found.value.includes(id)) found.value = found.value.filter((each) => each !== id);
}

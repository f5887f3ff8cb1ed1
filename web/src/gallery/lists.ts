/** The lists of jobs that the page shows. */
import { computed } from "@preact/signals";
import { call } from "../api/client.ts";
import { ApiError, ConnectionError } from "../api/errors.ts";
import { jobSignal, putListed } from "../state/jobs.ts";
import { filters } from "./filters.ts";
import { JobList } from "./job-list.ts";

/** All jobs. */
export const allJobs = new JobList({});

/** The jobs that the filters leave. */
export const filteredJobs = computed(() =>
  Object.keys(filters.value).length === 0 ? allJobs : new JobList(filters.value),
);

/** Puts a new job at the beginning of the list; its state is known. */
export function addToFeed(id: string): void {
  const job = jobSignal(id).peek();
  if (job !== undefined) allJobs.add(job);
}

let hasFoundUnfinished = false;

/** Finds unfinished jobs of before the page was loaded, however many others came after them. */
export async function findUnfinished(): Promise<void> {
  if (hasFoundUnfinished) return;
  try {
    for (const status of ["running", "queued"] as const) {
      const asOf = Date.now();
      const { data } = await call("listJobs", { query: { status, limit: 100 } });
      for (const job of data.data) putListed(job, asOf);
    }
    hasFoundUnfinished = true;
  } catch (error) {
    // The list that is loaded at the same time shows the error; both are asked for again.
    if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
  }
}

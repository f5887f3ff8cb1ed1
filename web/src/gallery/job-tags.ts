/** Tags of jobs. */
import { call } from "../api/client.ts";
import type { Job } from "../api/types.ts";
import { jobSignal, putListed, refreshJob } from "../state/jobs.ts";
import { FAVORITE } from "./filters.ts";

/** Whether a job is a favourite. */
export function isFavorite(job: Job): boolean {
  return job.tags.includes(FAVORITE);
}

/** Makes a job a favourite, or an ordinary one; shown at once. Throws what `call` throws. */
export async function setFavorite(id: string, value: boolean): Promise<void> {
  const job = jobSignal(id).peek() ?? (await refreshJob(id));
  const others = job.tags.filter((each) => each !== FAVORITE);
  const tags = value ? [...others, FAVORITE] : others;
  jobSignal(id).value = { ...job, tags };
  try {
    const { data } = await call("updateJob", { path: { job_id: id }, body: { tags } });
    putListed(data);
  } catch (error) {
    const now = jobSignal(id).peek();
    if (now !== undefined) jobSignal(id).value = { ...now, tags: job.tags };
    throw error;
  }
}

/** Tags of jobs. */
import { call } from "../api/client.ts";
import type { Job } from "../api/types.ts";
import { jobSignal, putTags, refreshJob } from "../state/jobs.ts";
import { FAVORITE } from "./filters.ts";

/** Whether a job is a favourite. */
export function isFavorite(job: Job): boolean {
  return job.tags.includes(FAVORITE);
}

/** Makes a job a favourite, or an ordinary one; shown at once. Throws what `call` throws. */
export async function setFavorite(id: string, value: boolean): Promise<void> {
  const { tags: before } = jobSignal(id).peek() ?? (await refreshJob(id));
  const others = before.filter((each) => each !== FAVORITE);
  const tags = value ? [...others, FAVORITE] : others;
  putTags(id, tags);
  try {
    await call("updateJob", { path: { job_id: id }, body: { tags } });
    putTags(id, tags);
  } catch (error) {
    putTags(id, before);
    throw error;
  }
}

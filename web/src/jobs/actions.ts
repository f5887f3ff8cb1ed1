/** What a visitor can do with a job. */
import { call } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import type { Submission } from "../api/types.ts";
import { addToFeed } from "../gallery/lists.ts";
import { forgetJob, jobSignal, putJob, refreshJob } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { errorText } from "../ui/error-text.ts";

/** Cancels a job, and shows that at once. A job that has ended meanwhile shows how. */
export async function cancelJob(id: string): Promise<void> {
  const job = jobSignal(id);
  const before = job.peek();
  if (before !== undefined) job.value = { ...before, phase: "canceling" };
  try {
    const { data } = await call("cancelJob", { path: { job_id: id } });
    putJob(data);
  } catch (error) {
    if (error instanceof ApiError && error.code === "already_terminal") {
      await refreshJob(id).catch((later: unknown) => notify("error", errorText(later)));
      return;
    }
    if (job.peek()?.phase === "canceling") job.value = before;
    notify("error", errorText(error));
  }
}

/** Submits a job; returns whether that has succeeded. Errors are shown. */
export async function submitAgain(submission: Submission): Promise<boolean> {
  try {
    const { data } = await call("submitJob", {
      header: { "Idempotency-Key": crypto.randomUUID() },
      body: submission,
    });
    putJob(data);
    addToFeed(data.id);
    return true;
  } catch (error) {
    notify("error", errorText(error));
    return false;
  }
}

/** Deletes a job that has ended, with its images. Throws what `call` throws; a job that is gone is deleted. */
export async function deleteJob(id: string): Promise<void> {
  try {
    await call("deleteJob", { path: { job_id: id } });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  }
  forgetJob(id);
}

/** Descriptions of a job's state. */
import type { Job, JobStatus } from "../api/types.ts";
import { text } from "./messages.ts";

const STEP_S = 5;
/** Shorter times are "a moment". */
const MOMENT_S = 1.5;
/** The share of the steps from which a job ends in a moment. */
const NEARLY = 0.9;

/** A duration as a visitor needs it: seconds, in steps of five above twenty, then minutes and hours. */
export function durationText(seconds: number): string {
  if (seconds < MOMENT_S) return text.moment();
  if (seconds <= 20) return text.seconds(Math.round(seconds));
  if (seconds < 58) return text.seconds(Math.round(seconds / STEP_S) * STEP_S);
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? text.minutes(minutes) : text.hours(Math.round(minutes / 60));
}

/** What an unfinished job is doing. `eta` is the number of seconds to show, if it is known. */
export function phaseText(job: Job, eta: number | undefined): string {
  const { progress, position } = job;
  switch (job.phase) {
    case "waking_capacity":
      return eta === undefined ? text.waking() : text.wakingFor(durationText(eta));
    case "queued":
      if (position === null) return text.queued();
      return position === 1 ? text.next() : text.place(position);
    case "loading_model":
      return text.loadingModel();
    case "denoising":
      return progress !== null && progress.total_steps > 0
        ? text.step(progress.step, progress.total_steps)
        : text.denoising();
    case "uploading":
      return text.uploading();
    case "canceling":
      return text.canceling();
    case null:
      return statusText(job.status);
  }
}

/** The name of a status. */
export function statusText(status: JobStatus): string {
  return text[status]();
}

/** The share of a job's steps that is done; undefined while it is not known. */
export function progressShare(job: Job): number | undefined {
  if (job.phase === "uploading") return 1;
  const { progress } = job;
  if (job.phase !== "denoising" || progress === null || progress.total_steps === 0) return undefined;
  return Math.min(1, progress.step / progress.total_steps);
}

/** How long a job still takes; undefined if that is not known, or if the estimate has passed long before the end. */
export function remainingText(job: Job, eta: number | undefined): string | undefined {
  if (eta === undefined || job.phase === "waking_capacity" || job.phase === "canceling") return undefined;
  const isLate = eta < MOMENT_S && (progressShare(job) ?? 0) < NEARLY;
  return isLate ? undefined : durationText(eta);
}

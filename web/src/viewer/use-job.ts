import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import type { Job } from "../api/types.ts";
import { needsLinks } from "../jobs/merge.ts";
import { jobSignal, refreshJob } from "../state/jobs.ts";
import { checkRepeatedly } from "../state/wake.ts";
import { text } from "./messages.ts";

/** A job that is loaded if the page does not know it, and whose links are renewed before they end. */
export function useJob(id: string): { readonly job: Job | undefined; readonly error: unknown } {
  const job = jobSignal(id).value;
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setError(undefined);
    const check = (): void => {
      if (!needsLinks(jobSignal(id).peek(), Date.now())) return;
      refreshJob(id).then(
        () => setError(undefined),
        (failure: unknown) => {
          const isGone = failure instanceof ApiError && failure.status === 404;
          setError(isGone ? new ApiError(404, { detail: text.missing() }) : failure);
        },
      );
    };
    return checkRepeatedly(check);
  }, [id]);
  return { job, error };
}

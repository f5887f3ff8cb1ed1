import { call, pause } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import type { Job, Submission } from "../api/types.ts";
import { isPassing } from "../state/connection.ts";
import { isSignedIn, whenSignedIn } from "../state/session.ts";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 20_000;
/** Submissions that the API itself fails to answer are repeated so often. */
const MAX_FAILURES = 8;

/**
 * Submits a job, again through lost connections, a busy API and ended sessions.
 *
 * All attempts have one key, so that they make one job. Throws the API's refusal, or what aborts the signal.
 */
export async function submitUntilAnswered(request: Submission, signal: AbortSignal): Promise<Job> {
  const header = { "Idempotency-Key": crypto.randomUUID() };
  let failures = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return (await call("submitJob", { header, body: request, signal })).data;
    } catch (error) {
      if (error instanceof ApiError && isSignedIn.value) failures += 1;
      if (signal.aborted || failures === MAX_FAILURES || !isWorthRepeating(error)) throw error;
      await whenSignedIn();
      await pause(pauseMs, signal);
    }
  }
}

function isWorthRepeating(error: unknown): boolean {
  if (isPassing(error)) return true;
  if (!(error instanceof ApiError)) return false;
  return error.isAccess ? !isSignedIn.value : error.retryable;
}

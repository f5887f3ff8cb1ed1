/** Follows unfinished jobs: one request in flight a job, in turns, through lost connections and ended sessions. */
import { pause } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import { isPassing } from "./connection.ts";
import { pollInterval, retryInterval, takeTurns } from "./pace.ts";
import { whenSignedIn } from "./session.ts";
import { pauseUntilWake } from "./wake.ts";

const SPACING_MS = 200;

const followed = new Set<string>();
const waitForTurn = takeTurns(SPACING_MS);

/** What following a job needs. */
export interface Followed {
  /** Whether the job may still change. */
  readonly isUnfinished: () => boolean;
  /** Gets the job; returns the seconds until the next request that the API asks for. */
  readonly poll: () => Promise<number | undefined>;
  /** The job does not exist any more. */
  readonly onGone: () => void;
}

/** Follows a job until it has ended; a job that is followed already is not followed twice. */
export async function follow(id: string, job: Followed): Promise<void> {
  if (followed.has(id)) return;
  followed.add(id);
  try {
    let failures = 0;
    while (job.isUnfinished()) {
      await pause(waitForTurn(Date.now()));
      try {
        const retryAfter = await job.poll();
        failures = 0;
        if (job.isUnfinished()) await pauseUntilWake(pollInterval(retryAfter, document.hidden));
      } catch (error) {
        failures += 1;
        await recover(error, failures, job);
      }
    }
  } finally {
    followed.delete(id);
  }
}

async function recover(error: unknown, failures: number, job: Followed): Promise<void> {
  if (error instanceof ApiError && error.status === 404) {
    job.onGone();
  } else if (isPassing(error)) {
    await pauseUntilWake(retryInterval(failures));
  } else if (error instanceof ApiError) {
    await whenSignedIn();
    await pauseUntilWake(retryInterval(failures));
  } else {
    throw error;
  }
}

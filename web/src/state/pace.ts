/** When requests for unfinished jobs are sent. */

const DEFAULT_INTERVAL_S = 2;
const HIDDEN_INTERVAL_S = 15;
const FIRST_RETRY_S = 3;
const LONGEST_RETRY_S = 30;

/** Milliseconds until a job is asked for again: what the API asks for, and more while the page is hidden. */
export function pollInterval(retryAfterS: number | undefined, hidden: boolean): number {
  const asked = Math.max(retryAfterS ?? DEFAULT_INTERVAL_S, 1);
  return 1000 * (hidden ? Math.max(asked, HIDDEN_INTERVAL_S) : asked);
}

/** Milliseconds until the next attempt after a number of failures in a row. */
export function retryInterval(failures: number): number {
  return 1000 * Math.min(FIRST_RETRY_S * 2 ** (failures - 1), LONGEST_RETRY_S);
}

/** Gives callers turns that are at least `spacing` milliseconds apart; returns how long each has to wait. */
export function takeTurns(spacing: number): (now: number) => number {
  let next = 0;
  return (now) => {
    const turn = Math.max(now, next);
    next = turn + spacing;
    return turn - now;
  };
}

/** The estimated time until a job ends, as it is shown: it counts down, and new estimates do not make it jump. */

/** Seconds that the shown time may fall in one second to reach a lower estimate. */
const FASTEST = 3;
/** Estimates that are longer by more than this many seconds, and by half, are shown at once. */
const LEAP_S = 15;

/**
 * The seconds to show one second after `shown`.
 *
 * It falls towards a lower estimate, waits for a higher one, and takes an estimate that is far higher at once.
 *
 * @param shown Seconds shown before; undefined if none were.
 * @param target Seconds that are left by the newest estimate.
 */
export function stepEta(shown: number | undefined, target: number): number {
  const left = Math.max(0, target);
  if (shown === undefined || left > shown + Math.max(LEAP_S, shown / 2)) return left;
  const fall = Math.min(Math.max(shown - left, 0), Math.max(FASTEST, (shown - left) / 3));
  return Math.max(0, shown - fall);
}

import { useEffect } from "preact/hooks";
import { isSignedIn } from "../state/session.ts";
import { onWake } from "../state/wake.ts";
import type { JobList } from "./job-list.ts";
import { findUnfinished } from "./lists.ts";

const REFRESH_MS = 30_000;
/** Coming back to the page several times in a row refreshes once. */
const LEAST_MS = 3000;

/** Keeps a list up to date while it is shown: jobs come and go elsewhere too. */
export function useJobList(list: JobList): void {
  const canRead = isSignedIn.value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is read again after signing in
  useEffect(() => {
    if (!canRead) return;
    const stopFollowing = list.follow();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = Number.NEGATIVE_INFINITY;
    const refresh = (): void => {
      last = Date.now();
      if (!document.hidden) {
        void list.refresh();
        void findUnfinished();
      }
      refreshIn(REFRESH_MS);
    };
    const refreshIn = (milliseconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(refresh, milliseconds);
    };
    refresh();
    const stopWaking = onWake(() => refreshIn(last + LEAST_MS - Date.now()));
    return () => {
      stopFollowing();
      clearTimeout(timer);
      stopWaking();
    };
  }, [list, canRead]);
}

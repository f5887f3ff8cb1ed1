import { useEffect } from "preact/hooks";
import { onWake } from "../state/wake.ts";
import type { JobList } from "./job-list.ts";
import { findUnfinished } from "./lists.ts";

const REFRESH_MS = 30_000;
/** Coming back to the page several times in a row refreshes once. */
const LEAST_MS = 4000;

let hasLooked = false;

/** Keeps a list up to date while it is shown: jobs come and go elsewhere too. */
export function useJobList(list: JobList): void {
  useEffect(() => {
    const stopFollowing = list.follow();
    let last = 0;
    const refresh = (): void => {
      if (document.hidden || Date.now() - last < LEAST_MS) return;
      last = Date.now();
      void list.refresh();
    };
    refresh();
    if (!hasLooked) void findUnfinished();
    hasLooked = true;
    const timer = setInterval(refresh, REFRESH_MS);
    const stopWaking = onWake(refresh);
    return () => {
      stopFollowing();
      clearInterval(timer);
      stopWaking();
    };
  }, [list]);
}

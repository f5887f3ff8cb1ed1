import { useEffect } from "preact/hooks";
import { route } from "../app/route.ts";
import { checkRepeatedly } from "../state/wake.ts";
import type { JobList } from "./job-list.ts";
import type { Range } from "./layout.ts";

/** More jobs are loaded when this many tiles or fewer are left below the screen. */
const AHEAD = 60;

/** Loads what a grid shows: the next page near its end, and jobs that were dropped or whose links end. */
export function useLoading(list: JobList, range: Range | undefined): void {
  const state = list.state.value;
  const tiles = list.tiles.value;
  const { count } = tiles;
  const first = range?.first;
  const end = range?.end ?? 0;

  useEffect(() => {
    if (first !== undefined && state === "ready" && end + AHEAD >= count) void list.more();
  }, [list, state, first, end, count]);

  useEffect(() => {
    if (first === undefined) return;
    const check = (): void => {
      const from = tiles.entryIndexAt(first) ?? 0;
      const to = (tiles.entryIndexAt(Math.min(end, tiles.count) - 1) ?? from) + 1;
      const shown = tiles.entries.slice(from, to).filter((entry) => entry.tiles > 0);
      void list.reload(shown.map(({ id }) => id));
      list.release(from, to, route.peek().image?.job);
    };
    return checkRepeatedly(check);
  }, [list, first, end, tiles]);
}

import { useEffect } from "preact/hooks";
import { route } from "../app/route.ts";
import { keepAxes } from "./axis-drafts.ts";
import { GridForm } from "./grid-form.tsx";
import { followDeletions } from "./grids.ts";
import { RecentGrids } from "./recent-grids.tsx";
import { ShownGrid } from "./shown-grid.tsx";

/** X/Y grids: one set of jobs over the values of two fields. */
export function CompareView() {
  const { grid } = route.value;
  useEffect(keepAxes, []);
  useEffect(followDeletions, []);
  return (
    <>
      <GridForm />
      <div class="compare-shown">
        {grid !== undefined && <ShownGrid key={grid} id={grid} />}
        <RecentGrids />
      </div>
    </>
  );
}

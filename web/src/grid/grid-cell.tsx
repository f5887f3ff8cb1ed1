import type { Job } from "../api/types.ts";
import { openImage } from "../app/route.ts";
import { ImageView } from "../gallery/image-view.tsx";
import { phaseText, progressShare, statusText } from "../jobs/phase-text.ts";
import { PreviewImage } from "../jobs/preview-image.tsx";
import { ProgressBar } from "../jobs/progress-bar.tsx";
import { submissionOfRequest } from "../jobs/submission.ts";
import { jobSignal } from "../state/jobs.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { lastPlan } from "./grids.ts";
import { text } from "./messages.ts";
import { type Cell, cellKey, cellRequest } from "./plan.ts";
import { retryCell, runSignal } from "./submit-grid.ts";

interface GridCellProps {
  readonly grid: string;
  readonly cell: Cell;
  /** The id of the cell's job; undefined if it has none. */
  readonly job: string | undefined;
  /** The values of the cell. */
  readonly label: string;
}

/** A cell: its image, or the state of its job. */
export function GridCell({ grid, cell, job: id, label }: GridCellProps) {
  const { waiting, refusals } = runSignal(grid).value;
  const job = id === undefined ? undefined : jobSignal(id).value;
  const key = cellKey(cell);
  if (waiting.has(key)) return <p class="cell-state">{text.waiting()}</p>;
  if (job !== undefined) return <JobCell grid={grid} cell={cell} job={job} label={label} />;
  const refusal = refusals.get(key);
  const plan = lastPlan.value;
  const retry = plan?.id === grid ? () => void retryCell(grid, cell, cellRequest(plan, cell)) : undefined;
  return refusal === undefined ? (
    <p class="cell-state">{text.notSubmitted()}</p>
  ) : (
    <Trouble reason={errorText(refusal)} onRetry={retry} />
  );
}

function JobCell({ grid, cell, job, label }: Omit<GridCellProps, "job"> & { readonly job: Job }) {
  switch (job.status) {
    case "succeeded":
      if (job.images[0]?.s3_uri == null) return <p class="cell-state">{text.withheld()}</p>;
      return (
        <button type="button" class="cell-image" onClick={() => openImage(job.id, 0)}>
          <ImageView id={job.id} index={0} alt={label} />
        </button>
      );
    case "queued":
    case "running":
      return (
        <div class="cell-state">
          {job.status === "running" && <PreviewImage job={job} />}
          <p>{phaseText(job, undefined)}</p>
          {job.status === "running" && <ProgressBar share={progressShare(job)} />}
        </div>
      );
    default: {
      const request = { ...submissionOfRequest(job.request), tags: job.tags };
      const reason = job.error?.detail ?? statusText(job.status);
      return <Trouble reason={reason} onRetry={() => void retryCell(grid, cell, request)} />;
    }
  }
}

interface TroubleProps {
  readonly reason: string;
  readonly onRetry: (() => void) | undefined;
}

function Trouble({ reason, onRetry }: TroubleProps) {
  return (
    <div class="cell-state">
      <p class="cell-trouble">{reason}</p>
      {onRetry !== undefined && <Button onClick={onRetry}>{text.retry()}</Button>}
    </div>
  );
}

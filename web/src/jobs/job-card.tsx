import type { Job } from "../api/types.ts";
import { jobSignal } from "../state/jobs.ts";
import { Button } from "../ui/button.tsx";
import { cancelJob } from "./actions.ts";
import { text } from "./messages.ts";
import { phaseText, progressShare, remainingText } from "./phase-text.ts";
import { PreviewImage } from "./preview-image.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import { excerpt } from "./prompt.ts";
import { useEta } from "./use-eta.ts";

/** An unfinished job: what it is doing, how long that takes, its preview, and a button that cancels it. */
export function JobCard({ id }: { readonly id: string }) {
  const job = jobSignal(id).value;
  return job === undefined ? null : <Card job={job} />;
}

function Card({ job }: { readonly job: Job }) {
  const eta = useEta(job);
  const { count, prompt } = job.request;
  const remaining = remainingText(job, eta);
  return (
    <li class="job-card">
      <PreviewImage job={job} />
      <div class="job-card-body">
        <p class="job-card-prompt">{excerpt(prompt)}</p>
        <p class="job-card-phase">
          {phaseText(job, eta)}
          {remaining !== undefined && ` · ${remaining}`}
          {count > 1 && ` · ${text.images(count)}`}
        </p>
        {job.attempt > 1 && <p class="job-card-note">{text.secondAttempt()}</p>}
        <ProgressBar share={progressShare(job)} />
      </div>
      <Button onClick={() => void cancelJob(job.id)} disabled={job.phase === "canceling"}>
        {text.cancel()}
      </Button>
    </li>
  );
}

import { jobSignal } from "../state/jobs.ts";
import { IconButton } from "../ui/button.tsx";
import { EndedActions } from "./ended-actions.tsx";
import { text } from "./messages.ts";
import { statusText } from "./phase-text.ts";
import { excerpt } from "./prompt.ts";
import { hideTrouble } from "./troubles.ts";

/** A job that has ended without images: why, and what can be done. */
export function EndedCard({ id }: { readonly id: string }) {
  const job = jobSignal(id).value;
  if (job === undefined) return null;
  return (
    <li class={job.status === "canceled" ? "job-card" : "job-card job-card-failed"}>
      <div class="job-card-body">
        <p class="job-card-prompt">{excerpt(job.request.prompt)}</p>
        <p class="job-card-phase">{statusText(job.status)}</p>
        {job.error !== null && <p class="job-card-reason">{job.error.detail}</p>}
      </div>
      <EndedActions job={job} onDone={() => hideTrouble(id)} />
      <IconButton icon="cancel" label={text.hide()} onClick={() => hideTrouble(id)} />
    </li>
  );
}

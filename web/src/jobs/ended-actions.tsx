import type { Job } from "../api/types.ts";
import { notify } from "../state/notices.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { deleteJob, submitAgain } from "./actions.ts";
import { fillForm } from "./fill-form.ts";
import { text } from "./messages.ts";
import { submissionOfRequest } from "./submission.ts";

interface EndedActionsProps {
  readonly job: Job;
  /** Called once the visitor has dealt with the job. */
  readonly onDone: () => void;
  /** Called before the form is shown. */
  readonly onLeave?: () => void;
}

/** What can be done with a job that has ended without images. */
export function EndedActions({ job, onDone, onLeave }: EndedActionsProps) {
  const again = async (): Promise<void> => {
    if (await submitAgain(submissionOfRequest(job.request))) onDone();
  };
  const remove = async (): Promise<void> => {
    try {
      await deleteJob(job.id);
      onDone();
    } catch (error) {
      notify("error", errorText(error));
    }
  };
  return (
    <div class="actions">
      <Button icon="redo" onClick={() => void again()}>
        {text.tryAgain()}
      </Button>
      <Button
        onClick={() => {
          onLeave?.();
          fillForm(job.request, { withSeed: true });
        }}
      >
        {text.useAll()}
      </Button>
      <Button icon="delete" onClick={() => void remove()}>
        {text.delete()}
      </Button>
    </div>
  );
}

import { useState } from "preact/hooks";
import { deleteJob } from "../jobs/actions.ts";
import { jobSignal } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { forEach } from "./bulk.ts";
import { tileOf } from "./entries.ts";
import { text } from "./messages.ts";
import { jobsOf, removeSelected } from "./selection.ts";

interface DeleteDialogProps {
  /** Names of the tiles to delete; see `keyOf`. */
  readonly keys: readonly string[];
  readonly onClose: () => void;
  /** Called once all are deleted. */
  readonly onDeleted?: () => void;
}

/** Asks before images are deleted, and says how many. */
export function DeleteDialog({ keys, onClose, onDeleted }: DeleteDialogProps) {
  const [isBusy, setBusy] = useState(false);
  const jobs = jobsOf(keys);
  const images = jobs.reduce((sum, id) => sum + (jobSignal(id).value?.images.length ?? 0), 0);
  const chosen = keys.map(tileOf).filter(({ id, index }) => jobSignal(id).value?.images[index] !== undefined);
  const others = images - chosen.length;
  const title = images === 0 ? text.deleteJobs(jobs.length) : text.deleteTitle(images);

  const remove = async (): Promise<void> => {
    setBusy(true);
    const { done, failed, reason } = await forEach(jobs, deleteJob);
    const deleted = new Set(done);
    removeSelected(keys.filter((key) => jobsOf([key]).some((id) => deleted.has(id))));
    if (reason === undefined) notify("info", text.deleted(done.length));
    else notify("error", text.partial(done.length, failed.length, reason));
    onClose();
    if (reason === undefined) onDeleted?.();
  };

  return (
    <Dialog label={title} onClose={isBusy ? undefined : onClose} class="delete-dialog">
      <h2>{title}</h2>
      <p>{text.deleteNote()}</p>
      {others > 0 && <p>{text.deleteOthers(others)}</p>}
      <div class="actions">
        <Button kind="danger" icon="delete" disabled={isBusy} onClick={() => void remove()}>
          {text.delete()}
        </Button>
        <Button disabled={isBusy} onClick={onClose}>
          {text.keep()}
        </Button>
      </div>
    </Dialog>
  );
}

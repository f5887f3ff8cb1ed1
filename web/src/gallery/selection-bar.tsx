import { notify } from "../state/notices.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { forEach, type Outcome } from "./bulk.ts";
import { downloadImage } from "./download.ts";
import { tileOf } from "./entries.ts";
import { setFavorite } from "./job-tags.ts";
import { text } from "./messages.ts";
import { clearSelection, jobsOf, removeSelected, selected } from "./selection.ts";

/** What can be done with the selected images. */
export function SelectionBar({ onDelete }: { readonly onDelete: () => void }) {
  const keys = [...selected.value];
  return (
    <div class="selection-bar" role="toolbar" aria-label={text.selected(keys.length)}>
      <p aria-live="polite">{text.selected(keys.length)}</p>
      <Button icon="star" onClick={() => void favorite(jobsOf(keys))}>
        {text.favorite()}
      </Button>
      <Button icon="download" onClick={() => void download(keys)}>
        {text.download()}
      </Button>
      <Button icon="delete" kind="danger" onClick={onDelete}>
        {text.delete()}
      </Button>
      <IconButton icon="cancel" label={text.clear()} onClick={clearSelection} />
    </div>
  );
}

async function favorite(jobs: readonly string[]): Promise<void> {
  const outcome = await forEach(jobs, (id) => setFavorite(id, true));
  report(outcome);
  if (outcome.reason === undefined) clearSelection();
}

async function download(keys: readonly string[]): Promise<void> {
  const outcome = await forEach(keys, (key) => downloadImage(tileOf(key)));
  report(outcome);
  removeSelected(outcome.done);
}

/** Reports failures; successes show themselves. */
function report({ done, failed, reason }: Outcome<string>): void {
  if (reason !== undefined) notify("error", text.partial(done.length, failed.length, reason));
}

import type { Job, JobImage } from "../api/types.ts";
import { closeImage } from "../app/route.ts";
import { downloadImage } from "../gallery/download.ts";
import { isFavorite, setFavorite } from "../gallery/job-tags.ts";
import { imageInS3 } from "../images/image-ref.ts";
import { fillForm, showForm } from "../jobs/fill-form.ts";
import { setInputImage } from "../state/draft-images.ts";
import { refreshJob } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { copy } from "./clipboard.ts";
import { timeText } from "./format.ts";
import { text } from "./messages.ts";
import { UpscaleButton } from "./upscale-button.tsx";

interface ImageActionsProps {
  readonly job: Job;
  readonly image: JobImage;
  readonly index: number;
  readonly onDelete: () => void;
  /** Called before the form is shown. */
  readonly onLeave: () => void;
}

/** What can be done with the open image. */
export function ImageActions({ job, image, index, onDelete, onLeave }: ImageActionsProps) {
  const use = (withSeed: boolean): void => {
    onLeave();
    fillForm({ ...job.request, seed: image.seed, count: 1 }, { withSeed });
  };
  const takeAsInput = (uri: string | null): void => {
    if (uri === null) return;
    setInputImage(imageInS3(uri, uri.slice(uri.lastIndexOf("/") + 1), image), image.url ?? undefined);
    onLeave();
    showForm();
  };
  return (
    <div class="viewer-actions">
      <div class="actions">
        <Button icon="create" onClick={() => use(true)}>
          {text.useAll()}
        </Button>
        <Button onClick={() => use(false)}>{text.useWithoutSeed()}</Button>
        {image.s3_uri !== null && (
          <Button icon="image" onClick={() => takeAsInput(image.s3_uri)}>
            {text.asInput()}
          </Button>
        )}
      </div>
      <UpscaleButton request={job.request} image={image} onSubmitted={closeImage} />
      <div class="actions">
        <IconButton
          icon="star"
          label={text.favorite()}
          pressed={isFavorite(job)}
          onClick={() => void shown(setFavorite(job.id, !isFavorite(job)))}
        />
        {image.url !== null && (
          <>
            <IconButton
              icon="download"
              label={text.download()}
              onClick={() => void shown(downloadImage({ id: job.id, index }))}
            />
            <IconButton icon="link" label={text.copyLink()} onClick={() => copyLink(job.id, index)} />
          </>
        )}
        <IconButton
          icon="copy"
          label={text.copyPrompt()}
          onClick={() => void copy(Promise.resolve(job.request.prompt), text.promptCopied)}
        />
        <IconButton icon="delete" label={text.delete()} onClick={onDelete} />
      </div>
    </div>
  );
}

function copyLink(id: string, index: number): void {
  let expires = "";
  const link = refreshJob(id).then(({ images }) => {
    const image = images[index];
    if (image?.url == null) throw new Error(text.withheld());
    expires = image.url_expires_at ?? "";
    return image.url;
  });
  void copy(link, () => text.linkCopied(timeText(expires)));
}

async function shown(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    notify("error", errorText(error));
  }
}

import { isTerminal, type Job } from "../api/types.ts";
import { closeImage } from "../app/route.ts";
import type { Tile } from "../gallery/entries.ts";
import { EndedActions } from "../jobs/ended-actions.tsx";
import { phaseText } from "../jobs/phase-text.ts";
import { excerpt } from "../jobs/prompt.ts";
import { ImageActions } from "./image-actions.tsx";
import { text } from "./messages.ts";
import { ParameterList } from "./parameter-list.tsx";
import { Stage } from "./stage.tsx";

interface ViewerContentProps {
  readonly job: Job;
  readonly tile: Tile;
  readonly isZoomed: boolean;
  readonly onZoom: () => void;
  readonly onSwipe: (direction: -1 | 1) => void;
  readonly onDelete: () => void;
  /** Called before the form is shown. */
  readonly onLeave: () => void;
}

/** An image with its parameters and actions; for a job that has ended without images, why. */
export function ViewerContent({
  job,
  tile,
  isZoomed,
  onZoom,
  onSwipe,
  onDelete,
  onLeave,
}: ViewerContentProps) {
  const image = job.images[tile.index];
  return (
    <div class="viewer-content">
      {image === undefined ? (
        <p class="stage stage-text">{withoutImage(job)}</p>
      ) : (
        <Stage
          tile={tile}
          image={image}
          alt={excerpt(job.request.prompt)}
          isZoomed={isZoomed}
          onZoom={onZoom}
          onSwipe={onSwipe}
        />
      )}
      <div class="viewer-side">
        {image?.flags?.includes("nsfw") && (
          <p class="viewer-flag">{job.result?.safety?.mode === "blur" ? text.blurred() : text.nsfw()}</p>
        )}
        {image !== undefined && (
          <ImageActions job={job} image={image} index={tile.index} onDelete={onDelete} onLeave={onLeave} />
        )}
        {image === undefined && job.links.delete !== null && (
          <EndedActions job={job} onDone={closeImage} onLeave={onLeave} />
        )}
        <ParameterList job={job} image={image} />
      </div>
    </div>
  );
}

function withoutImage(job: Job): string {
  if (!isTerminal(job.status)) return phaseText(job, undefined);
  return job.error?.detail ?? text.noImage();
}

import { useEffect, useState } from "preact/hooks";
import type { Job } from "../api/types.ts";
import { statusText } from "../jobs/phase-text.ts";
import { excerpt } from "../jobs/prompt.ts";
import { jobSignal } from "../state/jobs.ts";
import { Icon } from "../ui/icons.tsx";
import { keyOf, type Tile as TileId } from "./entries.ts";
import { ImageView } from "./image-view.tsx";
import { isFavorite } from "./job-tags.ts";
import { text } from "./messages.ts";
import { useLongPress } from "./use-long-press.ts";

/** Images of tiles that are only scrolled past are not loaded. */
const SETTLING_MS = 80;

/** How a visitor has clicked on a tile. */
export type Press = "open" | "toggle" | "range";

interface TileProps {
  readonly tile: TileId;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly position: number;
  readonly tiles: number;
  readonly isCurrent: boolean;
  readonly isSelected: boolean;
  /** Whether a plain click selects, since other tiles are selected. */
  readonly isSelecting: boolean;
  readonly onPress: (tile: TileId, press: Press) => void;
}

/** An image of the gallery, or a job that has ended without one. */
export function Tile({ tile, x, y, size, isCurrent, isSelected, isSelecting, onPress, ...place }: TileProps) {
  const job = jobSignal(tile.id).value;
  const longPress = useLongPress(() => onPress(tile, "toggle"));
  const press = ({ shiftKey, ctrlKey, metaKey, detail }: MouseEvent): void => {
    if (longPress.takesClick()) return;
    if (shiftKey) onPress(tile, "range");
    else onPress(tile, ctrlKey || metaKey || (isSelecting && detail > 0) ? "toggle" : "open");
  };
  return (
    <li
      class={isSelected ? "tile tile-selected" : "tile"}
      style={{ transform: `translate(${x}px, ${y}px)`, width: `${size}px`, height: `${size}px` }}
      aria-setsize={place.tiles}
      aria-posinset={place.position + 1}
    >
      <button
        type="button"
        class="tile-open"
        data-key={keyOf(tile)}
        tabIndex={isCurrent ? 0 : -1}
        onClick={press}
        {...longPress.handlers}
      >
        {job === undefined ? (
          <span class="visually-hidden">{text.loading()}</span>
        ) : (
          <Content job={job} index={tile.index} />
        )}
      </button>
      {job !== undefined && (
        <input
          type="checkbox"
          class="tile-check"
          aria-label={`${text.select()}: ${excerpt(job.request.prompt)}`}
          tabIndex={isCurrent ? 0 : -1}
          checked={isSelected}
          onClick={({ shiftKey }) => onPress(tile, shiftKey ? "range" : "toggle")}
        />
      )}
    </li>
  );
}

function Content({ job, index }: { readonly job: Job; readonly index: number }) {
  const isSettled = useSettled();
  const image = job.images[index];
  const prompt = excerpt(job.request.prompt);
  if (image === undefined) {
    return (
      <span class="tile-text">
        <strong>{statusText(job.status)}</strong>
        <span>{prompt}</span>
        {job.error !== null && <span>{job.error.detail}</span>}
      </span>
    );
  }
  if (image.url === null) return <span class="tile-text">{text.withheld()}</span>;
  return (
    <>
      {isSettled ? (
        <ImageView id={job.id} index={index} alt={prompt} loading="lazy" />
      ) : (
        <span class="visually-hidden">{prompt}</span>
      )}
      {image.flags?.includes("nsfw") && <span class="tile-flag">{text.nsfw()}</span>}
      {isFavorite(job) && (
        <span class="tile-favorite">
          <Icon name="star" filled />
          <span class="visually-hidden">{text.favorite()}</span>
        </span>
      )}
    </>
  );
}

function useSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLING_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}

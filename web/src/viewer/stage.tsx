import { useRef } from "preact/hooks";
import type { JobImage } from "../api/types.ts";
import type { Tile } from "../gallery/entries.ts";
import { ImageView } from "../gallery/image-view.tsx";
import { text } from "./messages.ts";

const SWIPE_PX = 50;

interface StageProps {
  readonly tile: Tile;
  readonly image: JobImage;
  readonly alt: string;
  readonly isZoomed: boolean;
  readonly onZoom: () => void;
  readonly onSwipe: (direction: -1 | 1) => void;
}

/** The open image, fitted or in its original size; a finger swipes to the next one. */
export function Stage({ tile, image, alt, isZoomed, onZoom, onSwipe }: StageProps) {
  const start = useRef<{ x: number; y: number } | undefined>(undefined);
  if (image.url === null) return <p class="stage stage-text">{text.withheld()}</p>;
  return (
    <div
      class={isZoomed ? "stage stage-zoomed" : "stage"}
      onPointerDown={({ pointerType, clientX, clientY }) => {
        start.current = pointerType === "mouse" || isZoomed ? undefined : { x: clientX, y: clientY };
      }}
      onPointerUp={({ clientX, clientY }) => {
        const { x, y } = start.current ?? { x: clientX, y: clientY };
        start.current = undefined;
        if (Math.abs(clientX - x) > Math.max(SWIPE_PX, 2 * Math.abs(clientY - y))) {
          onSwipe(clientX < x ? 1 : -1);
        }
      }}
    >
      <button
        type="button"
        class="stage-zoom"
        aria-label={text.zoom()}
        aria-pressed={isZoomed}
        onClick={onZoom}
      >
        <ImageView key={`${tile.id}/${tile.index}`} id={tile.id} index={tile.index} alt={alt} />
      </button>
    </div>
  );
}

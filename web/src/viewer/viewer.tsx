import { useEffect, useRef, useState } from "preact/hooks";
import { isTerminal } from "../api/types.ts";
import { closeImage, replaceImage, route } from "../app/route.ts";
import { DeleteDialog } from "../gallery/delete-dialog.tsx";
import { keyOf, type Tile } from "../gallery/entries.ts";
import { focusTile } from "../gallery/focus.ts";
import { allJobs, filteredJobs } from "../gallery/lists.ts";
import { neighboursOf } from "../gallery/neighbours.ts";
import { gridTiles } from "../grid/grid-tiles.ts";
import { statusText } from "../jobs/phase-text.ts";
import { IconButton } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { errorText } from "../ui/error-text.ts";
import { text } from "./messages.ts";
import { useJob } from "./use-job.ts";
import { useViewerKeys } from "./use-viewer-keys.ts";
import { ViewerContent } from "./viewer-content.tsx";

/** No list contains it. */
const NO_TILE: Tile = { id: "", index: 0 };

/** The image that the route names, large, with its parameters. */
export function Viewer() {
  const { image } = route.value;
  return image === undefined ? null : <OpenViewer tile={{ id: image.job, index: image.index }} />;
}

function OpenViewer({ tile }: { readonly tile: Tile }) {
  const { grid, view } = route.value;
  const list = view === "gallery" ? filteredJobs.value : allJobs;
  const tiles = grid === undefined ? list.tiles.value : gridTiles(grid);
  const { previous, next, isNearEnd } = neighboursOf(tiles, tile);
  const { job, error } = useJob(tile.id);
  const [isDeleting, setDeleting] = useState(false);
  const [isZoomed, setZoomed] = useState(false);
  const zoom = (): void => setZoomed(!isZoomed);
  const show = (target: Tile | undefined): void => {
    if (target === undefined) return;
    setZoomed(false);
    replaceImage(target.id, target.index);
  };
  const showPlace = (position: number | undefined): void => {
    const remaining = grid === undefined ? list.tiles.peek() : gridTiles(grid);
    const target = position === undefined ? undefined : remaining.at(position);
    if (target === undefined) closeImage();
    else show(target);
  };

  useEffect(() => {
    if (isNearEnd && grid === undefined && list.state.value === "ready") void list.more();
  }, [isNearEnd, grid, list]);
  const leaveFocus = useReturnOfFocus(tile);
  useViewerKeys(!isDeleting, (key) => {
    if (key === "ArrowLeft" && !isZoomed) show(previous);
    else if (key === "ArrowRight" && !isZoomed) show(next);
    else if (key === "Delete" && job && isTerminal(job.status)) setDeleting(true);
    else if (key === "z") zoom();
    else return false;
    return true;
  });

  return (
    <>
      <Dialog label={text.viewer()} onClose={closeImage} class="viewer">
        <div class="viewer-bar">
          <IconButton
            icon="previous"
            label={text.previous()}
            disabled={!previous}
            onClick={() => show(previous)}
          />
          <IconButton icon="next" label={text.next()} disabled={!next} onClick={() => show(next)} />
          {job !== undefined && job.images.length === 0 && <strong>{statusText(job.status)}</strong>}
          <IconButton icon="cancel" label={text.close()} onClick={closeImage} />
        </div>
        {job !== undefined ? (
          <ViewerContent
            job={job}
            tile={tile}
            isZoomed={isZoomed}
            onZoom={zoom}
            onSwipe={(direction) => show(direction === 1 ? next : previous)}
            onDelete={() => setDeleting(true)}
            onLeave={leaveFocus}
          />
        ) : (
          <p class="viewer-missing" role="status">
            {error === undefined ? text.loading() : errorText(error)}
          </p>
        )}
      </Dialog>
      {isDeleting && (
        <DeleteDialog
          keys={[keyOf(tile)]}
          onClose={() => setDeleting(false)}
          onDeleted={() => showPlace(tiles.positionOf({ id: tile.id, index: 0 }))}
        />
      )}
    </>
  );
}

/** Gives the focus to the tile of the last shown image once the viewer is closed; returns what prevents that. */
function useReturnOfFocus(tile: Tile): () => void {
  const last = useRef(tile);
  last.current = tile;
  useEffect(
    () => () => {
      if (route.peek().view === "compare") return;
      const list = route.peek().view === "gallery" ? filteredJobs.peek() : allJobs;
      const isListed = list.tiles.peek().positionOf(last.current) !== undefined;
      if (isListed) focusTile(keyOf(last.current));
    },
    [],
  );
  return () => {
    last.current = NO_TILE;
  };
}

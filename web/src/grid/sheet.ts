/** A grid as one PNG file. */
import { ApiError, ConnectionError } from "../api/errors.ts";
import { fetchImage } from "../images/fetch-image.ts";
import { hasFreshLink } from "../jobs/merge.ts";
import { jobSignal, refreshJob } from "../state/jobs.ts";
import { type Box, type SheetLayout, sheetLayout } from "./sheet-layout.ts";

const CONCURRENCY = 4;
const LINK_MARGIN_MS = 60_000;
const FONT = `system-ui, "Noto Sans SC", sans-serif`;

/** An image of a job, by its size. */
export interface SheetImage {
  readonly job: string;
  readonly width: number;
  readonly height: number;
}

export interface SheetContent {
  readonly title: string;
  readonly columns: readonly string[];
  /** Empty for a grid of one row without a field. */
  readonly rows: readonly string[];
  /** Row by row; undefined for cells without an image. */
  readonly images: readonly (SheetImage | undefined)[];
}

export interface Sheet {
  readonly file: Blob;
  readonly scale: number;
  /** The number of images that are not there or could not be loaded. */
  readonly missing: number;
}

/** Draws a grid. Returns undefined if the browser cannot draw it. */
export async function drawSheet(content: SheetContent): Promise<Sheet | undefined> {
  const { columns, rows, images } = content;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  const layout = sheetLayout({
    columns: columns.length,
    rows: Math.max(1, rows.length),
    cell: {
      width: Math.max(...images.map((image) => image?.width ?? 1)),
      height: Math.max(...images.map((image) => image?.height ?? 1)),
    },
    rowLabelWidth: (fontSize) => {
      context.font = `${fontSize}px ${FONT}`;
      return Math.max(0, ...rows.map((row) => context.measureText(row).width));
    },
  });
  canvas.width = layout.width;
  canvas.height = layout.height;
  drawTexts(context, layout, content);
  const missing = await drawImages(context, layout.cells, images);
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  return file === null ? undefined : { file, scale: layout.scale, missing };
}

function drawTexts(
  context: CanvasRenderingContext2D,
  layout: SheetLayout,
  { title, columns, rows }: SheetContent,
): void {
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, layout.width, layout.height);
  context.scale(layout.scale, layout.scale);
  context.fillStyle = "#1b1e24";
  context.font = `${layout.fontSize}px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  write(context, title, layout.title);
  context.textAlign = "center";
  for (const [index, box] of layout.columnLabels.entries()) write(context, columns[index] ?? "", box);
  for (const [index, box] of layout.rowLabels.entries()) write(context, rows[index] ?? "", box);
}

/** Writes a line into a box, with an ellipsis where it is too long. */
function write(context: CanvasRenderingContext2D, line: string, box: Box): void {
  const fits = (shown: string): boolean => context.measureText(shown).width <= box.width;
  let shown = line;
  for (let length = line.length; length > 0 && !fits(shown); ) {
    length = Math.floor(length * 0.9);
    shown = `${line.slice(0, length)}…`;
  }
  const x = context.textAlign === "center" ? box.x + box.width / 2 : box.x;
  context.fillText(shown, x, box.y + box.height / 2);
}

/** Draws the images; a few are in memory at once. Returns the number of missing ones. */
async function drawImages(
  context: CanvasRenderingContext2D,
  boxes: readonly Box[],
  images: readonly (SheetImage | undefined)[],
): Promise<number> {
  let missing = 0;
  const queue = [...boxes.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, { x, y }] = next;
      const image = images[index];
      const bitmap = image === undefined ? undefined : await loadImage(image.job);
      if (bitmap === undefined) missing += 1;
      else context.drawImage(bitmap, x, y);
      bitmap?.close();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return missing;
}

/** A job's image; undefined if it cannot be loaded. */
async function loadImage(id: string): Promise<ImageBitmap | undefined> {
  try {
    const url = await linkOf(id);
    const file = url === undefined ? undefined : await fetchImage(url);
    return file === undefined ? undefined : await createImageBitmap(file);
  } catch (error) {
    if (error instanceof ApiError || error instanceof ConnectionError || error instanceof DOMException) {
      return undefined;
    }
    throw error;
  }
}

/** A link to a job's image that works for a while; undefined if there is no image. */
async function linkOf(id: string): Promise<string | undefined> {
  const known = jobSignal(id).peek()?.images[0];
  const isFresh = known !== undefined && hasFreshLink(known, Date.now(), LINK_MARGIN_MS);
  const image = isFresh ? known : (await refreshJob(id)).images[0];
  return image?.url ?? undefined;
}

/** A grid as one PNG file. */
import { ApiError, ConnectionError } from "../api/errors.ts";
import { fetchImage } from "../images/fetch-image.ts";
import { hasFreshLink } from "../jobs/merge.ts";
import { jobSignal, refreshJob } from "../state/jobs.ts";
import { type Box, type PictureLayout, pictureLayout } from "./picture-layout.ts";

const CONCURRENCY = 4;
const LINK_MARGIN_MS = 60_000;
const PNG = "image/png";

export interface PictureContent {
  readonly title: string;
  readonly columns: readonly string[];
  /** Empty labels for a grid of one row without a field. */
  readonly rows: readonly string[];
  /** The ids of the cells' jobs, row by row; undefined for cells without an image. */
  readonly jobs: readonly (string | undefined)[];
}

export interface Picture {
  readonly file: Blob;
  readonly scale: number;
  /** The number of images that could not be loaded. */
  readonly missing: number;
}

/** Draws a grid. Returns undefined if the browser cannot draw it. */
export async function drawPicture({
  title,
  columns,
  rows,
  jobs,
}: PictureContent): Promise<Picture | undefined> {
  const images = await loadImages(jobs);
  const loaded = images.filter((each) => each !== undefined);
  const layout = pictureLayout({
    columns: columns.length,
    rows: rows.length,
    cell: {
      width: Math.max(64, ...loaded.map(({ width }) => width)),
      height: Math.max(64, ...loaded.map(({ height }) => height)),
    },
    hasRowLabels: rows.some((each) => each !== ""),
  });
  const canvas = document.createElement("canvas");
  canvas.width = layout.width;
  canvas.height = layout.height;
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  draw(context, layout, { title, columns, rows }, images);
  for (const image of loaded) image.close();
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, PNG));
  if (file === null) return undefined;
  return { file, scale: layout.scale, missing: images.length - loaded.length };
}

function draw(
  context: CanvasRenderingContext2D,
  layout: PictureLayout,
  texts: Pick<PictureContent, "title" | "columns" | "rows">,
  images: readonly (ImageBitmap | undefined)[],
): void {
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, layout.width, layout.height);
  context.scale(layout.scale, layout.scale);
  context.fillStyle = "#1b1e24";
  context.font = `${layout.fontSize}px system-ui, "Noto Sans SC", sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  write(context, texts.title, layout.title);
  context.textAlign = "center";
  for (const [index, box] of layout.columnLabels.entries()) write(context, texts.columns[index] ?? "", box);
  for (const [index, box] of layout.rowLabels.entries()) write(context, texts.rows[index] ?? "", box);
  for (const [index, box] of layout.cells.entries()) {
    const image = images[index];
    if (image !== undefined) context.drawImage(image, box.x, box.y, image.width, image.height);
  }
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

async function loadImages(jobs: readonly (string | undefined)[]): Promise<(ImageBitmap | undefined)[]> {
  const images: (ImageBitmap | undefined)[] = jobs.map(() => undefined);
  const queue = [...jobs.entries()];
  const work = async (): Promise<void> => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const [index, job] = entry;
      if (job !== undefined) images[index] = await loadImage(job);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return images;
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

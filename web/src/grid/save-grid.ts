import type { Sampler } from "../api/types.ts";
import { jobSignal } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import type { AxisData, GridData } from "./grid-data.ts";
import { axisLabel, valueLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { drawPicture, type PictureImage } from "./picture.ts";
import { cellKey, cellsOf } from "./plan.ts";

/** The browser has read the file by then. */
const REVOKE_MS = 60_000;

/** Downloads a grid as one PNG file, and says what it lacks. */
export async function saveGrid(
  id: string,
  { x, y, cells }: GridData,
  title: string,
  samplers: readonly Sampler[],
): Promise<void> {
  const rows = y?.values.length ?? 1;
  const labels = ({ path, values }: AxisData): readonly string[] =>
    values.map((value) => `${axisLabel(path)}: ${valueLabel(path, value, samplers)}`);
  const picture = await drawPicture({
    title,
    columns: labels(x),
    rows: y === undefined ? [] : labels(y),
    images: cellsOf(x.values.length, rows).map((cell) => imageOf(cells.get(cellKey(cell)))),
  });
  if (picture === undefined) return void notify("error", text.notDrawn());
  if (picture.missing === x.values.length * rows) return void notify("error", text.notLoaded());
  if (picture.missing > 0) notify("info", text.incomplete(picture.missing));
  if (picture.scale < 1) notify("info", text.scaled(Math.round(picture.scale * 100)));
  const url = URL.createObjectURL(picture.file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `grid-${id}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

function imageOf(job: string | undefined): PictureImage | undefined {
  const image = job === undefined ? undefined : jobSignal(job).peek()?.images[0];
  return job === undefined || image?.url == null
    ? undefined
    : { job, width: image.width, height: image.height };
}

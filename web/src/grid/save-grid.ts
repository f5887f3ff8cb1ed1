import type { Sampler } from "../api/types.ts";
import { jobSignal } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import type { AxisData, GridData } from "./grid-data.ts";
import { axisLabel, valueLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { cellKey, cellsOf } from "./plan.ts";
import { drawSheet, type SheetImage } from "./sheet.ts";

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
  const sheet = await drawSheet({
    title,
    columns: labels(x),
    rows: y === undefined ? [] : labels(y),
    images: cellsOf(x.values.length, rows).map((cell) => imageOf(cells.get(cellKey(cell)))),
  });
  if (sheet === undefined) return void notify("error", text.notMade());
  if (sheet.missing === x.values.length * rows) return void notify("error", text.notLoaded());
  if (sheet.missing > 0) notify("info", text.incomplete(sheet.missing));
  if (sheet.scale < 1) notify("info", text.scaled(Math.round(sheet.scale * 100)));
  const url = URL.createObjectURL(sheet.file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `grid-${id}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

function imageOf(job: string | undefined): SheetImage | undefined {
  const image = job === undefined ? undefined : jobSignal(job).peek()?.images[0];
  return job === undefined || image?.url == null
    ? undefined
    : { job, width: image.width, height: image.height };
}

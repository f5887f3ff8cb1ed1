/** Files of images on the visitor's machine. */

import { ConnectionError } from "../api/errors.ts";
import { hasFreshLink } from "../jobs/merge.ts";
import { jobSignal, refreshJob } from "../state/jobs.ts";
import type { Tile } from "./entries.ts";
import { fileName } from "./file-name.ts";
import { text } from "./messages.ts";

const LINK_MARGIN_MS = 60_000;
/** The browser has read the file by then. */
const REVOKE_MS = 60_000;

/** Downloads an image under a name of its own. Throws what `call` throws, and an Error if S3 refuses. */
export async function downloadImage({ id, index }: Tile): Promise<void> {
  let job = jobSignal(id).peek();
  const known = job?.images[index];
  if (job === undefined || known === undefined || !hasFreshLink(known, Date.now(), LINK_MARGIN_MS)) {
    job = await refreshJob(id);
  }
  const image = job.images[index];
  if (image?.url == null) throw new Error(text.withheld());
  const url = URL.createObjectURL(await fetchFile(image.url));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(job, image);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}

async function fetchFile(url: string): Promise<Blob> {
  let response: Response;
  try {
    // A cached answer to an <img> may lack the headers that a script needs.
    response = await fetch(url, { cache: "no-store", credentials: "omit" });
  } catch {
    throw new ConnectionError();
  }
  if (!response.ok) throw new Error(`S3: HTTP ${response.status}`);
  return await response.blob();
}

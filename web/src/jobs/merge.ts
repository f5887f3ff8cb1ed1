/** How the page's knowledge of a job and a listed job become one. */
import { isTerminal, type Job, type JobImage } from "../api/types.ts";

/** Known links are kept while they work for longer than this: another link would load the image again. */
const KEPT_LINK_MS = 20 * 60_000;

/** Links are renewed this long before they end. */
const LINK_MARGIN_MS = 60_000;

/**
 * The newest state of a job that a list contains.
 *
 * Listed jobs lack progress, place, estimate and preview, and a list may be older than the known state. Links
 * that still work stay the same.
 */
export function mergeListed(known: Job | undefined, listed: Job, now: number): Job {
  if (known === undefined) return listed;
  if (!isTerminal(listed.status)) return { ...known, tags: listed.tags };
  return {
    ...listed,
    images: listed.images.map((image, index) => withKnownLink(known.images[index], image, now)),
  };
}

function withKnownLink(known: JobImage | undefined, image: JobImage, now: number): JobImage {
  if (known === undefined || !hasFreshLink(known, now, KEPT_LINK_MS)) return image;
  return { ...image, url: known.url, url_expires_at: known.url_expires_at };
}

/** Whether an image's link works for another while; withheld images have none. */
export function hasFreshLink(image: JobImage, now: number, margin: number): boolean {
  return image.url !== null && Date.parse(image.url_expires_at ?? "") - now > margin;
}

/** Whether a job has to be loaded again before its images can be shown for another while. */
export function needsLinks(job: Job | undefined, now: number): boolean {
  if (job === undefined) return true;
  return job.images.some((image) => image.url !== null && !hasFreshLink(image, now, LINK_MARGIN_MS));
}

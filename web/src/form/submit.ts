/** Submission of jobs. */
import { computed, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { ApiError, ConnectionError } from "../api/errors.ts";
import type { Job, Submission } from "../api/types.ts";
import { addToFeed } from "../gallery/feed.tsx";
import type { ImageRef } from "../images/image-ref.ts";
import { uploadImage } from "../images/upload.ts";
import { type Fields, fields } from "../state/draft.ts";
import { controlImages, inputImage, maskImage } from "../state/draft-images.ts";
import { putJob } from "../state/jobs.ts";
import { isSignedIn } from "../state/session.ts";
import { readText, storeText } from "../state/stored.ts";
import { failure, snapshot } from "./refusal.ts";
import { requestOf } from "./request.ts";

const SEED_KEY = "last_seed";

/** The images of a request. */
export interface DraftImages {
  readonly input: ImageRef | undefined;
  readonly mask: ImageRef | undefined;
  readonly controls: readonly (ImageRef | undefined)[];
}

/** The images that the form holds now. */
export const draftImages = computed<DraftImages>(() => ({
  input: inputImage.value,
  mask: maskImage.value,
  controls: controlImages.value,
}));

/** Whether a submission is under way. */
export const isSubmitting = signal(false);

/** The seed of the last submitted job; undefined before the first one in this browser. */
export const lastSeed = signal(readSeed());

/** A submission whose outcome is unknown: sent again with the same key, it makes no second job. */
let unsettled: { readonly body: string; readonly key: string } | undefined;

/** The request of a draft; uploads the images that are not in S3 yet. Throws what `uploadImage` throws. */
export async function submissionOf(
  draft: Fields,
  { input, mask, controls }: DraftImages = draftImages.value,
): Promise<Submission> {
  const upload = async (image: ImageRef | undefined) =>
    image === undefined ? undefined : uploadImage(image);
  const used = controls.slice(0, draft.controlnets?.length ?? 0);
  const [inputUri, maskUri, ...uris] = await Promise.all(
    [input, input === undefined ? undefined : mask, ...used].map(upload),
  );
  return requestOf(draft, { input: inputUri, mask: maskUri, controls: uris });
}

/**
 * Submits the form and returns whether there is a new job; it is in the list of jobs then. A failure stands in the
 * form, but for the end of the session, which the page itself shows.
 */
export async function submit(): Promise<boolean> {
  if (isSubmitting.value) return false;
  isSubmitting.value = true;
  failure.value = undefined;
  const submitted = snapshot.value;
  try {
    const job = await send(await submissionOf(fields.value));
    putJob(job);
    addToFeed(job.id);
    keepSeed(job.request.seed);
    return true;
  } catch (error) {
    if (isSignedIn.value && !isAbort(error)) failure.value = { error, snapshot: submitted };
    return false;
  } finally {
    isSubmitting.value = false;
  }
}

async function send(request: Submission): Promise<Job> {
  const body = JSON.stringify(request);
  const key = unsettled?.body === body ? unsettled.key : crypto.randomUUID();
  unsettled = { body, key };
  try {
    const { data } = await call("submitJob", { header: { "Idempotency-Key": key }, body: request });
    unsettled = undefined;
    return data;
  } catch (error) {
    if (!isUnknown(error)) unsettled = undefined;
    throw error;
  }
}

/** Whether the job may have been accepted in spite of the error. */
function isUnknown(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && error.retryable);
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function readSeed(): number | undefined {
  const text = readText(SEED_KEY);
  return text !== null && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function keepSeed(seed: number): void {
  lastSeed.value = seed;
  storeText(SEED_KEY, String(seed));
}

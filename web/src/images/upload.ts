/**
 * Uploads of images to S3.
 *
 * Files always go to S3, never into the request as `data:` URLs: there is one way for every size, a request that
 * is sent again does not carry its images again, and the progress is known.
 */
import { effect, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { ConnectionError } from "../api/errors.ts";
import type { Upload } from "../api/types.ts";
import type { UPLOAD } from "../api/upload.ts";
import { isSignedIn } from "../state/session.ts";
import { ExplainedError } from "../ui/error-text.ts";
import type { ImageRef } from "./image-ref.ts";
import { text } from "./messages.ts";

/** A deployment keeps uploads for at least a day. */
const REUSED_FOR_MS = 12 * 3600 * 1000;

interface Uploaded {
  readonly s3Uri: string;
  readonly at: number;
}

interface Running {
  readonly result: Promise<string>;
  readonly controller: AbortController;
}

const uploaded = new Map<string, Uploaded>();
const running = new Map<string, Running>();

/** The shares of the running uploads that were sent, from 0 to 1, by the ids of their images. */
export const uploadProgress = signal<ReadonlyMap<string, number>>(new Map());

/** S3 has refused a file. */
export class UploadError extends ExplainedError {}

/**
 * Uploads an image, unless it is in S3 already, and returns its S3 URI.
 *
 * Throws what `call` throws, UploadError if S3 refuses the file, and a DOMException named AbortError after
 * `cancelUploads`.
 */
export function uploadImage(image: ImageRef): Promise<string> {
  const known = image.s3Uri ?? recent(image.id);
  if (known !== undefined) return Promise.resolve(known);
  const current = running.get(image.id);
  if (current !== undefined) return current.result;
  const controller = new AbortController();
  const result = upload(image, controller.signal).finally(() => {
    running.delete(image.id);
    setProgress(image.id, undefined);
  });
  running.set(image.id, { result, controller });
  return result;
}

/** Cancels all running uploads. */
export function cancelUploads(): void {
  for (const { controller } of running.values()) controller.abort();
}

/** Forgets the uploads whenever the session ends: they belong to the caller that made them. */
export function forgetUploadsOfOtherSessions(): void {
  effect(() => {
    if (!isSignedIn.value) uploaded.clear();
  });
}

function recent(id: string): string | undefined {
  const found = uploaded.get(id);
  return found !== undefined && Date.now() - found.at < REUSED_FOR_MS ? found.s3Uri : undefined;
}

async function upload({ id, blob }: ImageRef, signal: AbortSignal): Promise<string> {
  if (blob === undefined) throw new UploadError(text.noFile());
  setProgress(id, 0);
  const type = blob.type as (typeof UPLOAD.content_type.enum)[number];
  const { data } = await call("createUpload", { body: { content_type: type, size: blob.size }, signal });
  await post(data, blob, signal, (share) => setProgress(id, share));
  uploaded.set(id, { s3Uri: data.s3_uri, at: Date.now() });
  return data.s3_uri;
}

function setProgress(id: string, share: number | undefined): void {
  const progress = new Map(uploadProgress.value);
  if (share === undefined) progress.delete(id);
  else progress.set(id, share);
  uploadProgress.value = progress;
}

/** Sends the form; `fetch` does not report the progress of what it sends. */
function post(
  permission: Upload,
  file: Blob,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(permission.fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new UploadError(text.refusedByStorage(request.status)));
    });
    request.addEventListener("error", () => reject(new ConnectionError()));
    request.addEventListener("abort", () => reject(signal.reason));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.throwIfAborted();
    signal.addEventListener("abort", abort);
    request.open("POST", permission.url);
    request.send(form);
  });
}

/** Files that the visitor gives, as images. */
import { UPLOAD } from "../api/upload.ts";
import { ExplainedError } from "../ui/error-text.ts";
import { type ImageRef, imageOfBlob, type Size } from "./image-ref.ts";
import { HEAD_BYTES, type MediaType, mediaTypeOf } from "./media-type.ts";
import { text } from "./messages.ts";

/** The API's limit for the pixels of an input image; docs/api.md names it, the API's description does not. */
export const MAX_PIXELS = 50_000_000;

const MIB = 1024 * 1024;

/** Types that not every browser can show. */
const NOT_EVERYWHERE: readonly MediaType[] = ["image/tiff", "image/avif", "image/heic", "image/heif"];

/** A file cannot be used. */
export class ImageFileError extends ExplainedError {}

/**
 * Reads a file as an image that the API accepts. Its size is undefined if the browser cannot show it.
 *
 * Throws ImageFileError if the file is empty, too large, damaged, or none of the accepted formats.
 */
export async function openImageFile(file: Blob, name: string): Promise<ImageRef> {
  if (file.size === 0) throw new ImageFileError(text.emptyFile(name));
  const type = mediaTypeOf(await headOf(file, name));
  if (type === undefined) throw new ImageFileError(text.notAnImage(name));
  if (file.size > UPLOAD.size.maximum) {
    throw new ImageFileError(text.tooManyBytes(name, mebibytes(file.size), mebibytes(UPLOAD.size.maximum)));
  }
  const blob = new Blob([file], { type });
  const size = await sizeOf(blob);
  if (size === undefined && !NOT_EVERYWHERE.includes(type)) throw new ImageFileError(text.damaged(name));
  if (size !== undefined && size.width * size.height > MAX_PIXELS) {
    throw new ImageFileError(text.tooManyPixels(name, size.width, size.height, MAX_PIXELS / 1e6));
  }
  return imageOfBlob(blob, name, size);
}

async function headOf(file: Blob, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    // The file was moved or deleted since it was chosen, or it is a folder.
    throw new ImageFileError(text.unreadable(name));
  }
}

/** The size of an image with its EXIF orientation; undefined if the browser cannot show it. */
async function sizeOf(blob: Blob): Promise<Size | undefined> {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  try {
    image.src = url;
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0);
}

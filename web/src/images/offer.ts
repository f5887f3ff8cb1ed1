/** Images that the visitor drops, pastes or chooses. */
import { signal } from "@preact/signals";
import { setInputImage } from "../state/draft-images.ts";
import { notify } from "../state/notices.ts";
import { NotLoadedError } from "../ui/lazy.tsx";
import type { ImageRef } from "./image-ref.ts";
import { text } from "./messages.ts";
import type { FoundParameters } from "./metadata/found-parameters.ts";
import { ImageFileError, openImageFile } from "./open-file.ts";

/** A file with parameters, which may be used as an image, for its parameters, or for both. */
export interface Offer {
  /** The reason, if the file cannot be used as an image. */
  readonly image: ImageRef | ImageFileError;
  readonly name: string;
  readonly found: FoundParameters;
}

/** The offer that waits for the visitor's choice. */
export const offer = signal<Offer | undefined>(undefined);

/** Takes the first of the files as the input image; asks first if it has parameters. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  const [file] = files;
  if (file === undefined) return;
  if (files.length > 1) notify("info", text.onlyFirst(file.name));
  const [image, found] = await Promise.all([openOrExplain(file), findParameters(file)]);
  if (found !== undefined) {
    offer.value = { image, name: file.name, found };
  } else if (image instanceof ImageFileError) {
    notify("error", image.message);
  } else {
    setInputImage(image);
  }
}

/** The parameters of a file; undefined also if it cannot be read, which `openOrExplain` says. */
async function findParameters(file: File): Promise<FoundParameters | undefined> {
  const reader = await import("./parameters.ts").catch(() => undefined);
  if (reader === undefined) notify("error", new NotLoadedError().message);
  return reader?.parametersOf(file).catch(() => undefined);
}

async function openOrExplain(file: File): Promise<ImageRef | ImageFileError> {
  try {
    return await openImageFile(file, file.name);
  } catch (error) {
    if (error instanceof ImageFileError) return error;
    throw error;
  }
}

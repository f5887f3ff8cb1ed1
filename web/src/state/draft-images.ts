/** The images of the draft. They are kept in this browser, and survive a reload. */
import { effect, type Signal, signal } from "@preact/signals";
import { fetchImage } from "../images/fetch-image.ts";
import { equalSizes, type ImageRef } from "../images/image-ref.ts";
import { text } from "../images/messages.ts";
import { load, save } from "../images/store.ts";
import { setField } from "./draft.ts";
import { notify } from "./notices.ts";

/** The image of image-to-image, inpainting and outpainting. */
export const inputImage = signal<ImageRef | undefined>(undefined);

/** The mask of the input image, black and white in its size; undefined without one. */
export const maskImage = signal<ImageRef | undefined>(undefined);

/** The control images by the index of their ControlNets in the request. */
export const controlImages = signal<readonly (ImageRef | undefined)[]>([]);

/**
 * Sets or removes the input image. A mask of another size is removed; without an image, borders too.
 *
 * `url` is a link to the image's file if the image does not have it: its pixels are fetched, for the mask.
 */
export function setInputImage(image: ImageRef | undefined, url?: string): void {
  const had = maskImage.value !== undefined;
  inputImage.value = image;
  if (had && (image === undefined || !equalSizes(image.size, maskImage.value?.size))) {
    maskImage.value = undefined;
    if (image !== undefined) notify("info", text.maskRemoved());
  }
  if (image === undefined) setField("outpaint", undefined);
  else if (url !== undefined && image.blob === undefined) void addPixels(image, url);
}

/** Adds the file to the input image; without it, the image can be used, but not shown or painted on. */
async function addPixels(image: ImageRef, url: string): Promise<void> {
  const blob = await fetchImage(url);
  if (blob === undefined) notify("info", text.noPixels());
  else if (inputImage.value?.id === image.id) inputImage.value = { ...image, blob };
}

/** Sets or removes the mask. A mask excludes borders. */
export function setMaskImage(mask: ImageRef | undefined): void {
  maskImage.value = mask;
  if (mask !== undefined) setField("outpaint", undefined);
}

/** Sets the control image of a ControlNet. */
export function setControlImage(index: number, image: ImageRef | undefined): void {
  const images = [...controlImages.value];
  images[index] = image;
  controlImages.value = Array.from(images);
}

/** Removes a ControlNet's place; the images of later ones move up. */
export function removeControlImage(index: number): void {
  controlImages.value = controlImages.value.toSpliced(index, 1);
}

/** Restores the images that this browser has kept, and keeps them from now on. */
export async function keepDraftImages(): Promise<void> {
  await Promise.all([keep("input", inputImage), keep("mask", maskImage), keep("controls", controlImages)]);
}

async function keep<T>(key: string, kept: Signal<T>): Promise<void> {
  const initial = kept.value;
  try {
    const stored = await load(key);
    if (stored !== undefined && kept.value === initial) kept.value = stored as T;
  } catch {
    // Without a store there is nothing to restore; saving says that nothing can be kept.
  }
  let saved = kept.value;
  effect(() => {
    const value = kept.value;
    if (value === saved) return;
    saved = value;
    save(key, value).catch(() => notify("info", text.notKept()));
  });
}

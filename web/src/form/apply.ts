/** Fills the form from an earlier job or from a file's metadata. */
import type { ImageRef } from "../images/image-ref.ts";
import { models, samplers } from "../state/catalog.ts";
import { fields } from "../state/draft.ts";
import { controlImages, inputImage, setInputImage, setMaskImage } from "../state/draft-images.ts";
import { notify } from "../state/notices.ts";
import { type Applicable, appliedFields } from "./applied.ts";
import { text } from "./messages.ts";
import { failure } from "./refusal.ts";

/**
 * Replaces the form's content by a request's; without the seed, images are random. The images of a job are taken
 * over with it. Metadata of a file name none, and leave the form's as they are.
 */
export function applyRequest(request: Applicable, { withSeed }: { readonly withSeed: boolean }): void {
  const applied = appliedFields(request, fields.value, {
    models: models.value,
    samplers: samplers.value,
    withSeed,
  });
  if ("input_image" in request) applyImages(request);
  fields.value = applied.fields;
  controlImages.value = controlImages.value.slice(0, applied.fields.controlnets?.length ?? 0);
  failure.value = undefined;
  if (applied.missingModel !== undefined) notify("info", text.missingModel(applied.missingModel));
}

function applyImages({ input_image: input, mask_image: mask, controlnets = [] }: Applicable): void {
  if (input !== inputImage.value?.s3Uri) setInputImage(stored(input));
  setMaskImage(stored(mask));
  controlImages.value = controlnets.map(({ image }) => stored(image));
}

function stored(uri: string | null | undefined): ImageRef | undefined {
  if (!uri?.startsWith("s3://")) return undefined;
  return { id: uri, name: uri.slice(uri.lastIndexOf("/") + 1), s3Uri: uri };
}

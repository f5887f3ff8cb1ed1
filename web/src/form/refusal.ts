/** The failure of the last submission, and what of it still stands beside the form's fields. */
import { computed, signal } from "@preact/signals";
import { ApiError } from "../api/errors.ts";
import { schemaAt } from "../api/field-schema.ts";
import { fields } from "../state/draft.ts";
import { controlImages, inputImage, maskImage } from "../state/draft-images.ts";
import { errorText } from "../ui/error-text.ts";
import { errorsWithin, type Snapshot, standingErrors } from "./field-errors.ts";
import { isApplicable } from "./request.ts";

export interface Failure {
  readonly error: unknown;
  readonly snapshot: Snapshot;
}

/** The failure of the last submission; undefined if there was none. */
export const failure = signal<Failure | undefined>(undefined);

/** What the form holds now. */
export const snapshot = computed<Snapshot>(() => ({
  ...fields.value,
  input_image: inputImage.value?.id,
  mask_image: maskImage.value?.id,
  controlnets: fields.value.controlnets?.map((each, index) => ({
    ...each,
    image: controlImages.value[index]?.id,
  })),
}));

const standing = computed(() => {
  const failed = failure.value;
  if (!(failed?.error instanceof ApiError)) return new Map<string, string>();
  return standingErrors(failed.error.errors, failed.snapshot, snapshot.value);
});

/** The API's sentence about the field at a path. */
export function errorAt(path: string): string | undefined {
  return standing.value.get(path);
}

/** The API's sentences about the field at a path and all that it contains. */
export function errorWithin(path: string): string | undefined {
  const errors = errorsWithin(standing.value, path);
  return errors.length === 0 ? undefined : errors.join("; ");
}

const hasInput = computed(() => inputImage.value !== undefined);
const hasMask = computed(() => maskImage.value !== undefined);
const hasBorders = computed(() => fields.value.outpaint != null);

/** Whether the form shows the field with the present images. */
export function isShown(name: string): boolean {
  return isApplicable(name, hasInput.value, hasMask.value, hasBorders.value);
}

/** What the submit button shows: a failure without fields, and errors of fields that the form does not show. */
export const generalErrors = computed<readonly string[]>(() => {
  const error = failure.value?.error;
  if (error === undefined) return [];
  if (!(error instanceof ApiError) || error.errors.length === 0) return [errorText(error)];
  return [...standing.value]
    .filter(([path]) => schemaAt(path).type === undefined || !isShown(path))
    .map(([path, detail]) => (path === "" ? detail : `${path}: ${detail}`));
});

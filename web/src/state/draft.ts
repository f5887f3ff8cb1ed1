/** The form's content. It is kept in this browser, and survives a reload. */
import { computed, effect, signal } from "@preact/signals";
import type { ControlNet, Submission } from "../api/types.ts";
import { defaultModel, models } from "./catalog.ts";
import { parseDraft } from "./draft-storage.ts";
import { valueIn, withValueIn } from "./paths.ts";
import { readText, storeText } from "./stored.ts";

const KEY = "draft";

/** A ControlNet of the draft; its image has the same index in `controlImages`. */
export type DraftControlNet = Omit<ControlNet, "image">;

/** The fields that the visitor has set; all others take the model's defaults. Images are not among them. */
export type Fields = Partial<Omit<Submission, "input_image" | "mask_image" | "controlnets">> & {
  readonly controlnets?: readonly DraftControlNet[];
};

export const fields = signal<Fields>(parseDraft(readText(KEY)));

/** The model of the draft. */
export const draftModel = computed(
  () =>
    models.value.find((each) => each.name === fields.value.model) ?? defaultModel.value ?? models.value[0],
);

/** Sets a field; undefined returns it to the model's default. */
export function setField<Name extends keyof Fields>(name: Name, value: Fields[Name] | undefined): void {
  const { [name]: _, ...others } = fields.value;
  fields.value = value === undefined ? others : { ...others, [name]: value };
}

/** The value at a path, such as `steps` or `hires/scale`; undefined if the visitor has not set it. */
export function draftValue(path: string): unknown {
  return valueIn(fields.value, path) ?? undefined;
}

/** Sets the value at a path; undefined returns a field to its default, and removes an item of a list. */
export function setDraftValue(path: string, value: unknown): void {
  fields.value = withValueIn(fields.value, path, value);
}

/** Keeps the draft in localStorage from now on. */
export function keepDraft(): void {
  effect(() => storeText(KEY, JSON.stringify(fields.value)));
}

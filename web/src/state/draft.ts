/** The form's content. It is kept in this browser, and survives a reload. */
import { computed, effect, signal } from "@preact/signals";
import type { Submission } from "../api/types.ts";
import { defaultModel, models } from "./catalog.ts";

const KEY = "draft";

/** The fields that the visitor has set; all others take the model's defaults. Images are not among them. */
export type Fields = Partial<Omit<Submission, "input_image" | "mask_image" | "controlnets">>;

export const fields = signal<Fields>(read());

/** The model of the draft. */
export const draftModel = computed(
  () => models.value.find((each) => each.name === fields.value.model) ?? defaultModel.value,
);

/** Sets a field; undefined returns it to the model's default. */
export function setField<Name extends keyof Fields>(name: Name, value: Fields[Name] | undefined): void {
  const { [name]: _, ...others } = fields.value;
  fields.value = value === undefined ? others : { ...others, [name]: value };
}

/** Keeps the draft in localStorage from now on. */
export function keepDraft(): void {
  effect(() => {
    localStorage.setItem(KEY, JSON.stringify(fields.value));
  });
}

function read(): Fields {
  const text = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

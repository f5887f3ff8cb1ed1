/** What the form shows in the place of values that the visitor has not set. */
import { draftModel, fields } from "../state/draft.ts";
import { inputImage } from "../state/draft-images.ts";
import { unsetLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { defaultOf } from "./model-schema.ts";

/** The default of a field; undefined if it is unknown, as where it follows from the input image. */
export function shownDefault(path: string): unknown {
  const followsImage = path === "width" || path === "height";
  if (followsImage && inputImage.value !== undefined) return undefined;
  if (path === "strength" && fields.value.outpaint != null) return undefined;
  return defaultOf(path, draftModel.value);
}

/** The text in the place of a number without a known default. */
export function shownUnset(path: string): string {
  const followsImage = path === "width" || path === "height";
  return followsImage ? text.asImage() : (unsetLabel(path) ?? text.byDefault());
}

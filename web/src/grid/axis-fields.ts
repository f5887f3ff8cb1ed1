/** The fields that an axis of a grid can vary. */
import { SCHEMAS, schemaAt } from "../api/field-schema.ts";
import type { Model, Sampler } from "../api/types.ts";
import { type Bounds, boundsOf } from "../form/model-schema.ts";
import { isApplicable } from "../form/request.ts";
import { plainSamplers, scheduleLabel } from "../form/sampler-choice.ts";
import type { Fields } from "../state/draft.ts";

interface Option {
  readonly value: string;
  readonly label: string;
}

/** A field by its path in the request, such as `steps` or `loras/0/weight`. */
export type AxisField =
  | { readonly kind: "number"; readonly path: string; readonly isInteger: boolean; readonly bounds: Bounds }
  | { readonly kind: "choice"; readonly path: string; readonly options: readonly Option[] }
  /** Search and replace in the prompt. */
  | { readonly kind: "text"; readonly path: "prompt" };

/** What decides which fields there are, and their bounds. */
export interface AxisContext {
  readonly fields: Fields;
  readonly model: Model | undefined;
  readonly models: readonly Model[];
  readonly samplers: readonly Sampler[];
  readonly hasInput: boolean;
  readonly hasMask: boolean;
}

const FIRST = [
  "prompt",
  "model",
  "sampler",
  "scheduler",
  "steps",
  "guidance_scale",
  "seed",
  "strength",
  "clip_skip",
];
/** Numbers that a grid sets itself, and fields that change the file rather than the image. */
const EXCLUDED = new Set(["count", "quality", "output_format", "metadata"]);
/** Objects of the draft whose numbers can be varied. */
const NESTED = ["hires", "upscale"] as const;

/** The fields, the most used ones first. */
export function axisFields(context: AxisContext): readonly AxisField[] {
  const { fields, hasInput, hasMask } = context;
  const names = [...new Set([...FIRST, ...Object.keys(SCHEMAS)])].filter(
    (name) => !EXCLUDED.has(name) && isApplicable(name, hasInput, hasMask, fields.outpaint != null),
  );
  const paths = names.flatMap((name) => {
    if (name === "loras") return (fields.loras ?? []).map((_, index) => `loras/${index}/weight`);
    return NESTED.some((each) => each === name && fields[each] != null)
      ? Object.keys(schemaAt(name).properties ?? {}).map((inner) => `${name}/${inner}`)
      : [name];
  });
  return paths.map((path) => axisField(path, context)).filter((each) => each !== undefined);
}

function axisField(path: string, context: AxisContext): AxisField | undefined {
  if (path === "prompt") return { kind: "text", path };
  const schema = schemaAt(path);
  if (schema.type === "number" || schema.type === "integer") {
    const bounds = boundsOf(path, context.model);
    return { kind: "number", path, isInteger: schema.type === "integer", bounds };
  }
  const options = optionsOf(path, context);
  return options.length > 1 ? { kind: "choice", path, options } : undefined;
}

function optionsOf(path: string, { models, samplers }: AxisContext): readonly Option[] {
  switch (path) {
    case "model":
      return models.map(({ name }) => ({ value: name, label: name }));
    case "sampler":
      return plainSamplers(samplers).map(({ name, label }) => ({ value: name, label }));
    case "scheduler":
      return [...new Set(samplers.flatMap((each) => each.schedule_types))].map((name) => ({
        value: name,
        label: scheduleLabel(name),
      }));
    default:
      return (schemaAt(path).enum ?? []).map((value) => ({ value, label: value }));
  }
}

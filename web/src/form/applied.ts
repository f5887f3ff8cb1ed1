/** The form's fields for a request: those of an earlier job, or of an image file's metadata. */
import { SCHEMAS } from "../api/field-schema.ts";
import type { Generation, Model, Sampler, Submission } from "../api/types.ts";
import type { Fields } from "../state/draft.ts";
import { validFields } from "../state/draft-storage.ts";
import { samplerChoice } from "./sampler-choice.ts";

/** What a request can be applied from; fields that it lacks take the model's defaults. */
export type Applicable = Generation | Partial<Submission>;

export interface Applied {
  readonly fields: Fields;
  /** The model that this deployment does not have; undefined if it has the model. */
  readonly missingModel: string | undefined;
}

interface Context {
  readonly models: readonly Model[];
  readonly samplers: readonly Sampler[];
  readonly withSeed: boolean;
}

/** Fields that belong to the visitor rather than to an image: a request does not change them. */
const KEPT = ["preview", "tags", "output_s3_uri", "webhook_url", "webhook_events"] as const;

/** The fields to set, given those that are set now. Fields at the model's defaults and unknown ones are left out. */
export function appliedFields(request: Applicable, present: Fields, context: Context): Applied {
  const { models } = context;
  const isHere = models.some(({ name }) => name === request.model);
  const name = isHere ? request.model : present.model;
  const model = models.find((each) => each.name === name) ?? models.find((each) => each.is_default);
  const isKept = ([each]: [string, unknown]) => KEPT.some((kept) => kept === each);
  const entries = Object.entries(plain(request, context.samplers)).filter(
    (entry) =>
      !isKept(entry) && (context.withSeed || entry[0] !== "seed") && !isDefault(entry[0], entry[1], model),
  );
  const chosen = model === undefined || model.is_default ? {} : { model: model.name };
  return {
    fields: validFields({
      ...Object.fromEntries(entries),
      ...Object.fromEntries(Object.entries(present).filter(isKept)),
      model: undefined,
      ...chosen,
    }),
    missingModel: request.model == null || isHere ? undefined : request.model,
  };
}

/** The request without images, and with the sampler and its schedule apart. */
function plain(request: Applicable, samplers: readonly Sampler[]): Readonly<Record<string, unknown>> {
  const { controlnets, sampler, scheduler, ...others }: Partial<Submission> = request;
  return {
    ...others,
    ...(Array.isArray(controlnets) && { controlnets: controlnets.map(withoutImage) }),
    ...(sampler == null ? { scheduler } : samplerChoice(sampler, samplers, scheduler ?? undefined)),
  };
}

function withoutImage(controlnet: unknown): object {
  const { image: _, ...others } = { ...(controlnet as { readonly image?: unknown } | null) };
  return others;
}

function isDefault(name: string, value: unknown, model: Model | undefined): boolean {
  if (value === null || value === undefined) return true;
  const defaults: Readonly<Record<string, unknown>> = { ...model?.defaults };
  const expected = defaults[name] ?? SCHEMAS[name]?.default;
  return JSON.stringify(value) === JSON.stringify(expected);
}

/** An image's parameters as labelled texts. */
import { FIELDS } from "../api/fields.ts";
import type { Generation, Job, JobImage, Model, Sampler } from "../api/types.ts";
import { fieldLabel } from "../form/labels.ts";
import { dateText, secondsText } from "./format.ts";
import { text } from "./messages.ts";

/** A label and its value. */
export type Parameter = readonly [label: string, value: string];

/** What names are explained by. */
export interface Catalog {
  readonly models: readonly Model[];
  readonly samplers: readonly Sampler[];
}

/** Shown apart, or of no interest once the image exists. */
const LEFT_OUT =
  "id model prompt negative_prompt width height seed count sampler steps guidance_scale preview";

/** The parameters of an image, besides its prompts; fields of the request with their defaults are left out. */
export function parametersOf(job: Job, image: JobImage | undefined, catalog: Catalog): readonly Parameter[] {
  const { request, result } = job;
  const sampler = catalog.samplers.find(({ name }) => name === request.sampler);
  const parameters: (readonly [string, string | undefined])[] = [
    [fieldLabel("model"), request.model],
    [text.revision(), result?.revision?.slice(0, 12)],
    [text.size(), image && `${image.width} × ${image.height}`],
    [fieldLabel("seed"), String(image?.seed ?? request.seed)],
    [fieldLabel("sampler"), sampler?.label ?? request.sampler],
    [fieldLabel("steps"), String(request.steps)],
    [fieldLabel("guidance_scale"), String(request.guidance_scale)],
    ...changedFields(request, catalog.models),
    [text.created(), dateText(job.created_at)],
    [text.took(), durations(job)],
    [fieldLabel("tags"), job.tags.join(", ")],
    [text.expires(), dateText(job.expires_at)],
    [text.id(), job.id],
    [text.fallbacks(), result?.fallbacks?.join(" ")],
  ];
  return parameters.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [[label, value] as const],
  );
}

/** The other fields of a request, unless they have the default of the API or of the model. */
function changedFields(request: Generation, models: readonly Model[]): readonly Parameter[] {
  const model: Readonly<Record<string, unknown>> =
    models.find(({ name }) => name === request.model)?.defaults ?? {};
  const api = FIELDS as Readonly<Record<string, { readonly default?: unknown }>>;
  return Object.entries(request)
    .filter(([name, value]) => !LEFT_OUT.split(" ").includes(name) && !isEmpty(value))
    .filter(([name, value]) => {
      // Without an input image there is no strength: its default says something too.
      if (name === "strength") return true;
      return !isEqual(value, api[name]?.default) && !isEqual(value, model[name]);
    })
    .map(([name, value]) => [fieldLabel(name), valueText(name, value)]);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0);
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A value as text; objects list the labels of their fields, and files are named without their directories. */
function valueText(path: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => valueText(path, item)).join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .filter(([, each]) => !isEmpty(each))
      .map(([name, each]) => fieldText(`${path}/${name}`, each))
      .join(" ");
  }
  if (value === true) return "✓";
  return String(value).replace(/^s3:\/\/.*\//, "");
}

function fieldText(path: string, value: unknown): string {
  const shown = valueText(path, value);
  return /\/(name|type)$/.test(path) ? shown : `${fieldLabel(path)}: ${shown}`;
}

function durations({ result }: Job): string | undefined {
  const { total, denoise } = result?.durations_s ?? {};
  if (total === undefined) return undefined;
  if (denoise === undefined) return text.seconds(secondsText(total));
  return text.tookText(secondsText(total), secondsText(denoise));
}

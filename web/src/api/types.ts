/** The API's types under short names. */
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Job = Schemas["JobView"];
export type JobStatus = Schemas["JobStatus"];
export type JobImage = Schemas["JobImage"];
export type Generation = Schemas["Generation"];
export type Submission = Schemas["JobSubmission"];
export type Phase = Schemas["Phase"];
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];
export type Lora = Schemas["Lora"];
export type ControlNet = Schemas["ControlNet"];
export type Outpaint = Schemas["Outpaint"];
export type Sampler = Schemas["SamplerView"];
export type Adapter = Schemas["AdapterView"];
export type AdapterKind = Schemas["AdapterType"];
export type Upload = Schemas["UploadView"];

export type ModelDefaults = Required<Schemas["ModelDefaults"]>;
export type ModelLimits = Required<Schemas["ModelLimits"]>;

/** A deployed model; the API always sends its defaults and limits. */
export interface Model {
  readonly name: string;
  readonly is_default: boolean;
  readonly defaults: ModelDefaults;
  readonly limits: ModelLimits;
}

/** Whether a job with the status changes no more. */
export function isTerminal(status: JobStatus): boolean {
  return status !== "queued" && status !== "running";
}

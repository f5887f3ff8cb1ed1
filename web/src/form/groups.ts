/** The order of the form's folded fields. */
import { SCHEMAS } from "../api/field-schema.ts";

export interface Group {
  readonly name: "size" | "sampling" | "adapters" | "controlnets" | "upscaling" | "output" | "job" | "other";
  readonly fields: readonly string[];
}

/** The fields of an input image and of its mask. */
export const IMAGE_FIELDS = ["strength", "mask_blur", "mask_padding", "mask_invert", "mask_alpha"] as const;

/** The fields with places of their own in the form. */
const FIRST_FIELDS = ["prompt", "negative_prompt", "model", "count", "input_image", "mask_image", "outpaint"];

const KNOWN_GROUPS: readonly Group[] = [
  { name: "size", fields: ["width", "height"] },
  {
    name: "sampling",
    fields: [
      "steps",
      "guidance_scale",
      "sampler",
      "scheduler",
      "seed",
      "clip_skip",
      "guidance_rescale",
      "guidance_interval",
      "timestep_spacing",
      "refiner_start",
    ],
  },
  { name: "adapters", fields: ["loras", "embeddings", "vae"] },
  { name: "controlnets", fields: ["controlnets"] },
  { name: "upscaling", fields: ["hires", "upscale"] },
  { name: "output", fields: ["output_format", "quality", "metadata", "preview"] },
  { name: "job", fields: ["tags", "output_s3_uri", "webhook_url", "webhook_events"] },
];

/** The groups under "More"; fields that have no place yet are in the last one. */
export function groupsOf(names: readonly string[]): readonly Group[] {
  const placed = new Set([...FIRST_FIELDS, ...IMAGE_FIELDS, ...KNOWN_GROUPS.flatMap(({ fields }) => fields)]);
  return [...KNOWN_GROUPS, { name: "other", fields: names.filter((name) => !placed.has(name)) }];
}

export const GROUPS = groupsOf(Object.keys(SCHEMAS));

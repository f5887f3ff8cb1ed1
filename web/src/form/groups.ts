/** The order of the form's folded fields. */
import { SCHEMAS } from "../api/field-schema.ts";
import { isKnownField } from "./labels.ts";

export interface Group {
  readonly name: "size" | "sampling" | "adapters" | "controlnets" | "upscaling" | "output" | "job" | "other";
  readonly fields: readonly string[];
}

/** The fields of an input image and of its mask; outpainting is part of the image's own control. */
export const IMAGE_FIELDS = ["strength", "mask_blur", "mask_padding", "mask_invert"] as const;

/** The groups under "More"; fields that the page does not know by name are in the last one. */
export const GROUPS: readonly Group[] = [
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
  { name: "other", fields: unknownFields() },
];

function unknownFields(): readonly string[] {
  const images = ["input_image", "mask_image"];
  return Object.keys(SCHEMAS).filter((name) => !isKnownField(name) && !images.includes(name));
}

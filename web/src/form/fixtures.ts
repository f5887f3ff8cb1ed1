/** Models and samplers of tests. */
import type { Model, ModelDefaults, ModelLimits, Sampler } from "../api/types.ts";

/** A model with the usual defaults and limits but for the given ones. */
export function modelOf(
  defaults: Partial<ModelDefaults> = {},
  limits: Partial<ModelLimits> = {},
  name = "base",
): Model {
  return {
    name,
    is_default: name === "base",
    defaults: {
      width: 512,
      height: 512,
      steps: 30,
      guidance_scale: 7.5,
      guidance_rescale: 0,
      guidance_interval: [0, 1],
      sampler: "euler_a",
      timestep_spacing: null,
      count: 1,
      strength: 0.8,
      clip_skip: 1,
      vae: null,
      metadata: "full",
      ...defaults,
    },
    limits: { min_size: 64, max_size: 1024, max_steps: 150, max_count: 4, max_output_size: 4096, ...limits },
  };
}

export const SAMPLERS: readonly Sampler[] = [
  {
    name: "euler_a",
    label: "Euler a",
    aliases: ["K_EULER_ANCESTRAL"],
    schedule_types: ["sgm_uniform", "normal"],
  },
  {
    name: "dpmpp_2m",
    label: "DPM++ 2M",
    aliases: ["DPMSolverMultistepScheduler"],
    schedule_types: ["karras", "beta", "sgm_uniform"],
  },
  { name: "dpmpp_2m_karras", label: "DPM++ 2M Karras", aliases: ["KarrasDPM"], schedule_types: [] },
];

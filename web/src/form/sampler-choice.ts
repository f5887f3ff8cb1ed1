/** Samplers as the form offers them: the sampler and its schedule are two choices. */
import type { Sampler } from "../api/types.ts";

/** A sampler's name and the name of its schedule; undefined: the model's. */
export interface SamplerChoice {
  readonly sampler: string;
  readonly scheduler?: string | undefined;
}

/** The samplers without those that only combine another one with one of its schedules. */
export function plainSamplers(samplers: readonly Sampler[]): readonly Sampler[] {
  return samplers.filter(({ name }) => combined(name, samplers) === undefined);
}

/**
 * The choice for a sampler's name, label or alias, which may include the schedule (`dpmpp_2m_karras`, `DPM++ 2M
 * Karras`), and for the name of a schedule as AUTOMATIC1111 spells it (`SGM Uniform`).
 */
export function samplerChoice(text: string, samplers: readonly Sampler[], schedule?: string): SamplerChoice {
  const wanted = text.toLowerCase();
  const named = samplers.find(({ name, label, aliases }) =>
    [name, label, ...aliases].some((each) => each.toLowerCase() === wanted),
  );
  const name = named?.name ?? text;
  const choice = combined(name, samplers) ?? { sampler: name };
  const scheduler = schedule?.toLowerCase().replaceAll(" ", "_");
  return scheduler === undefined || scheduler === "automatic" ? choice : { ...choice, scheduler };
}

/** The schedules of a sampler, named with or without one of them. */
export function schedulesOf(sampler: string, samplers: readonly Sampler[]): readonly string[] {
  const { sampler: name } = samplerChoice(sampler, samplers);
  return samplers.find((each) => each.name === name)?.schedule_types ?? [];
}

/** The label of a choice: `DPM++ 2M Karras`. */
export function choiceLabel({ sampler, scheduler }: SamplerChoice, samplers: readonly Sampler[]): string {
  const label = samplers.find(({ name }) => name === sampler)?.label ?? sampler;
  return scheduler === undefined ? label : `${label} ${scheduleLabel(scheduler)}`;
}

/** The label of a schedule: `sgm_uniform` is `SGM Uniform`. */
export function scheduleLabel(name: string): string {
  return name
    .split("_")
    .map((word) =>
      word.length <= 3 ? word.toUpperCase() : `${word.charAt(0).toUpperCase()}${word.slice(1)}`,
    )
    .join(" ");
}

function combined(name: string, samplers: readonly Sampler[]): SamplerChoice | undefined {
  for (const { name: base, schedule_types: schedules } of samplers) {
    const scheduler = schedules.find((each) => name === `${base}_${each}`);
    if (scheduler !== undefined) return { sampler: base, scheduler };
  }
  return undefined;
}

/** An image's parameters in words. */
import type { Job, JobImage, Sampler } from "../api/types.ts";
import { ownTags } from "../grid/tags.ts";
import { dateText, secondsText } from "./format.ts";
import { text } from "./messages.ts";

/** A label and its value. */
export type Parameter = readonly [label: string, value: string];

/** The parameters of an image, besides its prompts; those that the request leaves out are left out. */
export function parametersOf(
  job: Job,
  image: JobImage | undefined,
  samplers: readonly Sampler[],
): Parameter[] {
  const { request } = job;
  const sampler = samplers.find(({ name }) => name === request.sampler);
  const parameters: (readonly [string, string | number | null | undefined])[] = [
    [text.model(), request.model],
    [text.revision(), job.result?.revision?.slice(0, 12)],
    [text.size(), image && `${image.width} × ${image.height}`],
    [text.seed(), image?.seed ?? request.seed],
    [text.sampler(), sampler?.label ?? request.sampler],
    [text.steps(), request.steps],
    [text.guidance(), request.guidance_scale],
    [text.strength(), request.strength],
    [text.clipSkip(), request.clip_skip === 1 ? null : request.clip_skip],
    [text.loras(), listed(request.loras, ({ name, weight = 1 }) => `${name} (${weight})`)],
    [text.controlnets(), listed(request.controlnets, ({ type, weight = 1 }) => `${type} (${weight})`)],
    [text.embeddings(), listed(request.embeddings, (name) => name)],
    [text.vae(), request.vae],
    [text.hires(), request.hires && scaling(request.hires)],
    [text.upscale(), request.upscale && scaling(request.upscale)],
    [text.created(), dateText(job.created_at)],
    [text.took(), durations(job)],
    [text.tags(), listed(ownTags(job.tags), (tag) => tag)],
    [text.expires(), dateText(job.expires_at)],
    [text.id(), job.id],
    [text.fallbacks(), listed(job.result?.fallbacks, (sentence) => sentence)],
  ];
  return parameters.flatMap(([label, value]) =>
    value === null || value === undefined || value === "" ? [] : [[label, String(value)] as const],
  );
}

function listed<Item>(items: readonly Item[] | undefined, name: (item: Item) => string): string | undefined {
  return items?.map(name).join(", ");
}

function scaling({ scale = 2, upscaler = "" }: { scale?: number; upscaler?: string }): string {
  return `× ${scale} ${upscaler}`.trimEnd();
}

function durations({ result }: Job): string | undefined {
  const { total, denoise } = result?.durations_s ?? {};
  if (total === undefined) return undefined;
  if (denoise === undefined) return text.seconds(secondsText(total));
  return text.tookText(secondsText(total), secondsText(denoise));
}

import type { Submission } from "../../api/types.ts";
import { type Catalog, type FoundParameters, RequestBuilder } from "./found-parameters.ts";
import { type Infotext, parseInfotext } from "./infotext.ts";

const NUMBERS: readonly (readonly [string, keyof Submission])[] = [
  ["Steps", "steps"],
  ["CFG scale", "guidance_scale"],
  ["CFG Rescale", "guidance_rescale"],
  ["Seed", "seed"],
  ["Clip skip", "clip_skip"],
  ["Mask blur", "mask_blur"],
];
const GRID = 8;
const LANCZOS = "lanczos";
const IMAGE_PARAMETERS = ["Init image hash", "Mask blur", "ControlNet 0"];

/** The request of AUTOMATIC1111's parameters text; undefined if the text is none. */
export function requestOfInfotext(text: string, catalog: Catalog): FoundParameters | undefined {
  const infotext = parseInfotext(text);
  if (infotext === undefined || infotext.prompt === "") return undefined;
  const { values } = infotext;
  const builder = new RequestBuilder();
  setPrompts(builder, infotext);
  for (const [label, name] of NUMBERS) {
    const value = values.get(label);
    if (value !== undefined) builder.set(name, Number(value), label, value);
  }
  setModel(builder, values, catalog);
  setSampler(builder, values, catalog);
  setSize(builder, values);
  setHires(builder, values, catalog);
  setUpscale(builder, values, catalog);
  setMask(builder, values);
  setGuidanceInterval(builder, values);
  return builder.found(IMAGE_PARAMETERS.some((name) => values.has(name)));
}

type Values = Infotext["values"];

function setPrompts(builder: RequestBuilder, { prompt, negativePrompt }: Infotext): void {
  builder.set("prompt", prompt, "Prompt");
  if (negativePrompt !== "") builder.set("negative_prompt", negativePrompt, "Negative prompt");
}

function setModel(builder: RequestBuilder, values: Values, { models, adapters }: Catalog): void {
  const model = values.get("Model");
  if (model !== undefined && models.includes(model)) builder.set("model", model);
  else if (model !== undefined) builder.refuse("Model", model);
  const vae = values.get("VAE")?.replace(/\.(safetensors|pt|ckpt|bin)$/, "");
  if (vae === undefined || vae === "None" || vae === "Automatic") return;
  if (adapters?.get("vae")?.includes(vae) === false) builder.refuse("VAE", vae);
  else builder.set("vae", vae, "VAE");
}

function setSampler(builder: RequestBuilder, values: Values, { samplers }: Catalog): void {
  const label = values.get("Sampler");
  if (label === undefined) return;
  const sampler = samplers.find((each) =>
    [each.name, each.label, ...each.aliases].some((name) => normalized(name) === normalized(label)),
  );
  if (sampler === undefined) builder.refuse("Sampler", label);
  else {
    builder.set("sampler", sampler.name, "Sampler");
    setSchedule(builder, values, sampler);
  }
}

function setSchedule(builder: RequestBuilder, values: Values, sampler: Catalog["samplers"][number]): void {
  const schedule = values.get("Schedule type");
  if (schedule === undefined) return;
  const type = ["automatic", ...sampler.schedule_types].find(
    (each) => normalized(each) === normalized(schedule),
  );
  if (type === undefined) builder.refuse("Schedule type", schedule);
  else if (sampler.schedule_types.length > 0) builder.set("scheduler", type, "Schedule type");
}

/** Lower-case letters and digits, as the API compares the names of samplers. */
function normalized(name: string): string {
  return name
    .toLowerCase()
    .replaceAll("++", "pp")
    .replace(/[^a-z0-9]/g, "");
}

function setSize(builder: RequestBuilder, values: Values): void {
  const [width, height] = sizeOf(values.get("Size"));
  if (width === undefined || height === undefined) return;
  builder.set("width", toGrid(width), "Size");
  builder.set("height", toGrid(height), "Size");
}

function sizeOf(text: string | undefined): readonly number[] {
  return /^\d{1,5}x\d{1,5}$/.test(text ?? "") ? (text ?? "").split("x").map(Number) : [];
}

function toGrid(pixels: number): number {
  return Math.max(Math.round(pixels / GRID), 1) * GRID;
}

function setHires(builder: RequestBuilder, values: Values, catalog: Catalog): void {
  const strength = numberOf(values, "Denoising strength");
  const scale = hiresScale(values);
  if (scale === undefined) {
    if (strength !== undefined) builder.set("strength", strength, "Denoising strength");
    return;
  }
  const steps = numberOf(values, "Hires steps");
  builder.set(
    "hires",
    {
      scale,
      ...(steps !== undefined && steps > 0 && { steps }),
      ...(strength !== undefined && { strength }),
      upscaler: upscaler(builder, values, "Hires upscaler", catalog),
    },
    "Hires upscale",
  );
}

/** The factor of the second pass; of a size, that of the width. */
function hiresScale(values: Values): number | undefined {
  const scale = numberOf(values, "Hires upscale");
  if (scale !== undefined) return scale;
  const [target] = sizeOf(values.get("Hires resize"));
  const [width] = sizeOf(values.get("Size"));
  return target !== undefined && width !== undefined && width > 0 ? target / width : undefined;
}

function setUpscale(builder: RequestBuilder, values: Values, catalog: Catalog): void {
  const scale = numberOf(values, "Postprocess upscale by");
  if (scale === undefined) return;
  const name = upscaler(builder, values, "Postprocess upscaler", catalog);
  builder.set("upscale", { scale, upscaler: name }, "Postprocess upscale by");
}

/** The upscaler of a parameter; `lanczos` in place of one that is not available. */
function upscaler(builder: RequestBuilder, values: Values, label: string, { adapters }: Catalog): string {
  const name = values.get(label);
  if (name === undefined || name.toLowerCase() === LANCZOS) return LANCZOS;
  if (!name.startsWith("Latent") && adapters?.get("upscaler")?.includes(name) !== false) return name;
  builder.refuse(label, name);
  return LANCZOS;
}

function setMask(builder: RequestBuilder, values: Values): void {
  if (values.get("Mask mode") === "Inpaint not masked") builder.set("mask_invert", true);
  const padding = numberOf(values, "Masked area padding");
  if (values.get("Inpaint area") === "Only masked" && padding !== undefined) {
    builder.set("mask_padding", padding, "Masked area padding");
  }
}

function setGuidanceInterval(builder: RequestBuilder, values: Values): void {
  const start = numberOf(values, "CFG interval start");
  const end = numberOf(values, "CFG interval end");
  if (start !== undefined && end !== undefined)
    builder.set("guidance_interval", [start, end], "CFG interval");
}

function numberOf(values: Values, name: string): number | undefined {
  const value = values.get(name);
  return value === undefined || Number.isNaN(Number(value)) ? undefined : Number(value);
}

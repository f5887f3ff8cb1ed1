import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Catalog } from "./metadata/found-parameters.ts";
import { parametersIn, textsOf } from "./parameters.ts";

const CATALOG: Catalog = {
  models: ["demo", "dreamshaper_8"],
  samplers: [
    { name: "euler_a", label: "Euler a", aliases: [], schedule_types: ["sgm_uniform"] },
    { name: "dpmpp_2m", label: "DPM++ 2M", aliases: ["sample_dpmpp_2m"], schedule_types: ["karras"] },
    { name: "dpmpp_2m_karras", label: "DPM++ 2M Karras", aliases: [], schedule_types: [] },
  ],
  adapters: undefined,
};

const read = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const found = async (name: string) => parametersIn(await textsOf(read(name)), CATALOG);

for (const name of ["kit.png", "kit.jpeg", "kit.webp"]) {
  test(`${name}: the request of this kit's document`, async () => {
    const parameters = await found(name);
    assert.deepEqual(parameters?.request, {
      model: "demo",
      prompt: "a red circle, 红色 <b>&",
      negative_prompt: "blur",
      width: 128,
      height: 128,
      steps: 20,
      guidance_scale: 7.5,
      guidance_rescale: 0,
      guidance_interval: [0, 1],
      sampler: "euler_a",
      seed: 4294967295,
      count: 1,
      clip_skip: 1,
      strength: 0.8,
      mask_invert: false,
      loras: [{ name: "moon", weight: 0.5 }],
      embeddings: [],
      output_format: "png",
      quality: 90,
      metadata: "full",
    });
    assert.equal(parameters?.usedImages, true);
    assert.deepEqual(parameters?.unavailable, []);
  });
}

const NAMES = [
  "a1111-text.png",
  "a1111-ztxt.png",
  "a1111-itxt-zip.png",
  "a1111-utf16le.jpeg",
  "a1111-utf16be.jpeg",
  "a1111-ascii.webp",
];
for (const name of NAMES) {
  test(`${name}: the request of AUTOMATIC1111's text`, async () => {
    const parameters = await found(name);
    assert.deepEqual(parameters?.request, {
      prompt: "a cat (wearing a hat:1.2), <lora:moon:0.8>\nsecond line",
      negative_prompt: "bad hands,\nblurry",
      steps: 25,
      guidance_scale: 6,
      seed: 42,
      clip_skip: 2,
      model: "dreamshaper_8",
      vae: "vae-ft-mse",
      sampler: "dpmpp_2m",
      scheduler: "karras",
      width: 512,
      height: 768,
      hires: { scale: 1.5, steps: 10, strength: 0.4, upscaler: "lanczos" },
    });
    assert.deepEqual(parameters?.unavailable, ["Hires upscaler: Latent"]);
  });
}

test("texts in other scripts are read", async () => {
  assert.equal((await found("a1111-itxt.png"))?.request.prompt, "一只猫");
});

test("files without parameters have none", async () => {
  assert.equal(await found("plain.png"), undefined);
  assert.deepEqual(await textsOf(new TextEncoder().encode("parameters: a text file")), {});
});

test("truncated and damaged files do not fail", async () => {
  for (const name of ["kit.png", "kit.jpeg", "kit.webp", ...NAMES]) {
    const bytes = read(name);
    for (let length = 0; length < bytes.length; length += 7) await textsOf(bytes.subarray(0, length));
    for (let at = 12; at < bytes.length; at += 5) {
      const damaged = bytes.slice();
      damaged[at] = 0xff;
      parametersIn(await textsOf(damaged), CATALOG);
    }
  }
});

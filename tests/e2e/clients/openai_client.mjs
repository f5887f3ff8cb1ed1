// Uses the API with the client `openai` of npm, and prints a JSON report.
//
// Arguments: the API's URL, a key, an image, its mask, and a mask that selects nothing. The packages are in the directory
// CLIENTS.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { APIError, OpenAI, toFile } = createRequire(`${process.env.CLIENTS}/`)("openai");
const [apiUrl, apiKey, image, mask, opaqueMask] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${apiUrl}/v1`, apiKey });
const quick = { size: "128x128", seed: 7, steps: 4 };

async function edited(maskPath, prompt) {
  const file = await toFile(await readFile(maskPath), "mask.png", { type: "image/png" });
  const answer = await client.images.edit({
    image: createReadStream(image),
    mask: file,
    prompt,
    model: "gpt-image-1",
    ...quick,
  });
  return answer.data[0].b64_json;
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    const { status, code, param, message } = error;
    return { class: error.constructor.name, status, code, param, message };
  }
  return {};
}

const start = (file) => Buffer.from(file).subarray(0, 8).toString("hex");
const star = "a big yellow star on a blue background";
const generated = await client.images.generate({
  prompt: star,
  model: "gpt-image-1",
  n: 2,
  quality: "low",
  ...quick,
});
const linked = await client.images.generate({
  prompt: "a red circle",
  model: "dall-e-3",
  style: "vivid",
  ...quick,
});
const stranger = new OpenAI({ baseURL: `${apiUrl}/v1`, apiKey: "wrong".repeat(8) });
const generate = (given) => () => client.images.generate({ prompt: "a", ...given });

console.log(
  JSON.stringify({
    models: (await client.models.list()).data.map((each) => [each.id, each.object, each.owned_by]),
    size: generated.size,
    format: generated.output_format,
    generated: generated.data.map((each) => start(Buffer.from(each.b64_json, "base64"))),
    linked: start(await (await fetch(linked.data[0].url)).arrayBuffer()),
    edited: await edited(mask, "a red circle"),
    opaque_mask: await refusal(() => edited(opaqueMask, "a blue star")),
    transparent: await refusal(generate({ background: "transparent" })),
    size_beyond_limits: await refusal(generate({ size: "1792x1024" })),
    unknown: await refusal(generate({ frames: 2 })),
    unknown_model: await refusal(generate({ model: "flux" })),
    wrong_key: await refusal(() => stranger.images.generate({ prompt: "a" })),
  }),
);

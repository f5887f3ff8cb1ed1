// Uses the API with the client `replicate` of npm, and prints a JSON report.
//
// Arguments: the API's URL, a key, an image and its mask. The packages are in the directory CLIENTS.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const Replicate = createRequire(`${process.env.CLIENTS}/`)("replicate");
const [apiUrl, key, image, mask] = process.argv.slice(2);
const client = new Replicate({ baseUrl: `${apiUrl}/replicate/v1`, auth: key, useFileOutput: false });
const quick = { prompt: "a big red star on a blue background", num_inference_steps: 4, seed: 7 };
const slow = { prompt: "a red circle", num_inference_steps: 100, num_outputs: 4, width: 256, height: 256 };

async function signatures(output) {
  const files = await Promise.all(output.map(async (url) => (await fetch(url)).arrayBuffer()));
  return files.map((file) => Buffer.from(file).subarray(0, 8).toString("hex"));
}

async function refusal(input) {
  try {
    await client.run("anyone/demo", { input });
  } catch (error) {
    const { title, detail, status } = JSON.parse(/\{.*\}/s.exec(error.message)[0]);
    return { name: error.name, title, detail, status: status === error.response.status ? status : null };
  }
  return {};
}

const generated = await client.run("anyone/demo", { input: { ...quick, num_outputs: 2 } });
const version = (await client.models.get("anyone", "demo")).latest_version.id;
const edited = await client.run(`anyone/demo:${version}`, {
  input: { ...quick, image: await readFile(image), mask: await readFile(mask), prompt_strength: 0.6 },
});
const waited = await client.predictions.create({ model: "anyone/demo", input: slow, wait: 1 });
await client.predictions.cancel(waited.id);
const canceled = await client.wait(waited, {});
const listed = (await client.predictions.list()).results;

console.log(
  JSON.stringify({
    generated: await signatures(generated),
    edited: await signatures(edited),
    after_waiting: waited.status,
    canceled: canceled.status,
    listed: listed.map((each) => each.status),
    metrics: Object.keys(listed.at(-1).metrics),
    refused: await refusal({ prompt: "a", aspect_ratio: "16:9" }),
    beyond_limits: await refusal({ prompt: "a", num_inference_steps: 900 }),
  }),
);

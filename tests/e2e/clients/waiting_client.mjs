// Generates an image with the client `openai` of npm, and prints a JSON report with its seconds.
//
// Arguments: the API's URL, a key, and the prompts, which are sent at once. The packages are in the directory CLIENTS.
import { createRequire } from "node:module";

const { OpenAI } = createRequire(`${process.env.CLIENTS}/`)("openai");

const [apiUrl, apiKey, ...prompts] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: `${apiUrl}/v1`, apiKey });

async function generated(prompt) {
  const started = performance.now();
  const { data } = await openai.images.generate({ prompt, model: "demo" });
  return {
    start: Buffer.from(data[0].b64_json, "base64").subarray(0, 8).toString("hex"),
    seconds: (performance.now() - started) / 1000,
  };
}

console.log(JSON.stringify(await Promise.all(prompts.map(generated))));

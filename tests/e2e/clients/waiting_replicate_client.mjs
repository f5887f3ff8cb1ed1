// Generates an image with the client `replicate` of npm, and prints a JSON report with its seconds.
//
// Arguments: the API's URL, a key and a prompt. The packages are in the directory CLIENTS.
import { createRequire } from "node:module";

const Replicate = createRequire(`${process.env.CLIENTS}/`)("replicate");

const [apiUrl, auth, prompt] = process.argv.slice(2);
const client = new Replicate({ baseUrl: `${apiUrl}/replicate/v1`, auth, useFileOutput: false });
const started = performance.now();
const [url] = await client.run("anyone/demo", { input: { prompt } });
const seconds = (performance.now() - started) / 1000;
const file = Buffer.from(await (await fetch(url)).arrayBuffer());
console.log(JSON.stringify([{ start: file.subarray(0, 8).toString("hex"), seconds }]));

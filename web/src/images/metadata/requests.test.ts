import assert from "node:assert/strict";
import { test } from "node:test";
import { conforms } from "./conforming.ts";
import type { Catalog } from "./found-parameters.ts";
import { requestOfGeneration } from "./generation-request.ts";
import { parseValues } from "./infotext.ts";
import { requestOfInfotext } from "./infotext-request.ts";

const CATALOG: Catalog = {
  models: ["demo"],
  samplers: [{ name: "euler_a", label: "Euler a", aliases: [], schedule_types: ["sgm_uniform"] }],
  adapters: new Map([["upscaler", ["RealESRGAN_x4"]]]),
};

test("quoted values contain commas, colons and escapes", () => {
  const values = parseValues('Steps: 20, Lora hashes: "moon: 1, sun: 2", Note: "a \\"b\\"\\n", Last: x');
  assert.deepEqual(Object.fromEntries(values), {
    Steps: "20",
    "Lora hashes": "moon: 1, sun: 2",
    Note: 'a "b"\n',
    Last: "x",
  });
});

test("an unfinished quotation is an ordinary value", () => {
  assert.deepEqual(Object.fromEntries(parseValues('A: "x, B: 2')), { A: '"x', B: "2" });
});

test("the number of values is bounded", () => {
  assert.equal(parseValues("a: 1, ".repeat(10).replaceAll("a", "b")).size, 1);
  const many = Array.from({ length: 5000 }, (_, index) => `n${index}: 1`).join(", ");
  assert.equal(parseValues(many).size, 200);
});

test("what this deployment lacks is listed and left out", () => {
  const text =
    "cat\nSteps: 20, Sampler: Restart, Schedule type: Karras, Model: other, VAE: none.pt, Size: 512x512";
  const found = requestOfInfotext(text, { ...CATALOG, adapters: new Map([["vae", []]]) });
  assert.deepEqual(found?.unavailable, ["Model: other", "VAE: none", "Sampler: Restart"]);
  assert.deepEqual(found?.request, { prompt: "cat", steps: 20, width: 512, height: 512 });
});

test("values outside the API's limits are listed and left out", () => {
  const found = requestOfInfotext("cat\nSteps: 9999, CFG scale: x, Seed: -1", CATALOG);
  assert.deepEqual(found?.request, { prompt: "cat" });
  assert.deepEqual(found?.unavailable, ["Steps: 9999", "CFG scale: x", "Seed: -1"]);
});

test("the size of a second pass becomes its scale", () => {
  const text = "cat\nSteps: 20, Size: 512x512, Hires resize: 1024x1024, Hires upscaler: RealESRGAN_x4";
  assert.deepEqual(requestOfInfotext(text, CATALOG)?.request.hires, { scale: 2, upscaler: "RealESRGAN_x4" });
});

test("a prompt of several lines with the words of a parameter line is kept", () => {
  const found = requestOfInfotext("Steps: of a house\nin the rain\nSteps: 20, Seed: 1", CATALOG);
  assert.equal(found?.request.prompt, "Steps: of a house\nin the rain");
});

test("texts that are none are undefined", () => {
  for (const text of ["", "a cat", "Negative prompt: x\nSteps: 20", `${"x".repeat(200_000)}\nSteps: 20`]) {
    assert.equal(requestOfInfotext(text, CATALOG), undefined);
  }
  for (const text of ["", "[]", "null", "{", '{"request": []}', '{"request": {"steps": 3}}']) {
    assert.equal(requestOfGeneration(text, CATALOG), undefined);
  }
});

test("a document's values are taken only as the API describes them", () => {
  const request = {
    prompt: "cat",
    steps: "20",
    width: 100,
    loras: [{ name: "a", evil: 1 }],
    output_format: "exe",
    webhook_url: "https://example.com/",
    hires: { scale: 2, upscaler: "lanczos", steps: null },
    model: "other",
  };
  const found = requestOfGeneration(JSON.stringify({ request }), CATALOG);
  assert.deepEqual(found?.request, { prompt: "cat", hires: request.hires });
  assert.deepEqual(found?.unavailable.length, 5);
});

test("names of an object's prototype are no properties", () => {
  const description = { type: "object", properties: { a: { type: "integer" } } } as const;
  assert.equal(conforms(JSON.parse('{"constructor": 1}'), description), false);
  assert.equal(conforms(JSON.parse('{"__proto__": 1}'), description), false);
  assert.equal(conforms({ a: 1 }, description), true);
});

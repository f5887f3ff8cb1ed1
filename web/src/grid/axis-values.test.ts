import assert from "node:assert/strict";
import { test } from "node:test";
import type { AxisField } from "./axis-fields.ts";
import { type AxisValue, MAX_CELLS, parseValues } from "./axis-values.ts";

const STEPS: AxisField = {
  kind: "number",
  path: "steps",
  isInteger: true,
  bounds: { min: 1, max: 100, step: 1 },
};
const WEIGHT: AxisField = {
  kind: "number",
  path: "loras/0/weight",
  isInteger: false,
  bounds: { min: -4, max: 4, step: 0.05 },
};
const WIDTH: AxisField = {
  kind: "number",
  path: "width",
  isInteger: true,
  bounds: { min: 64, max: 512, step: 8 },
};
const SAMPLER: AxisField = {
  kind: "choice",
  path: "sampler",
  options: [
    { value: "euler", label: "Euler" },
    { value: "heun", label: "Heun" },
  ],
};
const PROMPT: AxisField = { kind: "text", path: "prompt" };

function valuesOf(field: AxisField, typed: string, prompt = ""): readonly AxisValue[] {
  const { values, error } = parseValues(field, typed, prompt);
  assert.equal(error, undefined);
  return values;
}

function errorOf(field: AxisField, typed: string, prompt = ""): string {
  return parseValues(field, typed, prompt).error ?? "";
}

test("numbers are a list or ranges, as AUTOMATIC1111 writes them", () => {
  assert.deepEqual(valuesOf(STEPS, "5, 10,15"), [5, 10, 15]);
  assert.deepEqual(valuesOf(STEPS, "1-3"), [1, 2, 3]);
  assert.deepEqual(valuesOf(STEPS, "5-20 (+5)"), [5, 10, 15, 20]);
  assert.deepEqual(valuesOf(STEPS, "20-10 (-5)"), [20, 15, 10]);
  assert.deepEqual(valuesOf(STEPS, "1-10 [4], 50"), [1, 4, 7, 10, 50]);
  assert.deepEqual(valuesOf(WEIGHT, "-1-1 (+0.5)"), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(valuesOf(WEIGHT, "0.1-0.3 (+0.1)"), [0.1, 0.2, 0.3]);
});

test("full-width signs of Chinese keyboards are understood", () => {
  assert.deepEqual(valuesOf(STEPS, "５，１０、１５"), [5, 10, 15]);
  assert.deepEqual(valuesOf(STEPS, "5-15（+5）"), [5, 10, 15]);
});

test("a value that is there twice counts once", () => {
  assert.deepEqual(valuesOf(STEPS, "5-15 (+5), 10"), [5, 10, 15]);
});

test("an error names the part and the reason", () => {
  assert.match(errorOf(STEPS, "5, many"), /“many” is neither a number nor a range/);
  assert.match(errorOf(STEPS, "5-10 (+0)"), /“5-10 \(\+0\)” is neither/);
  assert.match(errorOf(STEPS, "2.5"), /2\.5 is not a whole number/);
  assert.match(errorOf(STEPS, "0"), /0 is less than 1/);
  assert.match(errorOf(STEPS, "90-110 (+10)"), /110 is more than 100/);
  assert.match(errorOf(WIDTH, "100"), /100 is not a multiple of 8/);
  assert.match(errorOf(STEPS, " , "), /at least one value/);
});

test("the number of values is bounded, also for a long range", () => {
  assert.match(errorOf(STEPS, "1-99"), new RegExp(`At most ${MAX_CELLS} values`));
  assert.match(errorOf(WEIGHT, "0-4 (+0.000001)"), /At most/);
  assert.match(errorOf(WEIGHT, "0-4 [9999]"), /At most/);
});

test("choices are those of the field", () => {
  assert.deepEqual(valuesOf(SAMPLER, "heun\nunknown\neuler"), ["heun", "euler"]);
});

test("the first text must be in the prompt", () => {
  assert.deepEqual(valuesOf(PROMPT, "circle\n square, blue \n", "a red circle"), ["circle", "square, blue"]);
  assert.match(errorOf(PROMPT, "star\nmoon", "a red circle"), /does not contain “star”/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOf } from "./request.ts";

const NONE = { input: undefined, mask: undefined, controls: [] };
const INPUT = { ...NONE, input: "s3://bucket/input.png" };
const MASKED = { ...INPUT, mask: "s3://bucket/mask.png" };

test("only what the visitor has set is sent, and the wish for a preview", () => {
  assert.deepEqual(requestOf({ prompt: "a circle", steps: 7 }, NONE), {
    prompt: "a circle",
    steps: 7,
    preview: true,
  });
  assert.deepEqual(requestOf({ preview: false }, NONE), { preview: false });
});

test("fields of an input image and of its mask are sent with them only", () => {
  const fields = {
    strength: 0.5,
    mask_blur: 8,
    mask_padding: 32,
    mask_invert: true,
    preview: false,
  } as const;
  assert.deepEqual(requestOf(fields, NONE), { preview: false });
  assert.deepEqual(requestOf(fields, INPUT), { preview: false, strength: 0.5, input_image: INPUT.input });
  assert.deepEqual(requestOf(fields, MASKED), {
    ...fields,
    input_image: MASKED.input,
    mask_image: MASKED.mask,
  });
  assert.deepEqual(requestOf({ preview: false }, { ...MASKED, input: undefined }), { preview: false });
});

test("borders take the place of a size", () => {
  const fields = { width: 512, height: 256, mask_blur: 8, outpaint: { left: 64 }, preview: false };
  assert.deepEqual(requestOf(fields, INPUT), {
    mask_blur: 8,
    outpaint: { left: 64 },
    preview: false,
    input_image: INPUT.input,
  });
  assert.deepEqual(requestOf(fields, NONE), { width: 512, height: 256, preview: false });
});

test("control images go to their ControlNets; one that is missing is left to the API's error", () => {
  const controlnets = [{ type: "canny", weight: 0.5 }, { type: "depth" }];
  const request = requestOf(
    { controlnets, preview: false },
    { ...NONE, controls: [undefined, "s3://b/c.png"] },
  );
  assert.deepEqual(request.controlnets, [
    { type: "canny", weight: 0.5 },
    { type: "depth", image: "s3://b/c.png" },
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { imageFor, jobWith } from "../jobs/job-fixture.ts";
import { upscalingOf } from "./upscale.ts";

const limits = { min_size: 64, max_size: 1024, max_steps: 150, max_count: 4, max_output_size: 4096 };
const { request } = jobWith();
const image = imageFor(9);

test("an image from text is denoised again at twice its size, with its own seed", () => {
  const upscaling = upscalingOf({ ...request, count: 4 }, image, limits, []);
  assert.equal(upscaling?.kind, "hires");
  assert.deepEqual(upscaling?.submission.hires, { scale: 2, strength: 0.35, upscaler: "lanczos" });
  assert.equal(upscaling?.submission.seed, 9);
  assert.equal(upscaling?.submission.count, 1);
  assert.ok(!("id" in (upscaling?.submission ?? {})));
});

test("an upscaling model is preferred", () => {
  assert.equal(upscalingOf(request, image, limits, ["esrgan"])?.submission.hires?.upscaler, "esrgan");
});

test("an image from an image is upscaled, since it cannot be denoised again", () => {
  const upscaling = upscalingOf({ ...request, input_image: "s3://b/inputs/x" }, image, limits, []);
  assert.equal(upscaling?.kind, "plain");
  assert.deepEqual(upscaling?.submission.upscale, { scale: 2, upscaler: "lanczos" });
});

test("an image that is upscaled already is upscaled further", () => {
  const before = { ...request, upscale: { scale: 1.5, upscaler: "esrgan" } };
  assert.deepEqual(upscalingOf(before, image, limits, [])?.submission.upscale, {
    scale: 3,
    upscaler: "esrgan",
  });
});

test("the model's largest size is kept", () => {
  const small = { ...limits, max_output_size: 1152 };
  assert.equal(upscalingOf(request, image, small, [])?.factor, 1.5);
  assert.equal(upscalingOf(request, image, { ...limits, max_output_size: 768 }, []), undefined);
});

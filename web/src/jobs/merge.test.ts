import assert from "node:assert/strict";
import { test } from "node:test";
import { imageFor, jobWith } from "./job-fixture.ts";
import { mergeListed, needsLinks } from "./merge.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const progress = { phase: "denoising", step: 4, total_steps: 20, preview_step: null } as const;

test("a listed job does not take away the details of an unfinished one", () => {
  const known = jobWith({ status: "running", phase: "denoising", progress, eta_seconds: 9 });
  const merged = mergeListed(known, jobWith({ status: "running", phase: "denoising", tags: ["new"] }), NOW);
  assert.deepEqual(merged, { ...known, tags: ["new"] });
});

test("an older list does not bring an ended job back to life", () => {
  const known = jobWith({ status: "succeeded", phase: null, images: [imageFor(7)] });
  assert.equal(mergeListed(known, jobWith({ status: "running" }), NOW).status, "succeeded");
});

test("links that still work stay the same, so that images are not loaded again", () => {
  const known = jobWith({ status: "succeeded", images: [imageFor(7, "2030-01-01T00:30:00Z")] });
  const listed = jobWith({ status: "succeeded", images: [imageFor(7, "2030-01-01T01:00:00Z")] });
  assert.equal(mergeListed(known, listed, NOW).images[0]?.url, known.images[0]?.url);
});

test("links that end soon are replaced", () => {
  const known = jobWith({ status: "succeeded", images: [imageFor(7, "2030-01-01T00:05:00Z")] });
  const listed = jobWith({ status: "succeeded", images: [imageFor(7, "2030-01-01T01:00:00Z")] });
  assert.equal(mergeListed(known, listed, NOW).images[0]?.url, listed.images[0]?.url);
});

test("jobs are loaded again before their links end; withheld images have none", () => {
  const withheld = { ...imageFor(7), url: null, url_expires_at: null };
  assert.equal(needsLinks(undefined, NOW), true);
  assert.equal(needsLinks(jobWith({ images: [imageFor(7, "2030-01-01T00:00:30Z")] }), NOW), true);
  assert.equal(needsLinks(jobWith({ images: [imageFor(7, "2030-01-01T00:30:00Z"), withheld] }), NOW), false);
});

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { language } from "../i18n/language.ts";
import { jobWith } from "./job-fixture.ts";
import { durationText, phaseText, progressShare, remainingText } from "./phase-text.ts";

const denoising = jobWith({
  status: "running",
  phase: "denoising",
  progress: { phase: "denoising", step: 5, total_steps: 20, preview_step: null },
});

afterEach(() => {
  language.value = "en";
});

test("a waking instance is said with its time", () => {
  const job = jobWith({ phase: "waking_capacity" });
  assert.equal(phaseText(job, 238), "Waking an instance, about 4 minutes");
  assert.equal(phaseText(job, undefined), "Waking an instance; this takes minutes");
});

test("the place in the queue is said", () => {
  assert.equal(phaseText(jobWith({ position: 3 }), undefined), "Place 3 in the queue");
  assert.equal(phaseText(jobWith({ position: 1 }), undefined), "Next in the queue");
  assert.equal(phaseText(jobWith(), undefined), "Queued");
});

test("steps are said once their number is known", () => {
  assert.equal(phaseText(denoising, undefined), "Denoising: step 5 of 20");
  assert.equal(phaseText(jobWith({ phase: "denoising" }), undefined), "Denoising");
});

test("texts are in the page's language", () => {
  language.value = "zh";
  assert.equal(phaseText(denoising, undefined), "去噪：第 5 / 20 步");
});

test("durations are as exact as estimates are", () => {
  const texts = [0, 8.4, 33, 65, 119, 3600 * 1.4, 3600 * 5].map(durationText);
  assert.deepEqual(texts, [
    "a moment left",
    "about 8 s",
    "about 35 s",
    "about a minute",
    "about 2 minutes",
    "about 84 minutes",
    "about 5 hours",
  ]);
});

test("the bar shows the share of the steps, and none while it is not known", () => {
  assert.equal(progressShare(denoising), 0.25);
  assert.equal(progressShare(jobWith({ phase: "loading_model" })), undefined);
  assert.equal(progressShare(jobWith({ phase: "uploading" })), 1);
});

test("no time is said when the estimate has passed long before the end", () => {
  assert.equal(remainingText(denoising, 9), "about 9 s");
  assert.equal(remainingText(denoising, 0), undefined);
  assert.equal(remainingText(jobWith({ phase: "uploading" }), 0), "a moment left");
  assert.equal(remainingText(denoising, undefined), undefined);
});

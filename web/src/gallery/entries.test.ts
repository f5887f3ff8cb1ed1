import assert from "node:assert/strict";
import { test } from "node:test";
import { imageFor, jobWith } from "../jobs/job-fixture.ts";
import { type Entry, entryOf, mergePage, withEntry } from "./entries.ts";

const never = (): boolean => false;

function entries(...ids: readonly string[]): readonly Entry[] {
  return ids.map((id) => ({ id, tiles: 1 }));
}

test("a job has a tile for each image, one without images, and none while it runs", () => {
  assert.equal(entryOf(jobWith()).tiles, 0);
  assert.equal(entryOf(jobWith({ status: "failed" })).tiles, 1);
  assert.equal(entryOf(jobWith({ status: "succeeded", images: [imageFor(1), imageFor(2)] })).tiles, 2);
});

test("new jobs come first", () => {
  const merged = mergePage(entries("C", "B", "A"), entries("D", "C"), { from: undefined, to: "C" }, never);
  assert.deepEqual(merged, entries("D", "C", "B", "A"));
});

test("a job that the answer would contain and lacks is gone", () => {
  const merged = mergePage(entries("D", "C", "B"), entries("D", "B"), { from: undefined, to: "B" }, never);
  assert.deepEqual(merged, entries("D", "B"));
});

test("jobs beyond the answer stay", () => {
  const merged = mergePage(entries("D", "C", "B", "A"), entries("B"), { from: "C", to: "B" }, never);
  assert.deepEqual(merged, entries("D", "C", "B", "A"));
});

test("the last page has everything that is left", () => {
  const merged = mergePage(entries("D", "C", "A"), [], { from: "C", to: undefined }, never);
  assert.deepEqual(merged, entries("D", "C"));
});

test("a job that was just submitted stays while the list is behind", () => {
  const merged = mergePage(entries("D", "C"), entries("C"), { from: undefined, to: "C" }, (id) => id === "D");
  assert.deepEqual(merged, entries("D", "C"));
});

test("a job that ends gets its tiles where it is", () => {
  assert.deepEqual(withEntry(entries("B", "A"), { id: "A", tiles: 4 }), [
    { id: "B", tiles: 1 },
    { id: "A", tiles: 4 },
  ]);
  const same = entries("B", "A");
  assert.equal(withEntry(same, { id: "A", tiles: 1 }), same);
  assert.equal(withEntry(same, { id: "C", tiles: 1 }), same);
});

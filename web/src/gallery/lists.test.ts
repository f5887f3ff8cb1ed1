import assert from "node:assert/strict";
import { test } from "node:test";
import { imageFor, jobWith } from "../jobs/job-fixture.ts";
import { forEach } from "./bulk.ts";
import { placeBefore, withPlace } from "./cursors.ts";
import { fileName } from "./file-name.ts";
import { parseFilters } from "./filters.ts";

test("a job is read again from the nearest place before it", () => {
  const places = withPlace(withPlace([], { after: "D", cursor: "1" }), { after: "B", cursor: "2" });
  assert.equal(placeBefore(places, "E"), undefined);
  assert.equal(placeBefore(places, "D"), undefined);
  assert.equal(placeBefore(places, "C")?.cursor, "1");
  assert.equal(placeBefore(places, "A")?.cursor, "2");
});

test("kept filters are read back, and anything else is left out", () => {
  assert.deepEqual(parseFilters('{"text":"cat","status":"failed"}'), { text: "cat", status: "failed" });
  assert.deepEqual(parseFilters('{"text":1,"status":"unknown","other":"x"}'), {});
  for (const json of ["", "null", "[", "[]"]) assert.deepEqual(parseFilters(json), {});
});

test("a file's name is made of the prompt and the seed, in any script", () => {
  const named = (prompt: string): string =>
    fileName(jobWith({ request: { ...jobWith().request, prompt } }), imageFor(42));
  assert.equal(named("A cat/../on <a> mat"), "A-cat-on-a-mat-42.png");
  assert.equal(named("一只猫"), "一只猫-42.png");
  assert.equal(named("…"), "01M8KVSKM2DXF9D8AZ96JVYJA3-42.png");
  assert.ok(named("x".repeat(900)).length < 80);
});

test("work on several items goes on after failures, and reports them", async () => {
  const outcome = await forEach(["a", "b", "c", "d", "e", "f"], async (item) => {
    await Promise.resolve();
    if (item === "b") throw new Error("no");
  });
  assert.deepEqual(new Set(outcome.done), new Set(["a", "c", "d", "e", "f"]));
  assert.deepEqual(outcome.failed, ["b"]);
  assert.match(outcome.reason ?? "", /no/);
});

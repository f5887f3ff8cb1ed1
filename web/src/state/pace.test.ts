import assert from "node:assert/strict";
import { test } from "node:test";
import { pollInterval, retryInterval, takeTurns } from "./pace.ts";

test("jobs are asked for as often as the API asks", () => {
  assert.equal(pollInterval(2, false), 2000);
  assert.equal(pollInterval(60, false), 60_000);
  assert.equal(pollInterval(0, false), 1000);
});

test("a hidden page asks less often", () => {
  assert.equal(pollInterval(2, true), 15_000);
  assert.equal(pollInterval(60, true), 60_000);
});

test("failures in a row are repeated ever less often, up to a limit", () => {
  assert.deepEqual([1, 2, 3, 9].map(retryInterval), [3000, 6000, 12_000, 30_000]);
});

test("many jobs take turns", () => {
  const wait = takeTurns(200);
  assert.deepEqual([wait(1000), wait(1000), wait(1000), wait(5000)], [0, 200, 400, 0]);
});

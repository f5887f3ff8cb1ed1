import assert from "node:assert/strict";
import { test } from "node:test";
import { stepEta } from "./eta.ts";

test("the first estimate is shown as it is", () => {
  assert.equal(stepEta(undefined, 42), 42);
});

test("the shown time follows the clock", () => {
  assert.equal(stepEta(42, 41), 41);
});

test("a slightly higher estimate makes the shown time wait, not rise", () => {
  assert.equal(stepEta(42, 48), 42);
});

test("an estimate that is far higher is shown at once", () => {
  assert.equal(stepEta(20, 240), 240);
});

test("the shown time falls towards a lower estimate without a leap", () => {
  let shown = 60;
  for (let target = 29; target >= 0; target -= 1) {
    const next = stepEta(shown, target);
    assert.ok(next <= shown && next >= target);
    assert.ok(shown - next <= 12);
    shown = next;
  }
  assert.equal(shown, 0);
});

test("no negative time is shown", () => {
  assert.equal(stepEta(1, -5), 0);
});

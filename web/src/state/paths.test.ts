import assert from "node:assert/strict";
import { test } from "node:test";
import { valueIn, withValueIn } from "./paths.ts";

const DOCUMENT = { steps: 7, loras: [{ name: "a" }, { name: "b", weight: 2 }] };

test("values are found by their paths", () => {
  assert.equal(valueIn(DOCUMENT, "steps"), 7);
  assert.equal(valueIn(DOCUMENT, "loras/1/weight"), 2);
  assert.equal(valueIn(DOCUMENT, "loras/5/weight"), undefined);
  assert.equal(valueIn(DOCUMENT, "steps/1"), undefined);
});

test("a value is set in a copy", () => {
  assert.deepEqual(withValueIn(DOCUMENT, "loras/0/weight", 1), {
    steps: 7,
    loras: [
      { name: "a", weight: 1 },
      { name: "b", weight: 2 },
    ],
  });
  assert.deepEqual(withValueIn(DOCUMENT, "hires/scale", 2), { ...DOCUMENT, hires: { scale: 2 } });
  assert.deepEqual(DOCUMENT.loras[0], { name: "a" });
});

test("undefined removes a property or an item", () => {
  assert.deepEqual(withValueIn(DOCUMENT, "steps", undefined), { loras: DOCUMENT.loras });
  assert.deepEqual(withValueIn(DOCUMENT, "loras/0", undefined).loras, [{ name: "b", weight: 2 }]);
  assert.deepEqual(withValueIn(DOCUMENT, "loras/1/weight", undefined).loras[1], { name: "b" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceTexts } from "./replacement.ts";

test("every occurrence is replaced, and the place of the first value is known", () => {
  const { result, places } = replaceTexts("a cat and a cat", [{ search: "cat", value: "big dog" }]);
  assert.equal(result, "a big dog and a big dog");
  assert.deepEqual(places, [{ start: 2, length: 7 }]);
});

test("a value of one text is not replaced by another", () => {
  const { result, places } = replaceTexts("red cat", [
    { search: "red", value: "cat" },
    { search: "cat", value: "red" },
  ]);
  assert.equal(result, "cat red");
  assert.deepEqual(places, [
    { start: 0, length: 3 },
    { start: 4, length: 3 },
  ]);
});

test("a text that does not occur has no place", () => {
  assert.deepEqual(replaceTexts("a", [{ search: "b", value: "c" }]), { result: "a", places: [undefined] });
});

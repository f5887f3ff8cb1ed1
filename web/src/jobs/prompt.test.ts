import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt } from "./prompt.ts";

test("a short prompt is shown on one line", () => {
  assert.equal(excerpt(" a cat\n on a mat "), "a cat on a mat");
});

test("a long prompt is cut between words", () => {
  const text = excerpt("word ".repeat(100));
  assert.match(text, /^(word )+word…$/);
  assert.ok(text.length <= 121);
});

test("a long prompt without spaces is cut", () => {
  assert.ok(excerpt("字".repeat(500)).length <= 121);
});

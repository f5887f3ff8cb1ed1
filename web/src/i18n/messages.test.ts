import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { language } from "./language.ts";
import { messages } from "./messages.ts";

const text = messages({
  hello: { en: "Hello", zh: "你好" },
  place: { en: (place: number) => `Place ${place}`, zh: (place: number) => `第 ${place} 位` },
});

afterEach(() => {
  language.value = "en";
});

test("a text follows the language of the page", () => {
  assert.equal(text.hello(), "Hello");
  language.value = "zh";
  assert.equal(text.hello(), "你好");
});

test("a text contains its values", () => {
  assert.equal(text.place(3), "Place 3");
  language.value = "zh";
  assert.equal(text.place(3), "第 3 位");
});

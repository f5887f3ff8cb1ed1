import assert from "node:assert/strict";
import { test } from "node:test";
import { editWeight } from "./weights.ts";

/** A text in which `|` marks the cursor, or the ends of the selection. */
function marked(text: string) {
  const start = text.indexOf("|");
  const rest = text.replace("|", "");
  const second = rest.indexOf("|");
  return { text: rest.replace("|", ""), start, end: second < 0 ? start : second };
}

function show({ text, start, end }: { text: string; start: number; end: number }): string {
  const tail = start === end ? text.slice(start) : `${text.slice(start, end)}|${text.slice(end)}`;
  return `${text.slice(0, start)}|${tail}`;
}

const CASES: readonly (readonly [string, string, 1 | -1, string])[] = [
  ["the word at the cursor", "a red ci|rcle, big", 1, "a red (|circle|:1.1), big"],
  ["the word before the cursor", "a red circle|", -1, "a red (|circle|:0.9)"],
  ["the selected words", "a |red circle|, big", 1, "a (|red circle|:1.1), big"],
  ["a selection without the spaces at its ends", "a| red |circle", 1, "a (|red|:1.1) circle"],
  ["weighted words around the cursor", "a (red cir|cle:1.1), big", 1, "a (|red circle|:1.2), big"],
  ["weighted words that are selected", "a (|red circle|:1.2)", -1, "a (|red circle|:1.1)"],
  ["the innermost weighted words", "((a r|ed:1.2) circle:1.3)", 1, "((|a red|:1.3) circle:1.3)"],
  ["words back to weight 1", "a (r|ed:1.1) circle", -1, "a |red| circle"],
  ["words below zero", "(r|ed:0)", -1, "(|red|:-0.1)"],
  ["a word between literal brackets", "\\(r|ed\\)", 1, "\\((|red|:1.1)\\)"],
  ["a LoRA by a smaller step", "a <lora:mo|on:0.8>", 1, "a <lora:mo|on:0.85>"],
  ["a LoRA down to whole numbers", "<lora:moon:1.05|>", -1, "<lora:moon:1>|"],
  ["Chinese words between their commas", "一只猫，红|色，大", 1, "一只猫，(|红色|:1.1)，大"],
];

for (const [what, before, direction, after] of CASES) {
  test(`the weight of ${what} changes`, () => {
    assert.equal(show(editWeight(marked(before), direction)), after);
  });
}

test("nothing changes without a word", () => {
  for (const text of ["", "a , | b", "|"]) {
    assert.deepEqual(editWeight(marked(text), 1), marked(text));
  }
});

test("raising and lowering restores the text", () => {
  const start = marked("a r|ed circle");
  const raised = editWeight(editWeight(start, 1), 1);
  assert.equal(editWeight(editWeight(raised, -1), -1).text, start.text);
});

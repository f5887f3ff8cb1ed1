import assert from "node:assert/strict";
import { test } from "node:test";
import { errorsWithin, standingErrors } from "./field-errors.ts";

const ERRORS = [
  { pointer: "#/steps", detail: "must be at most 100, not 700" },
  { pointer: "#/loras/1/weight", detail: "must be less than or equal to 4" },
  { pointer: "#/loras", detail: "too many" },
  { pointer: "#/prompt", detail: "is required" },
];
const FORM = { steps: 700, loras: [{ name: "a" }, { name: "b", weight: 9 }] };

test("errors stand beside the fields that their pointers name", () => {
  assert.deepEqual(
    [...standingErrors(ERRORS, FORM, FORM)],
    [
      ["steps", "must be at most 100, not 700"],
      ["loras/1/weight", "must be less than or equal to 4"],
      ["loras", "too many"],
      ["prompt", "is required"],
    ],
  );
});

test("an error disappears when its field changes, those of others stand", () => {
  const changed = {
    ...FORM,
    loras: [
      { name: "a", weight: 0.5 },
      { name: "b", weight: 9 },
    ],
  };
  assert.deepEqual([...standingErrors(ERRORS, FORM, changed).keys()], ["steps", "loras/1/weight", "prompt"]);
  const removed = { ...FORM, loras: [{ name: "b", weight: 9 }] };
  assert.deepEqual([...standingErrors(ERRORS, FORM, removed).keys()], ["steps", "prompt"]);
  assert.ok(!standingErrors(ERRORS, FORM, { ...FORM, prompt: "a circle" }).has("prompt"));
});

test("errors that the limits of a model caused are void for another model", () => {
  assert.equal(standingErrors(ERRORS, FORM, { ...FORM, model: "other" }).size, 0);
});

test("several errors of one field are one text", () => {
  const errors = [...ERRORS, { pointer: "#/steps", detail: "is too slow" }];
  assert.equal(standingErrors(errors, FORM, FORM).get("steps"), "must be at most 100, not 700; is too slow");
});

test("a pointer to the whole request has the empty path", () => {
  const errors = [{ pointer: "#", detail: "12 more errors" }];
  assert.deepEqual([...standingErrors(errors, FORM, FORM)], [["", "12 more errors"]]);
});

test("a list shows the errors of its items", () => {
  const standing = standingErrors(ERRORS, FORM, FORM);
  assert.deepEqual(errorsWithin(standing, "loras"), ["must be less than or equal to 4", "too many"]);
  assert.deepEqual(errorsWithin(standing, "step"), []);
});

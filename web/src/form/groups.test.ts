import assert from "node:assert/strict";
import { test } from "node:test";
import { SCHEMAS } from "../api/field-schema.ts";
import { GROUPS, groupsOf } from "./groups.ts";

test("a field that the page does not know by name is in the last group", () => {
  const groups = groupsOf(["steps", "prompt", "strength", "brightness"]);
  assert.deepEqual(groups.at(-1), { name: "other", fields: ["brightness"] });
});

test("the groups have only fields of the API, each once", () => {
  const names = GROUPS.flatMap(({ fields }) => fields);
  assert.deepEqual(
    names.filter((name) => !Object.hasOwn(SCHEMAS, name)),
    [],
  );
  assert.equal(new Set(names).size, names.length);
});

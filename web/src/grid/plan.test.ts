import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Submission } from "../api/types.ts";
import { type GridData, withJob } from "./grid-data.ts";
import { newGridId } from "./identity.ts";
import { cellKey, cellRequest, cellsOf, type Plan } from "./plan.ts";
import { GRID_TAG, ownTags, parseTags } from "./tags.ts";

const TAG = /^[\p{L}\p{N}_.:/=+@-]{1,64}$/u;
const BASE: Submission = {
  prompt: "a red circle",
  seed: 7,
  count: 1,
  tags: ["own"],
  loras: [{ name: "moon", weight: 1 }],
};
const ID = "01M8KW2R0YAET3VH7WYWBNYVBV";

function plan(x: Plan["x"], y?: Plan["y"]): Plan {
  return { id: ID, base: BASE, x, y };
}

/** The job that the API makes of a request. */
function jobOf(request: Submission, id: string): Job {
  return { id, tags: request.tags, request: { ...BASE, ...request } } as unknown as Job;
}

function dataFromJobs(grid: Plan): GridData | undefined {
  const cells = cellsOf(grid.x.values.length, grid.y?.values.length ?? 1);
  return cells
    .map((cell, index) => jobOf(cellRequest(grid, cell), `job${index}`))
    .reduce<GridData | undefined>(withJob, undefined);
}

test("a cell has the values of its column and row, and everything else of the form", () => {
  const grid = plan({ path: "steps", values: [5, 10] }, { path: "loras/0/weight", values: [-0.5, 1] });
  const { tags, ...request } = cellRequest(grid, { column: 1, row: 0 });
  assert.deepEqual(request, {
    prompt: "a red circle",
    seed: 7,
    count: 1,
    steps: 10,
    loras: [{ name: "moon", weight: -0.5 }],
  });
  assert.deepEqual(tags, ["own", `grid:${ID}`, "grid.x:steps:1/2:10", "grid.y:loras/0/weight:0/2:-0.5"]);
});

test("the axes are found again from the jobs alone", () => {
  const grids = [
    plan({ path: "steps", values: [5, 10, 20] }),
    plan({ path: "sampler", values: ["euler", "dpmpp_2m"] }, { path: "guidance_scale", values: [1, 7.5] }),
    plan({ path: "prompt", values: ["red", "dark blue, old"] }, { path: "prompt", values: ["circle", "星"] }),
  ];
  for (const grid of grids) {
    const data = dataFromJobs(grid);
    const asText = (values: readonly unknown[] | undefined) => values?.map(String);
    assert.deepEqual(asText(data?.x.values), asText(grid.x.values));
    assert.deepEqual(asText(data?.y?.values), asText(grid.y?.values));
    assert.equal(data?.cells.size, grid.x.values.length * (grid.y?.values.length ?? 1));
  }
});

test("a value that no tag can hold is read from the request", () => {
  const grid = plan({ path: "vae", values: ["style (v2)", "x".repeat(90)] });
  assert.deepEqual(dataFromJobs(grid)?.x.values, grid.x.values);
});

test("every tag is one that the API accepts", () => {
  const long = plan({ path: "prompt", values: ["circle", "a very long text, with commas ".repeat(20)] });
  for (const cell of cellsOf(2, 1))
    for (const tag of cellRequest(long, cell).tags ?? []) assert.match(tag, TAG);
});

test("the tags of a grid are not shown among the visitor's own", () => {
  const { tags } = cellRequest(plan({ path: "steps", values: [5] }), { column: 0, row: 0 });
  assert.deepEqual(ownTags([...(tags ?? []), GRID_TAG, "grid-like"]), ["own", "grid-like"]);
});

test("the newest job of a cell is shown", () => {
  const request = cellRequest(plan({ path: "steps", values: [5] }), { column: 0, row: 0 });
  const jobs = [jobOf(request, "B"), jobOf(request, "A"), jobOf(request, "C")];
  const data = jobs.reduce<GridData | undefined>(withJob, undefined);
  assert.equal(data?.cells.get(cellKey({ column: 0, row: 0 })), "C");
});

test("tags that fit no grid are ignored", () => {
  for (const tags of [[], ["grid:A"], ["grid.x:steps:0/2:5"], ["grid:A", "grid.x:steps:2/2:5"]]) {
    assert.equal(parseTags(tags), undefined);
  }
  const other = { ...jobOf(BASE, "A"), tags: ["grid:A", "grid.x:seed:0/1:5"] };
  const data = dataFromJobs(plan({ path: "steps", values: [5] }));
  assert.equal(withJob(data, other), data);
});

test("ids are ULIDs in the order of time", () => {
  assert.match(newGridId(), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(newGridId(1000) < newGridId(1001));
});

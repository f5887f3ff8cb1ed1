import assert from "node:assert/strict";
import { test } from "node:test";
import { fragment, parseRoute, type Route } from "./route.ts";

test("a route is read back from its fragment", () => {
  const routes: readonly Route[] = [
    { view: "create" },
    { view: "compare", grid: "01M83DTVVNDARV002GKFMEWG8M" },
    {
      view: "compare",
      grid: "01M83DTVVNDARV002GKFMEWG8M",
      image: { job: "01M83DTVVNDARV002GKFMEWG8N", index: 0 },
    },
    { view: "gallery", image: { job: "01M83DTVVNDARV002GKFMEWG8M", index: 3 } },
  ];
  for (const route of routes) assert.deepEqual(parseRoute(fragment(route)), route);
});

test("an unknown fragment is the first view", () => {
  for (const text of ["", "#", "#/unknown", "#/create/image/ID/x", "#/create/../gallery"]) {
    assert.deepEqual(parseRoute(text), { view: "create" });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { sheetLayout } from "./sheet-layout.ts";

test("images are beside each other in their size, with their labels", () => {
  const layout = sheetLayout({
    columns: 3,
    rows: 2,
    cell: { width: 512, height: 768 },
    rowLabelWidth: () => 90,
  });
  assert.equal(layout.scale, 1);
  assert.equal(layout.cells.length, 6);
  const [first, second] = layout.cells;
  assert.ok(first !== undefined && second !== undefined);
  assert.ok(second.x >= first.x + 512);
  assert.equal(layout.columnLabels[1]?.x, second.x);
  assert.equal(layout.rowLabels[1]?.y, layout.cells[3]?.y);
  for (const { x, y, width, height } of [...layout.cells, ...layout.columnLabels, ...layout.rowLabels]) {
    assert.ok(x >= 0 && y >= 0 && x + width <= layout.width && y + height <= layout.height);
  }
});

test("a sheet that no browser draws is scaled down", () => {
  const layout = sheetLayout({
    columns: 8,
    rows: 8,
    cell: { width: 2048, height: 2048 },
    rowLabelWidth: () => 0,
  });
  assert.ok(layout.scale < 1);
  assert.ok(layout.width <= 8192 && layout.height <= 8192);
  assert.ok(layout.width * layout.height <= 4096 * 4096);
});

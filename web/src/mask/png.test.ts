import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyBitmap, paintSegment } from "./bitmap.ts";
import { decodeMask, encodeMask } from "./png.ts";

test("a mask is read back from its file", async () => {
  for (const size of [
    { width: 1, height: 1 },
    { width: 13, height: 7 },
    { width: 256, height: 65 },
  ]) {
    const bitmap = emptyBitmap(size);
    paintSegment(bitmap, { x: 3, y: 3 }, { x: size.width, y: size.height }, 2, 1);
    const file = await encodeMask(bitmap);
    assert.equal(file.type, "image/png");
    assert.deepEqual(await decodeMask(file), bitmap);
  }
});

test("the checksums are those of PNG", async () => {
  const bytes = new Uint8Array(await (await encodeMask(emptyBitmap({ width: 1, height: 1 }))).arrayBuffer());
  assert.deepEqual([...bytes.slice(-12)], [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
});

test("a damaged file is refused", async () => {
  await assert.rejects(decodeMask(new Blob(["none"])));
});

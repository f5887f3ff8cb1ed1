import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, pan, pinch, reveal, toImage, toViewport, zoom } from "./viewport.ts";

const IMAGE = { width: 1000, height: 500 };
const VIEWPORT = { width: 532, height: 600 };

test("the whole image is shown in the middle", () => {
  const view = fit(IMAGE, VIEWPORT);
  assert.deepEqual(view, { scale: 0.5, x: 16, y: 175 });
  assert.deepEqual(toImage(view, { x: 266, y: 300 }), { x: 500, y: 250 });
});

test("points are converted to and fro", () => {
  const view = { scale: 3, x: -40, y: 25 };
  assert.deepEqual(toImage(view, toViewport(view, { x: 12.5, y: 7 })), { x: 12.5, y: 7 });
});

test("zooming keeps the point below the pointer", () => {
  const view = fit(IMAGE, VIEWPORT);
  const center = { x: 300, y: 280 };
  const zoomed = zoom(view, center, 4, IMAGE, VIEWPORT);
  assert.equal(zoomed.scale, 2);
  assert.deepEqual(toImage(zoomed, center), toImage(view, center));
});

test("the zoom is limited", () => {
  const view = fit(IMAGE, VIEWPORT);
  assert.equal(zoom(view, { x: 0, y: 0 }, 1e9, IMAGE, VIEWPORT).scale, 32);
  assert.equal(zoom(view, { x: 0, y: 0 }, 1e-9, IMAGE, VIEWPORT).scale, 0.25);
});

test("the image cannot be lost by moving it", () => {
  const view = fit(IMAGE, VIEWPORT);
  const far = pan(view, { x: 1e6, y: -1e6 }, IMAGE, VIEWPORT);
  const corner = toViewport(far, { x: 0, y: IMAGE.height });
  assert.ok(corner.x < VIEWPORT.width && corner.y > 0);
});

test("a point out of sight is revealed, one in sight moves nothing", () => {
  const view = zoom(fit(IMAGE, VIEWPORT), { x: 266, y: 300 }, 8, IMAGE, VIEWPORT);
  assert.deepEqual(reveal(view, { x: 500, y: 250 }, IMAGE, VIEWPORT), view);
  const { x, y } = toViewport(reveal(view, { x: 10, y: 490 }, IMAGE, VIEWPORT), { x: 10, y: 490 });
  assert.ok(x >= 0 && x <= VIEWPORT.width && y >= 0 && y <= VIEWPORT.height);
});

test("two fingers zoom about their middle and move with it", () => {
  const view = fit(IMAGE, VIEWPORT);
  const before = [
    { x: 200, y: 300 },
    { x: 300, y: 300 },
  ] as const;
  const after = [
    { x: 170, y: 320 },
    { x: 370, y: 320 },
  ] as const;
  const pinched = pinch(view, before, after, IMAGE, VIEWPORT);
  assert.equal(pinched.scale, 2 * view.scale);
  assert.deepEqual(toImage(pinched, { x: 270, y: 320 }), toImage(view, { x: 250, y: 300 }));
});

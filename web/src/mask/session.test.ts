import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyBitmap, valueAt } from "./bitmap.ts";
import { KeyboardBrush, pressShortcut } from "./keys.ts";
import { MaskSession } from "./session.ts";
import { toViewport } from "./viewport.ts";

function open(): MaskSession {
  const session = new MaskSession(emptyBitmap({ width: 100, height: 80 }));
  session.resize({ width: 532, height: 432 });
  return session;
}

function key(name: string, modifiers: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { key: name, ctrlKey: false, metaKey: false, shiftKey: false, ...modifiers } as KeyboardEvent;
}

const CENTER = { x: 50, y: 40 };

test("a stroke is undone and made again by keys", () => {
  const session = open();
  session.stroke(CENTER, CENTER);
  session.endStroke();
  assert.equal(valueAt(session.bitmap, CENTER), 1);
  assert.ok(pressShortcut(session, key("z", { ctrlKey: true })));
  assert.equal(valueAt(session.bitmap, CENTER), 0);
  assert.ok(pressShortcut(session, key("Z", { ctrlKey: true, shiftKey: true })));
  assert.equal(valueAt(session.bitmap, CENTER), 1);
  assert.equal(session.canRedo.value, false);
});

test("undo in the middle of a stroke undoes what was painted of it", () => {
  const session = open();
  session.stroke({ x: 10, y: 10 }, { x: 20, y: 10 });
  session.undo();
  session.stroke({ x: 20, y: 10 }, { x: 30, y: 10 });
  session.endStroke();
  assert.equal(valueAt(session.bitmap, { x: 5, y: 10 }), 0);
  session.undo();
  assert.ok(!session.bitmap.data.includes(1));
});

test("the eraser's key chooses the eraser", () => {
  const session = open();
  session.invert();
  pressShortcut(session, key("e"));
  session.stroke(CENTER, CENTER);
  session.endStroke();
  assert.equal(valueAt(session.bitmap, CENTER), 0);
});

test("the brush changes by a pixel at least, within its limits", () => {
  const session = open();
  session.setBrush(1);
  pressShortcut(session, key("]"));
  assert.equal(session.brush.value, 2);
  pressShortcut(session, key("["));
  pressShortcut(session, key("["));
  assert.equal(session.brush.value, 1);
  session.setBrush(1000);
  assert.equal(session.brush.value, session.maxBrush);
});

test("other keys are no shortcuts", () => {
  const session = open();
  for (const name of ["a", "Tab", "constructor"]) assert.equal(pressShortcut(session, key(name)), false);
  assert.equal(pressShortcut(session, key("c", { ctrlKey: true })), false);
});

test("arrow keys paint while Space is held, and the cursor stays on the image and in sight", () => {
  const session = open();
  const keyboard = new KeyboardBrush(session);
  assert.equal(keyboard.move(key("Enter")), false);
  keyboard.press();
  for (let count = 0; count < 40; count += 1) keyboard.move(key("ArrowRight"));
  keyboard.release();
  assert.deepEqual(session.cursor.value, { x: 99, y: 40 });
  assert.equal(valueAt(session.bitmap, { x: 75, y: 40 }), 1);
  assert.equal(valueAt(session.bitmap, { x: 30, y: 40 }), 0);
  const { x } = toViewport(session.view.value, { x: 99, y: 40 });
  assert.ok(x > 0 && x < 532);
  session.undo();
  assert.ok(!session.bitmap.data.includes(1), "all of it is one stroke");
});

test("Shift moves the cursor by one pixel", () => {
  const session = open();
  new KeyboardBrush(session).move(key("ArrowUp", { shiftKey: true }));
  assert.deepEqual(session.cursor.value, { x: 50, y: 39 });
});

/** The keyboard on the mask editor. */
import type { Point } from "./bitmap.ts";
import type { MaskSession } from "./session.ts";

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Does what a shortcut of the whole editor means; returns whether the key is one. */
export function pressShortcut(session: MaskSession, event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return pressWithControl(session, key, event.shiftKey);
  const actions: Readonly<Record<string, () => void>> = {
    "[": () => session.stepBrush(-1),
    "]": () => session.stepBrush(1),
    "+": () => session.stepZoom(1),
    "=": () => session.stepZoom(1),
    "-": () => session.stepZoom(-1),
    0: () => session.fit(),
    b: () => setTool(session, "brush"),
    e: () => setTool(session, "eraser"),
  };
  const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
  action?.();
  return action !== undefined;
}

function pressWithControl(session: MaskSession, key: string, isShift: boolean): boolean {
  if (key === "z" && !isShift) session.undo();
  else if (key === "y" || key === "z") session.redo();
  else return false;
  return true;
}

function setTool(session: MaskSession, tool: "brush" | "eraser"): void {
  session.tool.value = tool;
}

/** The brush of the keyboard: arrow keys move its cursor, and Space paints. */
export class KeyboardBrush {
  readonly #session: MaskSession;
  #isDown: boolean = false;

  constructor(session: MaskSession) {
    this.#session = session;
  }

  /** Begins a stroke at the cursor. */
  press(): void {
    if (this.#isDown) return;
    this.#isDown = true;
    const [, at] = this.#session.moveCursor({ x: 0, y: 0 });
    this.#session.stroke(at, at);
  }

  /** Ends the stroke. */
  release(): void {
    if (this.#isDown) this.#session.endStroke();
    this.#isDown = false;
  }

  /** Moves the cursor for an arrow key, along a stroke if there is one; returns whether it is one. */
  move({ key, shiftKey }: KeyboardEvent): boolean {
    const direction = Object.hasOwn(ARROWS, key) ? ARROWS[key] : undefined;
    if (direction === undefined) return false;
    const step = shiftKey ? 1 : Math.max(Math.round(this.#session.brush.value / 2), 1);
    const [from, to] = this.#session.moveCursor({ x: direction.x * step, y: direction.y * step });
    if (this.#isDown) this.#session.stroke(from, to);
    return true;
  }
}

/** Pointers on the mask editor: one paints, two fingers move and zoom, the middle button or Space moves. */
import type { Point } from "./bitmap.ts";
import type { MaskSession, Tool } from "./session.ts";
import { toImage } from "./viewport.ts";

const MIDDLE_BUTTON = 1;
const PEN_ERASER = 5;
const LEAST_PRESSURE = 0.3;
const LINE_PIXELS = 16;

type Mode =
  | { readonly kind: "none" }
  | { readonly kind: "pan"; readonly pointer: number }
  | { readonly kind: "paint"; readonly pointer: number; readonly tool: Tool; at: Point }
  | { readonly kind: "pinch"; readonly fingers: readonly [number, number] };

export class Gestures {
  readonly #session: MaskSession;
  readonly #pointers = new Map<number, Point>();
  #mode: Mode = { kind: "none" };
  /** Whether Space is held: the pointer moves the image. */
  isMoving = false;

  constructor(session: MaskSession) {
    this.#session = session;
  }

  down(event: PointerEvent): void {
    const element = event.currentTarget as HTMLElement;
    element.setPointerCapture(event.pointerId);
    this.#session.cursor.value = undefined;
    this.#pointers.set(event.pointerId, pointIn(element, event));
    const fingers = [...this.#pointers.keys()];
    if (fingers.length > 1) this.#beginPinch(fingers);
    else if (event.button === MIDDLE_BUTTON || this.isMoving) {
      this.#mode = { kind: "pan", pointer: event.pointerId };
    } else if (event.button === 0 || event.button === PEN_ERASER) this.#beginStroke(element, event);
    if (event.button === MIDDLE_BUTTON) event.preventDefault(); // scrolls by itself on some systems
  }

  move(event: PointerEvent): void {
    const element = event.currentTarget as HTMLElement;
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const after = pointIn(element, event);
    const mode = this.#mode;
    if (mode.kind === "pinch") this.#movePinch(mode.fingers, event.pointerId, after);
    this.#pointers.set(event.pointerId, after);
    if (mode.kind === "pan") this.#session.pan({ x: after.x - before.x, y: after.y - before.y });
    if (mode.kind === "paint" && mode.pointer === event.pointerId) {
      const samples = event.getCoalescedEvents();
      for (const sample of samples.length > 0 ? samples : [event]) this.#strokeTo(mode, element, sample);
    }
  }

  up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    const mode = this.#mode;
    if (mode.kind === "paint" && mode.pointer === event.pointerId) this.#session.endStroke();
    if (mode.kind !== "pinch" || this.#pointers.size === 0) this.#mode = { kind: "none" };
  }

  cancel(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    if (this.#mode.kind === "paint") this.#session.cancelStroke();
    this.#mode = { kind: "none" };
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const delta = (event.deltaY || event.deltaX) * (event.deltaMode === 0 ? 1 : LINE_PIXELS);
    if (delta === 0) return;
    if (event.shiftKey) this.#session.stepBrush(delta > 0 ? -1 : 1);
    else this.#session.zoom(Math.exp(-delta * 0.003), pointIn(event.currentTarget as HTMLElement, event));
  }

  #beginPinch([one, other]: readonly number[]): void {
    if (this.#mode.kind === "paint") this.#session.cancelStroke();
    this.#mode = { kind: "none" };
    if (one !== undefined && other !== undefined) this.#mode = { kind: "pinch", fingers: [one, other] };
  }

  #movePinch(fingers: readonly [number, number], moved: number, after: Point): void {
    const [one, other] = fingers.map((id) => this.#pointers.get(id));
    if (one === undefined || other === undefined) return;
    this.#session.pinch([one, other], moved === fingers[0] ? [after, other] : [one, after]);
  }

  #beginStroke(element: HTMLElement, event: PointerEvent): void {
    const at = toImage(this.#session.view.value, pointIn(element, event));
    const tool = event.button === PEN_ERASER ? "eraser" : this.#session.tool.value;
    const mode = { kind: "paint", pointer: event.pointerId, tool, at } as const;
    this.#mode = { ...mode };
    this.#session.stroke(at, at, shareOf(event), tool);
  }

  #strokeTo(mode: Mode & { kind: "paint" }, element: HTMLElement, event: PointerEvent): void {
    const to = toImage(this.#session.view.value, pointIn(element, event));
    this.#session.stroke(mode.at, to, shareOf(event), mode.tool);
    mode.at = to;
  }
}

/** The event's place in an element. */
export function pointIn(element: HTMLElement, { clientX, clientY }: MouseEvent): Point {
  const { left, top } = element.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

/** The share of the brush that a pen's pressure asks for. */
function shareOf({ pointerType, pressure }: PointerEvent): number {
  return pointerType === "pen" && pressure > 0 ? LEAST_PRESSURE + (1 - LEAST_PRESSURE) * pressure : 1;
}

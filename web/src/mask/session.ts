/** The state of an open mask editor. */
import { computed, signal } from "@preact/signals";
import type { Size } from "../images/image-ref.ts";
import { type Bitmap, boundsOf, type Point, paintSegment, type Rect, segmentBounds } from "./bitmap.ts";
import { History } from "./history.ts";
import { fit, pan, pinch, reveal, type View, zoom } from "./viewport.ts";

export type Tool = "brush" | "eraser";

const ZOOM_STEP = 1.4;
const BRUSH_STEP = 1.2;

export class MaskSession {
  readonly bitmap: Bitmap;
  readonly tool = signal<Tool>("brush");
  /** The brush's diameter in pixels of the image. */
  readonly brush;
  readonly view = signal<View>({ scale: 1, x: 0, y: 0 });
  readonly viewport = signal<Size>({ width: 0, height: 0 });
  /** The image's point that the keyboard paints at; undefined while a pointer is used. */
  readonly cursor = signal<Point | undefined>(undefined);
  /** Grows with each finished change of the mask. */
  readonly revision = signal(0);
  readonly canUndo = computed(() => this.revision.value >= 0 && this.#history.canUndo);
  readonly canRedo = computed(() => this.revision.value >= 0 && this.#history.canRedo);
  readonly #history: History;
  readonly #onPixels = new Set<(rect: Rect) => void>();

  constructor(bitmap: Bitmap) {
    this.bitmap = bitmap;
    this.#history = new History(bitmap);
    this.brush = signal(Math.max(Math.round(Math.max(bitmap.width, bitmap.height) / 10), 1));
  }

  /** The largest brush. */
  get maxBrush(): number {
    return Math.max(Math.round(Math.max(this.bitmap.width, this.bitmap.height) / 2), 2);
  }

  /** Calls the function for each rectangle whose pixels change, until the returned function is called. */
  subscribe(onPixels: (rect: Rect) => void): () => void {
    this.#onPixels.add(onPixels);
    return () => this.#onPixels.delete(onPixels);
  }

  /** Paints or erases along a segment of a stroke; `share` of the brush's size is used. */
  stroke(from: Point, to: Point, share = 1, tool: Tool = this.tool.value): void {
    const radius = (this.brush.value / 2) * share;
    const touched = segmentBounds(this.bitmap, from, to, Math.max(radius, 1));
    this.#history.touch(touched);
    paintSegment(this.bitmap, from, to, radius, tool === "brush" ? 1 : 0);
    this.#notify(touched);
  }

  /** Ends a stroke: it is undone and made again as a whole. */
  endStroke(): void {
    this.#history.commit();
    this.revision.value += 1;
  }

  /** Takes the stroke under way back. */
  cancelStroke(): void {
    this.#history.revert();
    this.#notify(boundsOf(this.bitmap));
  }

  undo(): void {
    this.#change(() => this.#history.undo());
  }

  redo(): void {
    this.#change(() => this.#history.redo());
  }

  clear(): void {
    this.#change(() => this.#history.clear());
  }

  invert(): void {
    this.#change(() => this.#history.invert());
  }

  /** Sets the brush's size within its limits. */
  setBrush(size: number): void {
    this.brush.value = Math.min(Math.max(Math.round(size), 1), this.maxBrush);
  }

  /** Makes the brush larger (1) or smaller (-1). */
  stepBrush(direction: 1 | -1): void {
    const size = this.brush.value;
    const next = size * BRUSH_STEP ** direction;
    this.setBrush(direction > 0 ? Math.max(next, size + 1) : Math.min(next, size - 1));
  }

  /** Shows the image in another viewport; as a whole at first. */
  resize(viewport: Size): void {
    const isFirst = this.viewport.value.width === 0;
    this.viewport.value = viewport;
    if (isFirst) this.fit();
    else this.pan({ x: 0, y: 0 });
  }

  fit(): void {
    this.view.value = fit(this.bitmap, this.viewport.value);
  }

  /** Zooms about a point of the viewport, its middle by default. */
  zoom(factor: number, center?: Point): void {
    const { width, height } = this.viewport.value;
    const at = center ?? { x: width / 2, y: height / 2 };
    this.view.value = zoom(this.view.value, at, factor, this.bitmap, this.viewport.value);
  }

  /** Zooms in (1) or out (-1). */
  stepZoom(direction: 1 | -1): void {
    this.zoom(ZOOM_STEP ** direction);
  }

  pan(by: Point): void {
    this.view.value = pan(this.view.value, by, this.bitmap, this.viewport.value);
  }

  pinch(before: readonly [Point, Point], after: readonly [Point, Point]): void {
    this.view.value = pinch(this.view.value, before, after, this.bitmap, this.viewport.value);
  }

  /** Moves the keyboard's cursor, from the middle of the image at first, and keeps it in sight. */
  moveCursor(by: Point): readonly [Point, Point] {
    const { width, height } = this.bitmap;
    const from = this.cursor.value ?? { x: width / 2, y: height / 2 };
    const to = {
      x: Math.min(Math.max(from.x + by.x, 0), width - 1),
      y: Math.min(Math.max(from.y + by.y, 0), height - 1),
    };
    this.cursor.value = to;
    this.view.value = reveal(this.view.value, to, this.bitmap, this.viewport.value);
    return [from, to];
  }

  #change(change: () => void): void {
    this.#history.commit(); // a stroke may be under way
    change();
    this.#notify(boundsOf(this.bitmap));
    this.revision.value += 1;
  }

  #notify(rect: Rect): void {
    for (const onPixels of this.#onPixels) onPixels(rect);
  }
}

import type { Bitmap, Rect } from "./bitmap.ts";

/** Larger masks are shown with fewer pixels; what is painted is not affected. */
const MAX_PIXELS = 4_000_000;

/** Red, green, blue and alpha of the regenerated area in memory order; CSS makes it translucent. */
const COLOR = new Uint32Array(Uint8Array.of(255, 0, 128, 255).buffer)[0] ?? 0;

/** Shows a mask in a canvas. */
export class Overlay {
  readonly #bitmap: Bitmap;
  readonly #canvas: HTMLCanvasElement;
  /** Pixels of the mask for one of the canvas, in each direction. */
  readonly #step: number;

  constructor(canvas: HTMLCanvasElement, bitmap: Bitmap) {
    const { width, height } = bitmap;
    this.#bitmap = bitmap;
    this.#canvas = canvas;
    this.#step = Math.max(Math.ceil(Math.sqrt((width * height) / MAX_PIXELS)), 1);
    canvas.width = Math.ceil(width / this.#step);
    canvas.height = Math.ceil(height / this.#step);
  }

  /** Shows the present pixels of a rectangle of the mask. */
  show(rect: Rect): void {
    const step = this.#step;
    const [left, top] = [Math.floor(rect.left / step), Math.floor(rect.top / step)];
    const [width, height] = [Math.ceil(rect.right / step) - left, Math.ceil(rect.bottom / step) - top];
    if (width <= 0 || height <= 0) return;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = 0; y < height; y += 1) {
      const row = (top + y) * step * this.#bitmap.width;
      for (let x = 0; x < width; x += 1) {
        if (this.#bitmap.data[row + (left + x) * step] === 1) pixels[y * width + x] = COLOR;
      }
    }
    this.#canvas.getContext("2d")?.putImageData(image, left, top);
  }
}

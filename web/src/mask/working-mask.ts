/** The mask that is being painted: it survives a reload before it is used. */
import type { Size } from "../images/image-ref.ts";
import { load, save } from "../images/store.ts";
import { type Bitmap, emptyBitmap } from "./bitmap.ts";
import { decodeMask, encodeMask } from "./png.ts";

const KEY = "working-mask";

interface WorkingMask {
  /** The id of the image that it belongs to. */
  readonly image: string;
  readonly file: Blob;
}

/** The mask to go on with: the one that was being painted, else the one in use, else an empty one. */
export async function openMask(id: string, size: Size, used: Blob | undefined): Promise<Bitmap> {
  const empty = emptyBitmap(size);
  const working = (await load(KEY).catch(() => undefined)) as WorkingMask | undefined;
  const file = working?.image === id ? working.file : used;
  if (file === undefined) return empty;
  const mask = await decodeMask(file).catch(() => empty);
  return mask.width === empty.width && mask.height === empty.height ? mask : empty;
}

/** Keeps the masks that it is given, one at a time, until `end`; in between only the last one. */
export class WorkingMaskKeeper {
  readonly #image: string;
  #next: Bitmap | undefined;
  #isBusy: boolean = false;
  #hasEnded: boolean = false;

  constructor(image: string) {
    this.#image = image;
  }

  /** Keeps a mask. A browser without room keeps none: it is still there to be used. */
  keep(bitmap: Bitmap): void {
    this.#next = bitmap;
    if (!this.#isBusy) void this.#saveAll();
  }

  /** Forgets the mask: it was used or discarded. */
  end(): void {
    this.#hasEnded = true;
    void save(KEY, undefined).catch(() => undefined);
  }

  async #saveAll(): Promise<void> {
    this.#isBusy = true;
    while (this.#next !== undefined && !this.#hasEnded) {
      const bitmap = this.#next;
      this.#next = undefined;
      const file = await encodeMask(bitmap);
      if (!this.#hasEnded) await save(KEY, { image: this.#image, file }).catch(() => undefined);
    }
    this.#isBusy = false;
  }
}

/** The editors of the input image, whose code is loaded when they are first opened. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { notify } from "../state/notices.ts";
import { NotLoadedError } from "../ui/lazy.tsx";
import type { ImageRef, Size } from "./image-ref.ts";

export interface EditorProps {
  readonly image: ImageRef;
  readonly size: Size;
  readonly onClose: () => void;
}

/** The open editor. */
export const editor = signal<ComponentType<EditorProps> | undefined>(undefined);

/** Opens the mask editor; the image must have its file. */
export function openMaskEditor(): Promise<void> {
  return openEditor(async () => (await import("../mask/mask-editor.tsx")).MaskEditor);
}

/** Opens the editor of the borders. */
export function openBordersEditor(): Promise<void> {
  return openEditor(async () => (await import("./borders-editor.tsx")).BordersEditor);
}

async function openEditor(load: () => Promise<ComponentType<EditorProps>>): Promise<void> {
  try {
    const loaded = await load();
    editor.value = loaded;
  } catch {
    notify("error", new NotLoadedError().message);
  }
}

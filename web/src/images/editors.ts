import { signal } from "@preact/signals";

/** The open editor of the input image. */
export const editor = signal<"mask" | "borders" | undefined>(undefined);

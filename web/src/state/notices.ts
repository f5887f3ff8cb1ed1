/** Short notices at the edge of the page: what has happened, and what can be done about it. */
import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
}

const MAX_NOTICES = 4;
const SHOWN_MS = 8000;
let last = 0;

export const notices = signal<readonly Notice[]>([]);

/** Shows a notice. Errors stay until they are dismissed. */
export function notify(kind: Notice["kind"], text: string): void {
  if (notices.value.some((each) => each.text === text)) return;
  last += 1;
  const id = last;
  notices.value = [...notices.value, { id, kind, text }].slice(-MAX_NOTICES);
  if (kind === "info") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Removes a notice. */
export function dismiss(id: number): void {
  notices.value = notices.value.filter((each) => each.id !== id);
}

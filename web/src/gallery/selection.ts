/** The selected tiles. */
import { signal } from "@preact/signals";
import { tileOf } from "./entries.ts";

/** Names of the selected tiles; see `keyOf`. */
export const selected = signal<ReadonlySet<string>>(new Set());

/** Selects a tile, or takes it out of the selection. */
export function toggleSelected(key: string): void {
  const next = new Set(selected.value);
  if (!next.delete(key)) next.add(key);
  selected.value = next;
}

/** Adds tiles to the selection. */
export function addSelected(keys: readonly string[]): void {
  selected.value = new Set([...selected.value, ...keys]);
}

/** Takes tiles out of the selection. */
export function removeSelected(keys: Iterable<string>): void {
  const next = new Set(selected.value);
  for (const key of keys) next.delete(key);
  selected.value = next;
}

/** Selects nothing. */
export function clearSelection(): void {
  selected.value = new Set();
}

/** The jobs that tiles belong to. */
export function jobsOf(keys: readonly string[]): readonly string[] {
  return [...new Set(keys.map((key) => tileOf(key).id))];
}

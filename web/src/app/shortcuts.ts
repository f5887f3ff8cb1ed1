/** The keyboard shortcuts of the whole page. */
import { signal } from "@preact/signals";
import { open, VIEWS } from "./route.ts";

/** Whether the list of shortcuts is open. */
export const areShortcutsShown = signal(false);

/** Follows the keyboard from now on. */
export function followKeyboard(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target))
      return;
    const view = VIEWS[Number(event.key) - 1];
    if (event.key === "?") areShortcutsShown.value = true;
    else if (view !== undefined) open({ view });
  });
}

/** Whether keys belong to a control or a dialog. */
function isBusy(target: EventTarget | null): boolean {
  const control =
    target instanceof Element ? target.closest("input, select, textarea, [contenteditable]") : null;
  return control !== null || document.querySelector("dialog[open]") !== null;
}

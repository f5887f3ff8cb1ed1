/** Moves what has happened into view. */

/** Share of the window below which the list of jobs is not seen at once. */
const LOW = 0.6;

/** Unfolds all errors and focuses the control of the first one, once they are rendered. */
export async function revealErrors(form: HTMLElement): Promise<void> {
  await new Promise(requestAnimationFrame);
  const errors = form.querySelectorAll(".field-error");
  for (const error of errors) {
    for (let fold = error.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) {
      fold.open = true;
    }
  }
  const field = errors[0]?.parentElement;
  const control =
    field?.querySelector<HTMLElement>("[aria-invalid]") ?? field?.querySelector("input, button");
  if (control instanceof HTMLElement) control.focus();
}

/**
 * Moves the focus of the keyboard from a button that is about to disappear to the last control inside its nearest
 * ancestor that matches the selector.
 */
export function focusControl(surroundings: string): void {
  const button = document.activeElement;
  if (button === null || !button.matches(":focus-visible")) return;
  const controls = button.closest(surroundings)?.querySelectorAll<HTMLElement>("input, select, textarea");
  [...(controls ?? [])].at(-1)?.focus();
}

/** Scrolls to the list of jobs if it is below the window, as on a phone. */
export function revealFeed(): void {
  const feed = document.querySelector(".feed");
  if (feed === null || feed.getBoundingClientRect().top < innerHeight * LOW) return;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  feed.scrollIntoView({ block: "start", behavior: isStill ? "auto" : "smooth" });
}

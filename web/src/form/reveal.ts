/** Moves what has happened into view. */

const INVALID = "[aria-invalid='true'], [data-invalid='true']";
/** Share of the window below which the list of jobs is not seen at once. */
const LOW = 0.6;

/** Unfolds all erroneous fields and focuses the first one, once they are rendered. */
export async function revealErrors(form: HTMLElement): Promise<void> {
  await new Promise(requestAnimationFrame);
  const invalid = form.querySelectorAll<HTMLElement>(INVALID);
  for (const control of invalid) {
    for (let fold = control.closest("details"); fold; fold = fold.parentElement?.closest("details") ?? null) {
      fold.open = true;
    }
  }
  invalid[0]?.focus();
}

/** Scrolls to the list of jobs if it is below the window, as on a phone. */
export function revealFeed(): void {
  const feed = document.querySelector(".feed");
  if (feed === null || feed.getBoundingClientRect().top < innerHeight * LOW) return;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  feed.scrollIntoView({ block: "start", behavior: isStill ? "auto" : "smooth" });
}

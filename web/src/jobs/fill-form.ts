/** Requests of jobs in the form. */
import type { Generation } from "../api/types.ts";
import { open } from "../app/route.ts";
import { applyRequest } from "../form/apply.ts";

const MAX_FRAMES = 60;

/** Fills the form from a request, and shows it. */
export function fillForm(request: Generation, { withSeed }: { readonly withSeed: boolean }): void {
  applyRequest(request, { withSeed });
  showForm();
}

/** Shows the form, and puts the keyboard at its prompt. */
export function showForm(): void {
  open({ view: "create" });
  focusPrompt(MAX_FRAMES);
}

/** Focuses the prompt once the form is rendered and no dialog is above it. */
function focusPrompt(frames: number): void {
  const prompt = document.querySelector<HTMLElement>(".form textarea");
  prompt?.focus();
  if (prompt !== null && document.activeElement === prompt) scrollTo(0, 0);
  else if (frames > 0) requestAnimationFrame(() => focusPrompt(frames - 1));
}

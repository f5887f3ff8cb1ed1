/** Requests of jobs in the form. */
import type { Generation } from "../api/types.ts";
import { open } from "../app/route.ts";
import { applyRequest } from "../form/apply.ts";

/** Fills the form from a request, and shows it. */
export function fillForm(request: Generation, { withSeed }: { readonly withSeed: boolean }): void {
  applyRequest(request, { withSeed });
  showForm();
}

/** Shows the form, and puts the keyboard at its prompt. */
export function showForm(): void {
  open({ view: "create" });
  requestAnimationFrame(() => {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>(".form textarea")?.focus({ preventScroll: true });
  });
}

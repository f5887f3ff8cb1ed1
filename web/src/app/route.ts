/** The view, in the fragment of the page's address: `#/gallery`, `#/image/JOB/INDEX`. */
import { signal } from "@preact/signals";

export type View = "create" | "compare" | "gallery";

export interface Route {
  readonly view: View;
  /** The image that is open above the view. */
  readonly image?: { readonly job: string; readonly index: number };
}

const VIEWS: readonly View[] = ["create", "compare", "gallery"];

/** The route of a fragment; unknown ones are the first view. */
export function parseRoute(fragment: string): Route {
  const [, name, ...rest] = fragment.split("/");
  const view = VIEWS.find((each) => each === name) ?? "create";
  const [kind, job, index] = rest;
  if (kind !== "image" || job === undefined || !/^\d+$/.test(index ?? "")) return { view };
  return { view, image: { job, index: Number(index) } };
}

/** The fragment of a route. */
export function fragment({ view, image }: Route): string {
  return image === undefined ? `#/${view}` : `#/${view}/image/${image.job}/${image.index}`;
}

export const route = signal<Route>(parseRoute(typeof location === "undefined" ? "" : location.hash));

/** Follows the address bar. */
export function followAddress(): void {
  addEventListener("hashchange", () => {
    route.value = parseRoute(location.hash);
  });
}

/** Opens a route. */
export function open(target: Route): void {
  location.hash = fragment(target);
}

/** Opens an image above the present view. */
export function openImage(job: string, index: number): void {
  open({ view: route.value.view, image: { job, index } });
}

/** Closes the open image. */
export function closeImage(): void {
  open({ view: route.value.view });
}

/** The view, in the fragment of the page's address: `#/gallery`, `#/compare/GRID`, `#/gallery/image/JOB/INDEX`. */
import { signal } from "@preact/signals";

export type View = "create" | "compare" | "gallery";

export interface Route {
  readonly view: View;
  /** The id of the grid that the compare view shows. */
  readonly grid?: string;
  /** The image that is open above the view. */
  readonly image?: { readonly job: string; readonly index: number };
}

export const VIEWS: readonly View[] = ["create", "compare", "gallery"];
const FRAGMENT = /^#\/(\w+)(?:\/(?!image(?:\/|$))(\w+))?(?:\/image\/(\w+)\/(\d{1,3}))?$/;

/** The route of a fragment; unknown ones are the first view. */
export function parseRoute(fragment: string): Route {
  const [, name, grid, job, index] = FRAGMENT.exec(fragment) ?? [];
  const view = VIEWS.find((each) => each === name) ?? "create";
  return {
    view,
    ...(grid !== undefined && view === "compare" && { grid }),
    ...(job !== undefined && { image: { job, index: Number(index) } }),
  };
}

/** The fragment of a route. */
export function fragment({ view, grid, image }: Route): string {
  const parts = [view, ...(grid === undefined ? [] : [grid])];
  if (image !== undefined) parts.push("image", image.job, String(image.index));
  return `#/${parts.join("/")}`;
}

export const route = signal<Route>(parseRoute(typeof location === "undefined" ? "" : location.hash));

/** Whether the entry of the browser's history before the present one is the view below the open image. */
let isAboveView = false;

/** Follows the address bar. */
export function followAddress(): void {
  addEventListener("hashchange", () => {
    route.value = parseRoute(location.hash);
    if (route.value.image === undefined) isAboveView = false;
  });
}

/** Opens a route. */
export function open(target: Route): void {
  location.hash = fragment(target);
}

/** Replaces the page's address, with its query, by the one of a fragment. */
export function restoreAddress(target: string): void {
  route.value = parseRoute(target);
  history.replaceState(null, "", `/${fragment(route.value)}`);
}

/** Opens an image above the present view. */
export function openImage(job: string, index: number): void {
  isAboveView = route.value.image === undefined;
  open({ ...route.value, image: { job, index } });
}

/** Shows another image in place of the open one; the browser's Back button closes both. */
export function replaceImage(job: string, index: number): void {
  route.value = { ...route.value, image: { job, index } };
  history.replaceState(null, "", fragment(route.value));
}

/** Closes the open image; the browser's Back button does not open it again. */
export function closeImage(): void {
  const { image: _, ...below } = route.value;
  if (isAboveView) {
    history.back();
  } else {
    route.value = below;
    history.replaceState(null, "", fragment(below));
  }
}

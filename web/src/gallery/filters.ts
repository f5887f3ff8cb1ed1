/** The filters of the gallery. They survive a reload. */
import { effect, signal } from "@preact/signals";
import type { JobStatus } from "../api/types.ts";

const KEY = "filters";

/** The tag of favourites. */
export const FAVORITE = "favorite";

export const STATUSES: readonly JobStatus[] = [
  "succeeded",
  "failed",
  "canceled",
  "expired",
  "queued",
  "running",
];

/** Properties that listed jobs have; all jobs without any. */
export interface Filters {
  readonly text?: string;
  readonly model?: string;
  readonly tag?: string;
  readonly status?: JobStatus;
}

export const filters = signal<Filters>(parseFilters(read()));

/** Sets a filter; an empty value removes it. */
export function setFilter<Name extends keyof Filters>(name: Name, value: Filters[Name] | ""): void {
  const { [name]: _, ...others } = filters.value;
  filters.value = value === undefined || value === "" ? others : { ...others, [name]: value };
}

/** Keeps the filters in sessionStorage from now on. */
export function keepFilters(): void {
  effect(() => sessionStorage.setItem(KEY, JSON.stringify(filters.value)));
}

/** Filters from their JSON text; whatever is no filter is left out. */
export function parseFilters(json: string): Filters {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  const { text, model, tag, status } = value as Record<string, unknown>;
  const known = STATUSES.find((each) => each === status);
  return {
    ...(typeof text === "string" && { text }),
    ...(typeof model === "string" && { model }),
    ...(typeof tag === "string" && { tag }),
    ...(known !== undefined && { status: known }),
  };
}

function read(): string {
  return typeof sessionStorage === "undefined" ? "" : (sessionStorage.getItem(KEY) ?? "");
}

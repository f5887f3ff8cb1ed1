/** Whether the service can be reached, by the last requests and by what the browser says of its network. */
import { computed, signal } from "@preact/signals";
import { ApiError, ConnectionError } from "../api/errors.ts";

const isOnline = signal(true);
const lastFailure = signal<unknown>(undefined);

/** Why the service cannot be used at the moment; undefined if it can. */
export const outage = computed(() => (isOnline.value ? lastFailure.value : new ConnectionError()));

/** A request could not be answered; the page goes on when one is. */
export function connectionFailed(error: unknown): void {
  lastFailure.value = error;
}

/** A request was answered. */
export function connectionWorks(): void {
  lastFailure.value = undefined;
}

/** Whether the same request may succeed later without anything that the visitor does. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 429);
}

/** Follows the browser's network from now on. */
export function followNetwork(): void {
  const update = (): void => {
    isOnline.value = navigator.onLine;
  };
  update();
  addEventListener("offline", update);
  addEventListener("online", update);
}

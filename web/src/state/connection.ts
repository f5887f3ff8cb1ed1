/** Whether the service can be reached, by the last requests and by what the browser says of its network. */
import { computed, effect, signal } from "@preact/signals";
import { ApiError, ConnectionError } from "../api/errors.ts";

/** How often the service is asked whether it is back, while no other request tells. */
const PROBE_MS = 10_000;

const isOnline = signal(true);
const hasFailed = signal(false);
let lastReport = 0;

/** Whether the service can be reached. */
export const isReachable = computed(() => isOnline.value && !hasFailed.value);

/** A request had no answer. */
export function connectionFailed(): void {
  lastReport = Date.now();
  hasFailed.value = true;
}

/** A request was answered. */
export function connectionWorks(): void {
  lastReport = Date.now();
  hasFailed.value = false;
}

/** Whether the same request may succeed later without anything that the visitor does. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 429);
}

/** Follows the network from now on. */
export function followNetwork(): void {
  const update = (): void => {
    isOnline.value = navigator.onLine;
    if (isOnline.value && hasFailed.value) void probe();
  };
  update();
  addEventListener("offline", update);
  addEventListener("online", update);
  effect(() => {
    if (!hasFailed.value || !isOnline.value) return;
    const timer = setInterval(() => {
      if (Date.now() - lastReport >= PROBE_MS) void probe();
    }, PROBE_MS);
    return () => clearInterval(timer);
  });
}

/** Asks for a document of the API that needs no credentials. */
async function probe(): Promise<void> {
  try {
    const { status } = await fetch("/v1/openapi.json", { method: "HEAD", cache: "no-store" });
    if (status < 500) connectionWorks();
  } catch {
    connectionFailed();
  }
}

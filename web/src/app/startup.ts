/** Loads the configuration and the catalog; tries again by itself until it has them. */
import { effect, signal } from "@preact/signals";
import { loadCatalog } from "../state/catalog.ts";
import { loadConfig } from "../state/config.ts";
import { isSignedIn, session, startSession } from "../state/session.ts";

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

/** Why the page cannot be used at the moment; undefined if it can. */
export const failure = signal<unknown>(undefined);

let pauseMs = FIRST_PAUSE_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt: Promise<void> | undefined;

/** Starts the page, now and after each signing in. */
export function startPage(): void {
  addEventListener("online", () => {
    if (failure.value !== undefined) void load();
  });
  effect(() => {
    if (isSignedIn.value || session.peek().state === "starting") void load();
  });
}

/** Loads what is missing, without waiting for the next attempt. */
export function load(): Promise<void> {
  attempt ??= attemptToLoad().finally(() => {
    attempt = undefined;
  });
  return attempt;
}

async function attemptToLoad(): Promise<void> {
  clearTimeout(timer);
  try {
    if (session.peek().state === "starting") await startSession(await loadConfig());
    if (isSignedIn.peek()) await loadCatalog();
    failure.value = undefined;
    pauseMs = FIRST_PAUSE_MS;
  } catch (error) {
    failure.value = session.peek().state === "signed_out" ? undefined : error;
    if (failure.value === undefined) return;
    timer = setTimeout(() => void load(), pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** The session: the visitor's credentials, in sessionStorage only. */
import { computed, signal } from "@preact/signals";
import type { PageConfig } from "./config.ts";

const KEY = "api_key";

export type Session =
  | { readonly state: "starting" }
  | { readonly state: "signed_out" /** Whether there was a session before. */; readonly ended: boolean }
  | { readonly state: "signed_in" };

export const session = signal<Session>({ state: "starting" });
export const config = signal<PageConfig | undefined>(undefined);
export const isSignedIn = computed(() => session.value.state === "signed_in");

/** Begins with the configuration: signed in if there are credentials. */
export function startSession(loaded: PageConfig): void {
  config.value = loaded;
  if (loaded.auth.type === "api_key" && (loaded.auth.key ?? sessionStorage.getItem(KEY)) !== null) {
    session.value = { state: "signed_in" };
  } else {
    session.value = { state: "signed_out", ended: false };
  }
}

/** Signs in with an API key. */
export function useApiKey(key: string): void {
  sessionStorage.setItem(KEY, key);
  session.value = { state: "signed_in" };
}

/** The credentials were refused: asks for new ones, beside everything that the visitor has entered. */
export function endSession(): void {
  sessionStorage.removeItem(KEY);
  if (session.value.state === "signed_in") session.value = { state: "signed_out", ended: true };
}

/** Signs out. */
export function signOut(): void {
  sessionStorage.removeItem(KEY);
  session.value = { state: "signed_out", ended: false };
}

/** The headers that authenticate a request. */
export async function authorization(): Promise<readonly (readonly [string, string])[]> {
  const auth = config.value?.auth;
  if (auth?.type !== "api_key") return [];
  const key = auth.key ?? sessionStorage.getItem(KEY);
  return key === null ? [] : [["x-api-key", key]];
}

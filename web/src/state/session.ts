/** The session: the visitor's credentials, in sessionStorage only. */
import { computed, signal } from "@preact/signals";
import { ApiError, ConnectionError, errorOf } from "../api/errors.ts";
import {
  acceptAnswer,
  dropTokens,
  freshToken,
  hasTokens,
  leaveHostedPage,
} from "../sign-in/hosted-session.ts";
import { TokenRefusal } from "../sign-in/tokens.ts";
import type { PageConfig } from "./config.ts";

const KEY = "api_key";

type HeaderList = readonly (readonly [name: string, value: string])[];

export type Session =
  | { readonly state: "starting" }
  | {
      readonly state: "signed_out";
      /** Whether there was a session before. */
      readonly ended: boolean;
      /** Why the visitor could not be signed in, or is not any more. */
      readonly reason?: string;
    }
  | { readonly state: "signed_in" };

export const session = signal<Session>({ state: "starting" });
export const config = signal<PageConfig | undefined>(undefined);
export const isSignedIn = computed(() => session.value.state === "signed_in");

let check: Promise<void> | undefined;

/** Begins with the configuration: signed in if there are credentials. Throws ConnectionError. */
export async function startSession({ auth }: PageConfig): Promise<void> {
  config.value = { auth };
  if (auth.type === "api_key") {
    const key = auth.key ?? sessionStorage.getItem(KEY);
    session.value = key === null ? { state: "signed_out", ended: false } : { state: "signed_in" };
    return;
  }
  try {
    await acceptAnswer(auth);
    session.value = hasTokens() ? { state: "signed_in" } : { state: "signed_out", ended: false };
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    session.value = { state: "signed_out", ended: false, reason: error.message };
  }
}

/** Signs in with an API key. Throws ApiError for a wrong one, or ConnectionError. */
export async function signInWithKey(key: string): Promise<void> {
  const error = await errorWith([["x-api-key", key]]);
  if (error !== undefined) throw error;
  sessionStorage.setItem(KEY, key);
  session.value = { state: "signed_in" };
}

/**
 * Ends the session after an answer with status 401 or 403, beside everything that the visitor has entered.
 *
 * A firewall refuses single requests with status 403 too: the session goes on if the API still accepts its
 * credentials.
 */
export function endSessionIfRefused(): Promise<void> {
  check ??= checkSession().finally(() => {
    check = undefined;
  });
  return check;
}

/** Resolves when the visitor is signed in. */
export function whenSignedIn(): Promise<void> {
  return new Promise((resolve) => {
    const stop = isSignedIn.subscribe((value) => {
      if (!value) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

/** Signs out. */
export function signOut(): void {
  forget();
  session.value = { state: "signed_out", ended: false };
  const auth = config.value?.auth;
  if (auth?.type === "cognito") leaveHostedPage(auth);
}

/** The headers that authenticate a request. Throws ApiError if the session has ended, or ConnectionError. */
export async function authorization(): Promise<HeaderList> {
  const auth = config.value?.auth;
  if (auth?.type === "cognito") return [["Authorization", await token(auth)]];
  const key = auth?.key ?? sessionStorage.getItem(KEY);
  return key === null ? [] : [["x-api-key", key]];
}

async function token(auth: Parameters<typeof freshToken>[0]): Promise<string> {
  try {
    return await freshToken(auth);
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    end(undefined);
    throw new ApiError(401, { detail: error.message, code: "unauthorized" });
  }
}

async function checkSession(): Promise<void> {
  if (!isSignedIn.value) return;
  try {
    const error = await errorWith(await authorization());
    if (error?.isAccess === true) end(error.message);
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof ApiError)) throw error;
  }
}

/** The API's answer to credentials: undefined if it accepts them. Throws ConnectionError. */
async function errorWith(headers: HeaderList): Promise<ApiError | undefined> {
  const response = await fetch("/v1/models", { headers: Object.fromEntries(headers) }).catch(() => {
    throw new ConnectionError();
  });
  return response.ok ? undefined : errorOf(response);
}

function end(reason: string | undefined): void {
  forget();
  if (!isSignedIn.value) return;
  session.value = { state: "signed_out", ended: true, ...(reason === undefined ? {} : { reason }) };
}

function forget(): void {
  sessionStorage.removeItem(KEY);
  dropTokens();
}

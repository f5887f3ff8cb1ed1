/** The addresses of Cognito's hosted sign-in page, and its answers in the page's address. */
import type { CognitoSignIn } from "../state/config.ts";

/** A request to sign in, kept in the tab until the hosted page has answered it. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The fragment of the page to return to. */
  readonly fragment: string;
}

/** An answer of the hosted page. */
export type Answer =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "error"; readonly error: string }
  /** An answer to a request that this tab has not made. */
  | { readonly kind: "foreign" };

/** The address that asks a visitor to sign in. */
export function authorizeUrl(
  auth: CognitoSignIn,
  attempt: Attempt,
  challenge: string,
  redirectUri: string,
): string {
  return address(auth, "/oauth2/authorize", {
    response_type: "code",
    client_id: auth.client_id,
    redirect_uri: redirectUri,
    scope: auth.scopes.join(" "),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
}

/** The address that ends the session of the hosted page and returns. */
export function logoutUrl(auth: CognitoSignIn, redirectUri: string): string {
  return address(auth, "/logout", { client_id: auth.client_id, logout_uri: redirectUri });
}

/** The answer in the query of the page's address; undefined if there is none. */
export function parseAnswer(query: string, attempt: Attempt | undefined): Answer | undefined {
  const parameters = new URLSearchParams(query);
  const code = parameters.get("code");
  const error = parameters.get("error");
  if (code === null && error === null) return undefined;
  if (attempt === undefined || parameters.get("state") !== attempt.state) return { kind: "foreign" };
  if (error !== null) return { kind: "error", error: parameters.get("error_description") ?? error };
  return { kind: "code", code: code ?? "" };
}

function address(auth: CognitoSignIn, path: string, parameters: Readonly<Record<string, string>>): string {
  return `${auth.domain}${path}?${new URLSearchParams(parameters)}`;
}

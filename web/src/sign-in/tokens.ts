/** The tokens of Cognito's token endpoint. */
import { ConnectionError } from "../api/errors.ts";
import type { CognitoSignIn } from "../state/config.ts";
import type { Attempt } from "./hosted-page.ts";

export interface Tokens {
  /** The token that the API accepts. */
  readonly bearer: string;
  /** Null if the session cannot be renewed. */
  readonly refresh: string | null;
  /** Milliseconds since the epoch, by this browser's clock. */
  readonly expiresAt: number;
}

interface TokenAnswer {
  readonly access_token?: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly error?: string;
}

/** The token endpoint has refused a code or a refresh token. */
export class TokenRefusal extends Error {}

/** Exchanges an authorization code. Throws TokenRefusal, or ConnectionError without an answer. */
export async function redeemCode(
  auth: CognitoSignIn,
  code: string,
  attempt: Attempt,
  redirectUri: string,
): Promise<Tokens> {
  const answer = await ask(auth, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: attempt.verifier,
  });
  if (answer.id_token !== undefined && claim(answer.id_token, "nonce") !== attempt.nonce) {
    throw new TokenRefusal("nonce");
  }
  return tokensOf(auth, answer, null);
}

/** Gets new tokens. Throws TokenRefusal, or ConnectionError without an answer. */
export async function renew(auth: CognitoSignIn, refresh: string): Promise<Tokens> {
  return tokensOf(auth, await ask(auth, { grant_type: "refresh_token", refresh_token: refresh }), refresh);
}

async function ask(auth: CognitoSignIn, parameters: Readonly<Record<string, string>>): Promise<TokenAnswer> {
  let response: Response;
  let answer: TokenAnswer;
  try {
    response = await fetch(`${auth.domain}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: auth.client_id, ...parameters }),
      credentials: "omit",
    });
    answer = (await response.json()) as TokenAnswer;
  } catch {
    throw new ConnectionError();
  }
  if (response.status >= 500) throw new ConnectionError();
  if (!response.ok) throw new TokenRefusal(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

function tokensOf(auth: CognitoSignIn, answer: TokenAnswer, refresh: string | null): Tokens {
  const bearer = auth.token === "id" ? answer.id_token : answer.access_token;
  if (bearer === undefined) throw new TokenRefusal(`${auth.token}_token`);
  return {
    bearer,
    refresh: answer.refresh_token ?? refresh,
    expiresAt: Date.now() + (answer.expires_in ?? 0) * 1000,
  };
}

/** A claim of a token; undefined if it has none, or is no JSON web token. */
export function claim(token: string, name: string): unknown {
  const [, payload] = token.split(".");
  try {
    const text = atob((payload ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const claims = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    return claims?.[name];
  } catch {
    return undefined;
  }
}

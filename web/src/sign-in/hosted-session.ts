/** The session with Cognito: its tokens in sessionStorage, renewed before they expire. */
import { restoreAddress } from "../app/route.ts";
import type { CognitoSignIn } from "../state/config.ts";
import { type Answer, type Attempt, authorizeUrl, logoutUrl, parseAnswer } from "./hosted-page.ts";
import { text } from "./messages.ts";
import { challengeOf, randomText } from "./pkce.ts";
import { redeemCode, renew, TokenRefusal, type Tokens } from "./tokens.ts";

const TOKENS = "tokens";
const ATTEMPT = "sign_in";
/** Tokens are renewed so long before they expire. */
const MARGIN_MS = 60_000;

let renewal: Promise<string> | undefined;

/** Opens the hosted page, which returns to the present view. */
export async function openHostedPage(auth: CognitoSignIn): Promise<void> {
  const attempt: Attempt = {
    state: randomText(),
    nonce: randomText(),
    verifier: randomText(),
    fragment: location.hash,
  };
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  location.assign(authorizeUrl(auth, attempt, await challengeOf(attempt.verifier), redirectUri()));
}

/**
 * Takes the hosted page's answer out of the page's address, if there is one, and returns to the view.
 *
 * Throws TokenRefusal with a sentence for the visitor, or ConnectionError.
 */
export async function acceptAnswer(auth: CognitoSignIn): Promise<void> {
  const attempt = stored<Attempt>(ATTEMPT);
  const answer = parseAnswer(location.search, attempt);
  if (answer === undefined) return;
  sessionStorage.removeItem(ATTEMPT);
  restoreAddress(attempt?.fragment ?? "");
  const code = codeOf(answer);
  if (attempt === undefined) throw new TokenRefusal(text.foreignAnswer());
  try {
    keep(await redeemCode(auth, code, attempt, redirectUri()));
  } catch (error) {
    throw error instanceof TokenRefusal ? new TokenRefusal(text.hostedFailed(error.message)) : error;
  }
}

/** Whether there are tokens. */
export function hasTokens(): boolean {
  return stored<Tokens>(TOKENS) !== undefined;
}

/** A token that the API accepts. Throws TokenRefusal if there is none any more, or ConnectionError. */
export async function freshToken(auth: CognitoSignIn): Promise<string> {
  const tokens = stored<Tokens>(TOKENS);
  if (tokens !== undefined && tokens.expiresAt - Date.now() > MARGIN_MS) return tokens.bearer;
  if (tokens?.refresh == null) throw new TokenRefusal(text.renewalRefused());
  renewal ??= renewed(auth, tokens.refresh).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

/** Forgets the tokens. */
export function dropTokens(): void {
  sessionStorage.removeItem(TOKENS);
}

/** Ends the session of the hosted page, which returns to this page. */
export function leaveHostedPage(auth: CognitoSignIn): void {
  location.assign(logoutUrl(auth, redirectUri()));
}

async function renewed(auth: CognitoSignIn, refresh: string): Promise<string> {
  const tokens = await renew(auth, refresh);
  keep(tokens);
  return tokens.bearer;
}

function codeOf(answer: Answer): string {
  switch (answer.kind) {
    case "code":
      return answer.code;
    case "error":
      throw new TokenRefusal(text.hostedFailed(answer.error));
    case "foreign":
      throw new TokenRefusal(text.foreignAnswer());
  }
}

function redirectUri(): string {
  return `${location.origin}/`;
}

function keep(tokens: Tokens): void {
  sessionStorage.setItem(TOKENS, JSON.stringify(tokens));
}

function stored<Value>(key: string): Value | undefined {
  const value = sessionStorage.getItem(key);
  return value === null ? undefined : (JSON.parse(value) as Value);
}

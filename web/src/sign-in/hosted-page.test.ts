import assert from "node:assert/strict";
import { test } from "node:test";
import type { CognitoSignIn } from "../state/config.ts";
import { type Attempt, authorizeUrl, logoutUrl, parseAnswer } from "./hosted-page.ts";

const AUTH: CognitoSignIn = {
  type: "cognito",
  domain: "https://name.auth.eu-central-1.amazoncognito.com",
  client_id: "client",
  scopes: ["openid", "images/write"],
  token: "access",
};
const ATTEMPT: Attempt = { state: "state", nonce: "nonce", verifier: "verifier", fragment: "#/gallery" };

test("the hosted page is asked for a code with a challenge, a state and a nonce", () => {
  const url = new URL(authorizeUrl(AUTH, ATTEMPT, "challenge", "https://images.example.com/"));
  assert.equal(url.origin + url.pathname, `${AUTH.domain}/oauth2/authorize`);
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    response_type: "code",
    client_id: "client",
    redirect_uri: "https://images.example.com/",
    scope: "openid images/write",
    state: "state",
    nonce: "nonce",
    code_challenge: "challenge",
    code_challenge_method: "S256",
  });
  assert.ok(!url.href.includes("verifier"));
});

test("signing out returns to the page", () => {
  const url = new URL(logoutUrl(AUTH, "https://images.example.com/"));
  assert.equal(url.pathname, "/logout");
  assert.equal(url.searchParams.get("logout_uri"), "https://images.example.com/");
});

test("an answer is accepted with the state of this tab only", () => {
  assert.deepEqual(parseAnswer("?code=abc&state=state", ATTEMPT), { kind: "code", code: "abc" });
  assert.deepEqual(parseAnswer("?code=abc&state=other", ATTEMPT), { kind: "foreign" });
  assert.deepEqual(parseAnswer("?code=abc", ATTEMPT), { kind: "foreign" });
  assert.deepEqual(parseAnswer("?code=abc&state=state", undefined), { kind: "foreign" });
  assert.equal(parseAnswer("", ATTEMPT), undefined);
});

test("the error has the hosted page's description", () => {
  assert.deepEqual(
    parseAnswer("?error=access_denied&error_description=User%20is%20disabled&state=state", ATTEMPT),
    {
      kind: "error",
      error: "User is disabled",
    },
  );
});

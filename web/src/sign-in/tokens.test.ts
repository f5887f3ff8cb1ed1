import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url } from "./pkce.ts";
import { claim } from "./tokens.ts";

function token(claims: unknown): string {
  return `header.${base64url(new TextEncoder().encode(JSON.stringify(claims)))}.signature`;
}

test("a claim is read from a token", () => {
  assert.equal(claim(token({ nonce: "abc", name: "月?>" }), "nonce"), "abc");
  assert.equal(claim(token({}), "nonce"), undefined);
});

test("a text that is no token has no claims", () => {
  for (const text of ["", "a.b.c", token(null)]) assert.equal(claim(text, "nonce"), undefined);
});

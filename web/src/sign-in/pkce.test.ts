import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url, challengeOf, randomText } from "./pkce.ts";

test("the challenge is that of the example in RFC 7636", async () => {
  assert.equal(
    await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

test("base64url has neither padding nor characters that addresses escape", () => {
  assert.equal(base64url(Uint8Array.of(0xfb, 0xff)), "-_8");
});

test("random texts are allowed as verifiers and differ", () => {
  const text = randomText();
  assert.match(text, /^[\w-]{43}$/);
  assert.notEqual(text, randomText());
});

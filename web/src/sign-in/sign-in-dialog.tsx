import { session } from "../state/session.ts";

/** Asks for credentials while there are none. */
export function SignInDialog() {
  return session.value.state === "signed_out" ? <p>Sign in</p> : null;
}

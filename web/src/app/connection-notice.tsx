import { isReachable } from "../state/connection.ts";
import { text } from "./messages.ts";
import { failure } from "./startup.ts";

/** Says that the service cannot be reached, until it can be again. A page that has not started says so itself. */
export function ConnectionNotice() {
  const isShown = !isReachable.value && failure.value === undefined;
  return <div role="status">{isShown && <p class="connection-notice">{text.unreachable()}</p>}</div>;
}

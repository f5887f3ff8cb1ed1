import { ConnectionError } from "../api/errors.ts";
import { outage } from "../state/connection.ts";
import { text } from "./messages.ts";

/** Says that the service cannot be reached, until it can be again. */
export function ConnectionNotice() {
  const error = outage.value;
  return (
    <div role="status">
      {error !== undefined && (
        <p class="connection-notice">
          {error instanceof ConnectionError ? text.unreachable() : text.unavailable()}
        </p>
      )}
    </div>
  );
}

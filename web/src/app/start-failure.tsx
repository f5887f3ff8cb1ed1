import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { text } from "./messages.ts";
import { failure, load } from "./startup.ts";

/** Why the page cannot be used at the moment, and that it tries again. */
export function StartFailure() {
  if (failure.value === undefined) return null;
  return (
    <div class="failure" role="alert">
      <p>
        {errorText(failure.value)} {text.retries()}
      </p>
      <Button onClick={() => void load()}>{text.retry()}</Button>
    </div>
  );
}

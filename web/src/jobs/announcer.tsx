import { useEffect, useState } from "preact/hooks";
import { isTerminal } from "../api/types.ts";
import { onJobChange } from "../state/jobs.ts";
import { text } from "./messages.ts";
import { statusText } from "./phase-text.ts";
import { excerpt } from "./prompt.ts";

/** Tells screen readers how jobs have ended; their progress would be noise. */
export function Announcer() {
  const [sentence, setSentence] = useState("");
  useEffect(
    () =>
      onJobChange((_, after, before) => {
        if (after === undefined || before === undefined) return;
        if (isTerminal(before.status) || !isTerminal(after.status)) return;
        const prompt = excerpt(after.request.prompt);
        setSentence(
          after.status === "succeeded"
            ? text.announceSucceeded(prompt)
            : text.announceEnded(statusText(after.status), prompt),
        );
      }),
    [],
  );
  return (
    <p class="visually-hidden" aria-live="polite">
      {sentence}
    </p>
  );
}

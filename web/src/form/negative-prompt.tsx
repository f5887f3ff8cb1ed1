import { useEffect, useRef } from "preact/hooks";
import { fields } from "../state/draft.ts";
import { fieldLabel } from "./labels.ts";
import { PromptField } from "./prompt-field.tsx";

/** The negative prompt, folded unless there is one. */
export function NegativePrompt() {
  const fold = useRef<HTMLDetailsElement>(null);
  const isFilled = fields.value.negative_prompt != null;
  useEffect(() => {
    if (isFilled && fold.current !== null) fold.current.open = true;
  }, [isFilled]);
  return (
    <details class="fold negative" ref={fold}>
      <summary>{fieldLabel("negative_prompt")}</summary>
      <PromptField path="negative_prompt" rows={2} />
    </details>
  );
}

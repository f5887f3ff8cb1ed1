import { useRef } from "preact/hooks";
import { ImagePanel } from "../images/image-panel.tsx";
import { draftModel } from "../state/draft.ts";
import { FieldControl } from "./field-control.tsx";
import { GenerateBar } from "./generate-bar.tsx";
import { IMAGE_FIELDS } from "./groups.ts";
import { text } from "./messages.ts";
import { ModelField } from "./model-field.tsx";
import { More } from "./more.tsx";
import { NegativePrompt } from "./negative-prompt.tsx";
import { PromptField } from "./prompt-field.tsx";
import { errorAt, isShown } from "./refusal.ts";
import { revealErrors, revealFeed } from "./reveal.ts";
import { ShapeField } from "./shape-field.tsx";
import { submit } from "./submit.ts";

/** The form of a new job. Ctrl+Enter submits it from everywhere; Enter alone submits nothing by accident. */
export function Form() {
  const form = useRef<HTMLFormElement>(null);
  const model = draftModel.value;
  const generate = async () => {
    if (await submit()) revealFeed();
    else if (form.current !== null) await revealErrors(form.current);
  };
  return (
    <form
      ref={form}
      class="form"
      aria-label={text.form()}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void generate();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        const isShortcut = event.ctrlKey || event.metaKey;
        if (isShortcut || event.target instanceof HTMLInputElement) event.preventDefault();
        if (isShortcut && !event.repeat) void generate();
      }}
    >
      <PromptField path="prompt" rows={4} />
      <NegativePrompt />
      <ImagePanel errorAt={errorAt} />
      {IMAGE_FIELDS.filter(isShown).map((name) => (
        <FieldControl key={name} name={name} />
      ))}
      <ModelField />
      {model !== undefined && <ShapeField model={model} />}
      <More />
      <GenerateBar />
    </form>
  );
}

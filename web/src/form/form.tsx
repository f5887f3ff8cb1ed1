import { signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import type { Submission } from "../api/types.ts";
import { addToFeed } from "../gallery/feed.tsx";
import { messages } from "../i18n/messages.ts";
import { fields, setField } from "../state/draft.ts";
import { putJob } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { Field } from "../ui/field.tsx";

const text = messages({
  prompt: { en: "Prompt", zh: "提示词" },
  generate: { en: "Generate", zh: "生成" },
});

/** The refusal of the last submission; undefined if there was none. */
export const refusal = signal<ApiError | undefined>(undefined);

async function submit(): Promise<void> {
  refusal.value = undefined;
  try {
    const { data } = await call("submitJob", {
      header: { "Idempotency-Key": crypto.randomUUID() },
      body: { ...fields.value, preview: true } as Submission,
    });
    putJob(data);
    addToFeed(data.id);
  } catch (error) {
    if (error instanceof ApiError) refusal.value = error;
    notify("error", errorText(error));
  }
}

/** The form of a new job. Ctrl+Enter submits it. */
export function Form() {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
      }}
    >
      <Field label={text.prompt()} error={refusal.value?.field("prompt")}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={4}
            value={fields.value.prompt ?? ""}
            onInput={(event) => setField("prompt", event.currentTarget.value || undefined)}
          />
        )}
      </Field>
      <Button type="submit" kind="primary">
        {text.generate()}
      </Button>
    </form>
  );
}

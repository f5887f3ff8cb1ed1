import { useSignal } from "@preact/signals";
import { open } from "../app/route.ts";
import { submissionOf } from "../form/submit.ts";
import { fields, setField } from "../state/draft.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { Field } from "../ui/field.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { axesOfDraft, axisField, axisValues, cellCount, gridProblem } from "./axis-drafts.ts";
import { AxisEditor } from "./axis-editor.tsx";
import { newGridId, randomSeed } from "./identity.ts";
import { text } from "./messages.ts";
import type { Axis } from "./plan.ts";
import { startGrid } from "./submit-grid.ts";

/** The prompt and the axes of a new grid. Ctrl+Enter generates it. */
export function GridForm() {
  const error = useSignal<string | undefined>(undefined);
  const isPreparing = useSignal(false);

  async function submit(): Promise<void> {
    const axes = axesOfDraft();
    error.value = gridProblem() ?? axisValues("x")?.error ?? axisValues("y")?.error;
    if (axes === undefined || isPreparing.value) return;
    isPreparing.value = true;
    try {
      await begin(axes.x, axes.y);
    } catch (failure) {
      error.value = errorText(failure);
    } finally {
      isPreparing.value = false;
    }
  }

  return (
    <form
      class="grid-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
      }}
    >
      <p class="field-help">{text.intro()}</p>
      <Field label={text.prompt()}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            value={fields.value.prompt ?? ""}
            onInput={(event) => setField("prompt", event.currentTarget.value || undefined)}
          />
        )}
      </Field>
      <AxisEditor name="x" label={text.xAxis()} />
      <AxisEditor name="y" label={text.yAxis()} />
      {axisField("x")?.path !== "seed" && axisField("y")?.path !== "seed" && (
        <p class="field-help">{text.oneSeed()}</p>
      )}
      <Problem error={error.value} />
      <Button type="submit" kind="primary" disabled={isPreparing.value}>
        {isPreparing.value ? text.preparing() : submitLabel()}
      </Button>
    </form>
  );
}

/** The error of the last attempt, as long as the axes have not changed what is wrong. */
function Problem({ error }: { readonly error: string | undefined }) {
  return <FieldError error={cellCount() > 0 ? (gridProblem() ?? error) : error} />;
}

function submitLabel(): string {
  const cells = cellCount();
  return cells === 0 ? text.generate() : text.generateSome(cells);
}

async function begin(x: Axis, y: Axis | undefined): Promise<void> {
  const request = await submissionOf(fields.value);
  const id = newGridId();
  startGrid({ id, base: { ...request, count: 1, seed: request.seed ?? randomSeed() }, x, y });
  open({ view: "compare", grid: id });
}

import { draftModel, draftValue, setDraftValue } from "../state/draft.ts";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { boundsOf, defaultOf } from "./model-schema.ts";
import { NumberInput } from "./number-field.tsx";
import { errorWithin } from "./refusal.ts";

/** Two numbers, from and to. */
export function IntervalField({ path }: { readonly path: string }) {
  const value = draftValue(path);
  const [low, high] = pairOf(value) ?? pairOf(defaultOf(path, draftModel.value)) ?? [0, 1];
  const bounds = boundsOf(`${path}/0`, draftModel.value);
  const label = fieldLabel(path);
  const inputs = [
    { name: text.from(label), number: low, change: (entered: number) => [entered, high] },
    { name: text.to(label), number: high, change: (entered: number) => [low, entered] },
  ];
  return (
    <FormField path={path} error={errorWithin(path)}>
      {({ id, ...attributes }) => (
        <div class="number">
          {inputs.map(({ name, number, change }, index) => (
            <NumberInput
              key={name}
              attributes={index === 0 ? { id, ...attributes } : attributes}
              label={name}
              {...bounds}
              value={number}
              isDefault={value === undefined}
              onInput={(entered) => setDraftValue(path, entered === undefined ? undefined : change(entered))}
            />
          ))}
        </div>
      )}
    </FormField>
  );
}

function pairOf(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [low, high]: readonly unknown[] = value;
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}

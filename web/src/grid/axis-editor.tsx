import { fields } from "../state/draft.ts";
import { type ControlAttributes, Field } from "../ui/field.tsx";
import {
  type AxisName,
  availableFields,
  axisField,
  axisValues,
  setAxisField,
  setTypedValues,
  typedValues,
} from "./axis-drafts.ts";
import type { AxisField } from "./axis-fields.ts";
import { ChoiceValues } from "./choice-values.tsx";
import { axisLabel } from "./labels.ts";
import { text } from "./messages.ts";

/** The field of an axis and its values. */
export function AxisEditor({ name, label }: { readonly name: AxisName; readonly label: string }) {
  const field = axisField(name);
  return (
    <fieldset class="axis">
      <Field label={label}>
        {(attributes) => (
          <select
            {...attributes}
            value={field?.path ?? ""}
            onChange={(event) => setAxisField(name, event.currentTarget.value)}
          >
            {name === "y" && <option value="">{text.none()}</option>}
            {availableFields.value.map(({ path }) => (
              <option key={path} value={path}>
                {axisLabel(path, fields.value.loras)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {field !== undefined && <Values key={field.path} name={name} field={field} label={label} />}
    </fieldset>
  );
}

interface ValuesProps {
  readonly name: AxisName;
  readonly field: AxisField;
  /** Of the axis. */
  readonly label: string;
}

function Values({ name, field, label }: ValuesProps) {
  const typed = typedValues(name);
  const error = typed === "" ? undefined : axisValues(name)?.error;
  const set = (value: string): void => setTypedValues(name, value);
  if (field.kind === "choice") {
    return (
      <ChoiceValues
        label={text.valuesOf(label)}
        options={field.options}
        typed={typed}
        error={error}
        onChange={set}
      />
    );
  }
  const control = (attributes: ControlAttributes) =>
    field.kind === "text" ? (
      <textarea {...attributes} rows={4} value={typed} onInput={(event) => set(event.currentTarget.value)} />
    ) : (
      <input
        {...attributes}
        type="text"
        autocomplete="off"
        placeholder={exampleOf(field)}
        value={typed}
        onInput={(event) => set(event.currentTarget.value)}
      />
    );
  return (
    <Field label={text.valuesOf(label)} help={helpOf(field)} error={error}>
      {control}
    </Field>
  );
}

function helpOf(field: AxisField): string {
  if (field.kind !== "number") return text.textsHelp();
  const { min, max } = field.bounds;
  return text.numbersHelp(String(min ?? "−∞"), String(max ?? "∞"));
}

function exampleOf(field: AxisField): string | undefined {
  return field.path === "steps" ? "10-30 (+10)" : undefined;
}

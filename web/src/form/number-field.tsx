import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { draftModel, draftValue, setDraftValue } from "../state/draft.ts";
import type { ControlAttributes } from "../ui/field.tsx";
import { shownDefault, shownUnset } from "./defaults.ts";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { type Bounds, boundsOf } from "./model-schema.ts";

const MAX_SLIDER_STEPS = 400;

interface NumberFieldProps {
  readonly path: string;
  readonly label?: string;
  /** The accessible name, if it is longer than the label. */
  readonly name?: string;
  readonly error?: string | undefined;
  readonly hasSlider?: boolean;
  readonly canReset?: boolean;
  readonly hasHelp?: boolean;
  /** Buttons beside the label. */
  readonly actions?: ComponentChildren;
  /** Buttons behind the number. */
  readonly children?: ComponentChildren;
}

/** A number, with a slider if its default is known and its range is known and small. */
export function NumberField({
  path,
  label = fieldLabel(path),
  name,
  hasSlider = true,
  children,
  ...others
}: NumberFieldProps) {
  const bounds = boundsOf(path, draftModel.value);
  const value = draftValue(path);
  const expected = shownDefault(path);
  const shown = value ?? expected;
  const number = typeof shown === "number" ? shown : undefined;
  const isDefault = value === undefined;
  return (
    <FormField path={path} label={label} {...others}>
      {(attributes) => (
        <div class="number">
          {hasSlider && expected !== undefined && isSmall(bounds) && (
            <input
              type="range"
              aria-label={name ?? label}
              class={isDefault ? "is-default" : undefined}
              {...bounds}
              value={number}
              onInput={(event) => setDraftValue(path, event.currentTarget.valueAsNumber)}
            />
          )}
          <NumberInput
            attributes={attributes}
            label={name}
            {...bounds}
            placeholder={shownUnset(path)}
            value={number}
            isDefault={isDefault}
            onInput={(entered) => setDraftValue(path, entered)}
          />
          {children}
        </div>
      )}
    </FormField>
  );
}

function isSmall({ min, max, step }: Bounds): boolean {
  return min !== undefined && max !== undefined && (max - min) / step <= MAX_SLIDER_STEPS;
}

interface NumberInputProps {
  readonly attributes: Partial<ControlAttributes>;
  readonly label?: string | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly step: number;
  readonly placeholder?: string | undefined;
  readonly value: number | undefined;
  readonly isDefault: boolean;
  readonly onInput: (value: number | undefined) => void;
}

/** A number's text, left as it is while it is being typed; without one, the default is shown. */
export function NumberInput({
  attributes,
  label,
  min,
  max,
  step,
  placeholder,
  value,
  isDefault,
  onInput,
}: NumberInputProps) {
  const [typed, setTyped] = useState<string>();
  return (
    <input
      {...attributes}
      type="number"
      inputMode="decimal"
      aria-label={label}
      class={isDefault ? "is-default" : undefined}
      min={min}
      max={max}
      step={step}
      placeholder={placeholder}
      value={typed ?? value ?? ""}
      onInput={({ currentTarget: input }) => {
        setTyped(input.value);
        onInput(Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : undefined);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { draftModel, draftValue, setDraftValue } from "../state/draft.ts";
import type { ControlAttributes } from "../ui/field.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { boundsOf, defaultOf } from "./model-schema.ts";

const MAX_SLIDER_STEPS = 400;

interface NumberFieldProps {
  readonly path: string;
  readonly label?: string;
  readonly placeholder?: string;
  readonly hasSlider?: boolean;
  readonly canReset?: boolean;
  /** Buttons behind the number. */
  readonly children?: ComponentChildren;
}

/** A number with a slider if its range is known and small. */
export function NumberField({
  path,
  label = fieldLabel(path),
  placeholder,
  hasSlider = true,
  canReset = true,
  children,
}: NumberFieldProps) {
  const bounds = boundsOf(path, draftModel.value);
  const { min, max, step } = bounds;
  const slides =
    hasSlider && min !== undefined && max !== undefined && (max - min) / step <= MAX_SLIDER_STEPS;
  const value = draftValue(path);
  const shown = value ?? defaultOf(path, draftModel.value);
  const number = typeof shown === "number" ? shown : undefined;
  return (
    <FormField path={path} label={label} canReset={canReset}>
      {(attributes) => (
        <div class="number">
          {slides && (
            <input
              type="range"
              aria-label={label}
              class={value === undefined ? "is-default" : undefined}
              min={min}
              max={max}
              step={step}
              value={number ?? min}
              onInput={(event) => setDraftValue(path, event.currentTarget.valueAsNumber)}
            />
          )}
          <NumberInput
            attributes={attributes}
            {...bounds}
            placeholder={placeholder}
            value={number}
            isDefault={value === undefined}
            onInput={(entered) => setDraftValue(path, entered)}
          />
          {children}
        </div>
      )}
    </FormField>
  );
}

interface NumberInputProps {
  readonly attributes: Partial<ControlAttributes>;
  readonly label?: string;
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

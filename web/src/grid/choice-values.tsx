import { FieldError } from "../ui/field-error.tsx";

interface ChoiceValuesProps {
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  /** The chosen values, one a line. */
  readonly typed: string;
  readonly error: string | undefined;
  readonly onChange: (typed: string) => void;
}

/** Several choices out of many; the chosen ones are in the order of the options. */
export function ChoiceValues({ label, options, typed, error, onChange }: ChoiceValuesProps) {
  const chosen = new Set(typed.split("\n"));
  const toggle = (value: string): void => {
    const next = options
      .map((option) => option.value)
      .filter((each) => (each === value ? !chosen.has(each) : chosen.has(each)));
    onChange(next.join("\n"));
  };
  return (
    <fieldset class="field">
      <legend>{label}</legend>
      <div class="choices">
        {options.map((option) => (
          <label key={option.value} class="check">
            <input type="checkbox" checked={chosen.has(option.value)} onChange={() => toggle(option.value)} />
            {option.label}
          </label>
        ))}
      </div>
      <FieldError error={error} />
    </fieldset>
  );
}

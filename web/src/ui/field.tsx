import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { FieldError } from "./field-error.tsx";

/** Attributes that connect a control with its label, help and error. */
export interface ControlAttributes {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean | undefined;
}

interface FieldProps {
  readonly label: string;
  readonly help?: string | undefined;
  /** Whether the help is visible; screen readers know it in any case. */
  readonly isHelpShown?: boolean;
  /** The error of the field; undefined if there is none. */
  readonly error?: string | undefined;
  /** Buttons beside the label. */
  readonly actions?: ComponentChildren;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

/** A labelled control with its help and its error beside it. */
export function Field({ label, help, isHelpShown = true, error, actions, children }: FieldProps) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        {actions}
      </div>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": error === undefined ? undefined : true,
      })}
      {help !== undefined && (
        <p id={`${id}-help`} class="field-help" hidden={!isHelpShown}>
          {help}
        </p>
      )}
      <FieldError id={`${id}-error`} error={error} />
    </div>
  );
}

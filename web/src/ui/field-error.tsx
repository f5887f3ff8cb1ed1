interface FieldErrorProps {
  /** The sentence; undefined if there is no error. */
  readonly error: string | undefined;
  /** For the control's `aria-describedby`. */
  readonly id?: string;
}

/** An error beside what it is about, announced by screen readers. */
export function FieldError({ error, id }: FieldErrorProps) {
  if (error === undefined) return null;
  return (
    <p id={id} class="field-error" role="alert">
      {error}
    </p>
  );
}

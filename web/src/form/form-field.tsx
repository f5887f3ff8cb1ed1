import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { draftValue, setDraftValue } from "../state/draft.ts";
import { IconButton } from "../ui/button.tsx";
import { type ControlAttributes, Field } from "../ui/field.tsx";
import { fieldHelp, fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { errorAt } from "./refusal.ts";
import { focusControl } from "./reveal.ts";

interface FormFieldProps {
  readonly path: string;
  readonly label?: string;
  readonly error?: string | undefined;
  /** Further buttons beside the label. */
  readonly actions?: ComponentChildren;
  readonly canReset?: boolean;
  readonly hasHelp?: boolean;
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

/** A field of the request with its label, its help on demand, its error and a button that resets it. */
export function FormField({
  path,
  label = fieldLabel(path),
  error = errorAt(path),
  actions,
  canReset = true,
  hasHelp = true,
  children,
}: FormFieldProps) {
  const [isHelpShown, showHelp] = useState(false);
  const help = hasHelp ? fieldHelp(path) : undefined;
  return (
    <Field
      label={label}
      help={help}
      isHelpShown={isHelpShown}
      error={error}
      actions={
        <>
          {actions}
          {canReset && draftValue(path) !== undefined && (
            <IconButton
              icon="undo"
              label={text.reset(label)}
              onClick={() => {
                focusControl(".field");
                setDraftValue(path, undefined);
              }}
            />
          )}
          {help !== undefined && (
            <IconButton
              icon="help"
              label={text.help(label)}
              pressed={isHelpShown}
              onClick={() => showHelp(!isHelpShown)}
            />
          )}
        </>
      }
    >
      {children}
    </Field>
  );
}

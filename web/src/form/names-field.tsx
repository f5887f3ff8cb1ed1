import type { ComponentChildren } from "preact";
import { schemaAt } from "../api/field-schema.ts";
import { draftValue, setDraftValue } from "../state/draft.ts";
import { IconButton } from "../ui/button.tsx";
import { Combobox } from "../ui/combobox.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { errorWithin } from "./refusal.ts";

interface NamesFieldProps {
  readonly path: string;
  /** The names to choose from; without any, every text is taken. */
  readonly options?: readonly string[];
  /** A button in front of each name. */
  readonly actionOf?: (name: string) => ComponentChildren;
}

/** A list of names or tags. */
export function NamesField({ path, options = schemaAt(path).items?.enum ?? [], actionOf }: NamesFieldProps) {
  const value = draftValue(path);
  const names = Array.isArray(value) ? value.map(String) : [];
  const set = (changed: readonly string[]) => setDraftValue(path, changed.length === 0 ? undefined : changed);
  return (
    <FormField path={path} error={errorWithin(path)}>
      {(attributes) => (
        <>
          {names.length > 0 && (
            <ul class="names">
              {names.map((name) => (
                <li key={name}>
                  {actionOf?.(name)}
                  <span>{name}</span>
                  <IconButton
                    icon="cancel"
                    label={text.remove(name)}
                    onClick={() => set(names.filter((each) => each !== name))}
                  />
                </li>
              ))}
            </ul>
          )}
          <Combobox
            attributes={attributes}
            label={text.add(fieldLabel(path))}
            options={options.filter((each) => !names.includes(each))}
            takesText={options.length === 0}
            placeholder={text.add(fieldLabel(path))}
            onChoose={(name) => {
              if (name !== "" && !names.includes(name)) set([...names, name]);
            }}
          />
        </>
      )}
    </FormField>
  );
}

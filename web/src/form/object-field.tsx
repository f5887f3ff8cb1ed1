import { schemaAt } from "../api/field-schema.ts";
import { draftValue, setDraftValue } from "../state/draft.ts";
import { FormField } from "./form-field.tsx";
import { LeafField } from "./leaf-field.tsx";

/** A group of values that is sent as a whole or not at all: a switch, and its fields while it is on. */
export function ObjectField({ path }: { readonly path: string }) {
  const isOn = draftValue(path) !== undefined;
  const names = Object.keys(schemaAt(path).properties ?? {});
  return (
    <div class="object">
      <FormField path={path} canReset={false}>
        {(attributes) => (
          <input
            {...attributes}
            type="checkbox"
            checked={isOn}
            onChange={(event) => setDraftValue(path, event.currentTarget.checked ? {} : undefined)}
          />
        )}
      </FormField>
      {isOn && (
        <div class="object-fields">
          {names.map((name) => (
            <LeafField key={name} path={`${path}/${name}`} />
          ))}
        </div>
      )}
    </div>
  );
}

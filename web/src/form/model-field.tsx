import { models } from "../state/catalog.ts";
import { draftModel, fields, setField } from "../state/draft.ts";
import { FormField } from "./form-field.tsx";
import { text } from "./messages.ts";

/** The model. The default one is not sent. */
export function ModelField() {
  const { model: chosen } = fields.value;
  const present = chosen ?? draftModel.value?.name;
  const isMissing = chosen != null && !models.value.some(({ name }) => name === chosen);
  return (
    <FormField path="model" canReset={false}>
      {(attributes) => (
        <select
          {...attributes}
          value={present}
          onChange={({ currentTarget: { value } }) => {
            const isDefault = models.value.some((each) => each.name === value && each.is_default);
            setField("model", isDefault ? undefined : value);
          }}
        >
          {isMissing && <option value={chosen}>{text.notHere(chosen)}</option>}
          {models.value.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </FormField>
  );
}

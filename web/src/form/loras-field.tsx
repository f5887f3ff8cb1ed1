import { adapterNames } from "../state/catalog.ts";
import { fields, setDraftValue, setField } from "../state/draft.ts";
import { Combobox } from "../ui/combobox.tsx";
import { AdapterRow } from "./adapter-row.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { NumberField } from "./number-field.tsx";

/** The LoRAs with their weights, and a list to choose further ones from. */
export function LorasField() {
  const loras = fields.value.loras ?? [];
  const names = loras.map(({ name }) => name);
  const remove = (index: number) =>
    setField("loras", loras.length === 1 ? undefined : loras.toSpliced(index, 1));
  const label = text.add(fieldLabel("loras"));
  return (
    <div class="rows">
      {names.map((name, index) => (
        <AdapterRow
          key={name}
          path={`loras/${index}`}
          named="name"
          name={name}
          onRemove={() => remove(index)}
        >
          <NumberField path={`loras/${index}/weight`} label={text.weightOf(name)} canReset={false} />
        </AdapterRow>
      ))}
      <FormField path="loras" canReset={false}>
        {(attributes) => (
          <Combobox
            attributes={attributes}
            label={label}
            placeholder={label}
            options={adapterNames("lora").filter((each) => !names.includes(each))}
            onChoose={(name) => {
              if (name !== "" && !names.includes(name)) setDraftValue("loras", [...loras, { name }]);
            }}
          />
        )}
      </FormField>
    </div>
  );
}

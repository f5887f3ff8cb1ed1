import { adapterNames } from "../state/catalog.ts";
import { fields, setDraftValue, setField } from "../state/draft.ts";
import { IconButton } from "../ui/button.tsx";
import { Combobox } from "../ui/combobox.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { errorWithin } from "./refusal.ts";
import { focusControl } from "./reveal.ts";

/** The LoRAs with their weights, and a list to choose further ones from. */
export function LorasField() {
  const loras = fields.value.loras ?? [];
  const names = loras.map(({ name }) => name);
  const remove = (index: number) => {
    focusControl(".rows");
    setField("loras", loras.length === 1 ? undefined : loras.toSpliced(index, 1));
  };
  const label = text.add(fieldLabel("loras"));
  return (
    <div class="rows">
      {names.map((name, index) => (
        <NumberField
          key={name}
          path={`loras/${index}/weight`}
          label={name}
          name={text.weightOf(name)}
          error={errorWithin(`loras/${index}`)}
          canReset={false}
          hasHelp={false}
          actions={<IconButton icon="cancel" label={text.remove(name)} onClick={() => remove(index)} />}
        />
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

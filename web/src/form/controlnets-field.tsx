import { ImagePicker } from "../images/image-picker.tsx";
import { adapterNames } from "../state/catalog.ts";
import { fields, setField } from "../state/draft.ts";
import { controlImages, removeControlImage, setControlImage } from "../state/draft-images.ts";
import { IconButton } from "../ui/button.tsx";
import { Combobox } from "../ui/combobox.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { SwitchField } from "./leaf-field.tsx";
import { text } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { errorAt } from "./refusal.ts";
import { focusControl } from "./reveal.ts";

/** The ControlNets with their images, and a list to choose further ones from. */
export function ControlNetsField() {
  const controlnets = fields.value.controlnets ?? [];
  const label = text.add(fieldLabel("controlnets"));
  const remove = (index: number) => {
    focusControl(".rows");
    removeControlImage(index);
    setField("controlnets", controlnets.length === 1 ? undefined : controlnets.toSpliced(index, 1));
  };
  return (
    <div class="rows">
      {controlnets.map(({ type }, index) => {
        const path = `controlnets/${index}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: one type may be there several times, with an image by its index
          <fieldset key={index} class="adapter">
            <legend>{type}</legend>
            <IconButton icon="cancel" label={text.remove(type)} onClick={() => remove(index)} />
            <FieldError error={errorAt(path) ?? errorAt(`${path}/type`)} />
            <ImagePicker
              label={fieldLabel(`${path}/image`)}
              image={controlImages.value[index]}
              onChange={(image) => setControlImage(index, image)}
              error={errorAt(`${path}/image`)}
            />
            <NumberField path={`${path}/weight`} canReset={false} />
            <NumberField path={`${path}/start`} canReset={false} />
            <NumberField path={`${path}/end`} canReset={false} />
            <SwitchField path={`${path}/preprocess`} />
          </fieldset>
        );
      })}
      <FormField path="controlnets" canReset={false}>
        {(attributes) => (
          <Combobox
            attributes={attributes}
            label={label}
            placeholder={label}
            options={adapterNames("controlnet")}
            onChoose={(type) => {
              if (type !== "") setField("controlnets", [...controlnets, { type }]);
            }}
          />
        )}
      </FormField>
    </div>
  );
}

import { schemaAt } from "../api/field-schema.ts";
import type { AdapterKind } from "../api/types.ts";
import { adapterNames } from "../state/catalog.ts";
import { draftModel, draftValue, setDraftValue } from "../state/draft.ts";
import { Combobox } from "../ui/combobox.tsx";
import { FormField } from "./form-field.tsx";
import { fieldLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { defaultOf } from "./model-schema.ts";
import { NumberField } from "./number-field.tsx";

/** Fields that hold the name of an adapter, by the last part of their paths. */
const ADAPTER_KINDS: Readonly<Record<string, AdapterKind>> = { vae: "vae", upscaler: "upscaler" };

interface FieldProps {
  readonly path: string;
}

/** The control of a single value, chosen by its schema. */
export function LeafField({ path }: FieldProps) {
  const schema = schemaAt(path);
  if (ADAPTER_KINDS[lastOf(path)] !== undefined) return <AdapterField path={path} />;
  if (schema.enum !== undefined) return <ChoiceField path={path} options={schema.enum} />;
  if (schema.type === "boolean") return <SwitchField path={path} />;
  if (schema.type === "integer" || schema.type === "number") return <NumberField path={path} />;
  return <TextField path={path} />;
}

interface ChoiceFieldProps extends FieldProps {
  readonly options: readonly string[];
  readonly labelOf?: (option: string) => string;
  readonly onChoose?: (option: string | undefined) => void;
}

/** One of several values, or the default. */
export function ChoiceField({
  path,
  options,
  labelOf = (option) => option,
  onChoose = (option) => setDraftValue(path, option),
}: ChoiceFieldProps) {
  const value = draftValue(path);
  const present = typeof value === "string" ? value : "";
  const expected = defaultOf(path, draftModel.value);
  const first = typeof expected === "string" ? text.defaultValue(labelOf(expected)) : text.modelDefault();
  const isMissing = present !== "" && !options.includes(present);
  return (
    <FormField path={path}>
      {(attributes) => (
        <select
          {...attributes}
          class={present === "" ? "is-default" : undefined}
          value={present}
          onChange={(event) => onChoose(event.currentTarget.value || undefined)}
        >
          <option value="">{first}</option>
          {isMissing && <option value={present}>{text.notHere(labelOf(present))}</option>}
          {options.map((option) => (
            <option key={option} value={option}>
              {labelOf(option)}
            </option>
          ))}
        </select>
      )}
    </FormField>
  );
}

/** A yes or no; the default is not sent. */
export function SwitchField({ path }: FieldProps) {
  const expected = defaultOf(path, draftModel.value) === true;
  return (
    <FormField path={path} canReset={false}>
      {(attributes) => (
        <input
          {...attributes}
          type="checkbox"
          checked={(draftValue(path) ?? expected) === true}
          onChange={({ currentTarget: { checked } }) =>
            setDraftValue(path, checked === expected ? undefined : checked)
          }
        />
      )}
    </FormField>
  );
}

function AdapterField({ path }: FieldProps) {
  const expected = defaultOf(path, draftModel.value);
  const names = adapterNames(ADAPTER_KINDS[lastOf(path)] ?? "vae");
  const options = typeof expected === "string" && !names.includes(expected) ? [expected, ...names] : names;
  return (
    <FormField path={path}>
      {(attributes) => (
        <Combobox
          attributes={attributes}
          label={fieldLabel(path)}
          options={options}
          takesText
          value={String(draftValue(path) ?? "")}
          placeholder={typeof expected === "string" ? expected : text.modelDefault()}
          onChoose={(name) => setDraftValue(path, name || undefined)}
        />
      )}
    </FormField>
  );
}

function TextField({ path }: FieldProps) {
  const value = draftValue(path);
  return (
    <FormField path={path}>
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          value={typeof value === "string" ? value : ""}
          onInput={(event) => setDraftValue(path, event.currentTarget.value || undefined)}
        />
      )}
    </FormField>
  );
}

function lastOf(path: string): string {
  return path.split("/").at(-1) ?? "";
}

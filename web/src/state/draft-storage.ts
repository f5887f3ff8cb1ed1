/** Reading of a draft that any version of the page may have written. */
import { type FieldSchema, hasType, SCHEMAS, schemaAt } from "../api/field-schema.ts";
import type { Fields } from "./draft.ts";

const { input_image: _input, mask_image: _mask, ...others } = SCHEMAS;

/** The fields of a draft: images are kept elsewhere. */
const DRAFT_SCHEMAS: Readonly<Record<string, FieldSchema>> = {
  ...others,
  controlnets: withoutImage(schemaAt("controlnets")),
};

/** The fields that this version of the API knows, with values of their types; everything else is dropped. */
export function validFields(value: unknown): Fields {
  if (typeof value !== "object" || value === null) return {};
  const known = Object.entries(value).filter(([name, each]) => {
    const schema = Object.hasOwn(DRAFT_SCHEMAS, name) ? DRAFT_SCHEMAS[name] : undefined;
    return schema !== undefined && hasType(each, schema);
  });
  return Object.fromEntries(known);
}

/** The fields in the text of a kept draft; none if it is not readable. */
export function parseDraft(text: string | null): Fields {
  try {
    return validFields(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function withoutImage(schema: FieldSchema): FieldSchema {
  const { properties = {}, required = [], ...item } = schema.items ?? {};
  const { image: _, ...kept } = properties;
  return {
    ...schema,
    items: { ...item, properties: kept, required: required.filter((name) => name !== "image") },
  };
}

/** The request's fields as the API describes them: types, bounds, choices and help. */
import { FIELDS } from "./fields.ts";

/** The parts of a JSON schema that a form needs. */
export interface FieldSchema {
  readonly type?: "string" | "number" | "integer" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
}

export const SCHEMAS: Readonly<Record<string, FieldSchema>> = FIELDS;

/** The schema of a field, such as `width` or `loras/0/weight`; empty for unknown ones. */
export function schemaAt(
  path: string,
  schemas: Readonly<Record<string, FieldSchema>> = SCHEMAS,
): FieldSchema {
  const [name = "", ...rest] = path.split("/");
  let schema: FieldSchema | undefined = schemas[name];
  for (const step of rest) schema = schema?.properties?.[step] ?? schema?.items;
  return schema ?? {};
}

/** Whether a value has the type that the schema describes. Bounds are the API's business. */
export function hasType(value: unknown, schema: FieldSchema): boolean {
  switch (schema.type) {
    case "string":
      return typeof value === "string" && (schema.enum === undefined || schema.enum.includes(value));
    case "integer":
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value) && value.every((each) => hasType(each, schema.items ?? {}));
    case "object":
      return hasProperties(value, schema);
    default:
      return true;
  }
}

function hasProperties(value: unknown, { properties = {}, required = [] }: FieldSchema): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return (
    required.every((name) => name in value) &&
    Object.entries(value).every(([name, each]) => {
      const schema = properties[name];
      return schema !== undefined && hasType(each, schema);
    })
  );
}

/** Values of files, which anybody can write: only those that the API's schema allows are used. */

import type { FieldSchema } from "../../api/field-schema.ts";

/** Whether a value has the schema's type and keeps its limits. */
export function conforms(value: unknown, schema: FieldSchema): boolean {
  switch (schema.type) {
    case "string":
      return typeof value === "string" && isText(value, schema);
    case "integer":
      return Number.isSafeInteger(value) && isInRange(value as number, schema);
    case "number":
      return Number.isFinite(value) && isInRange(value as number, schema);
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value) && isArray(value, schema);
    case "object":
      return isObject(value) && hasProperties(value, schema);
    default:
      return false;
  }
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: string, { minLength, maxLength, enum: choices }: FieldSchema): boolean {
  return isWithin(value.length, minLength, maxLength) && (choices === undefined || choices.includes(value));
}

function isInRange(value: number, { minimum, maximum, exclusiveMinimum, multipleOf }: FieldSchema): boolean {
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return false;
  return isWithin(value, minimum, maximum) && (multipleOf === undefined || value % multipleOf === 0);
}

function isWithin(value: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}

function isArray(values: readonly unknown[], { items, minItems, maxItems }: FieldSchema): boolean {
  if (!isWithin(values.length, minItems, maxItems)) return false;
  // Arrays whose schema does not describe their items are of numbers.
  return values.every((each) => conforms(each, items ?? { type: "number" }));
}

function hasProperties(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [] }: FieldSchema,
): boolean {
  return (
    required.every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, each]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return schema !== undefined && (each === null || conforms(each, schema));
    })
  );
}

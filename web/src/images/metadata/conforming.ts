/** Values of files, which anybody can write: only those that the API's description allows are used. */

/** A description of a value in src/api/fields.ts. */
export interface Description {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Description;
  readonly properties?: Readonly<Record<string, Description>>;
  readonly required?: readonly string[];
}

/** Whether a value has the described type and keeps its limits. */
export function conforms(value: unknown, description: Description): boolean {
  if (description.enum !== undefined && !description.enum.includes(value)) return false;
  switch (description.type) {
    case "string":
      return (
        typeof value === "string" && isWithin(value.length, description.minLength, description.maxLength)
      );
    case "integer":
      return Number.isSafeInteger(value) && isInRange(value as number, description);
    case "number":
      return Number.isFinite(value) && isInRange(value as number, description);
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value) && isArray(value, description);
    case "object":
      return isObject(value) && hasProperties(value, description);
    default:
      return false;
  }
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInRange(value: number, { minimum, maximum, exclusiveMinimum, multipleOf }: Description): boolean {
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return false;
  return isWithin(value, minimum, maximum) && (multipleOf === undefined || value % multipleOf === 0);
}

function isWithin(value: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}

function isArray(values: readonly unknown[], { items, minItems, maxItems }: Description): boolean {
  if (!isWithin(values.length, minItems, maxItems)) return false;
  // Arrays without a description are of numbers.
  return values.every((each) => conforms(each, items ?? { type: "number" }));
}

function hasProperties(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [] }: Description,
): boolean {
  return (
    required.every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, each]) => {
      const description = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return description !== undefined && (each === null || conforms(each, description));
    })
  );
}

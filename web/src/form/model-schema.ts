/** Bounds and defaults of a field: those of the API's description, and those that the model declares. */
import { schemaAt } from "../api/field-schema.ts";
import type { Model } from "../api/types.ts";
import { PAGE_DEFAULTS } from "./request.ts";

export interface Bounds {
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** The step of sliders and arrow keys; other values can be typed. */
  readonly step: number;
}

/** The model's limits of these fields have other names than `max_` and the field's name. */
const LIMITED_AS: Readonly<Record<string, string>> = { width: "size", height: "size" };
const FINE_RANGE = 10;

/** The bounds of a number. */
export function boundsOf(path: string, model: Model | undefined): Bounds {
  const schema = schemaAt(path);
  const name = path.split("/").at(-1) ?? "";
  const limits: Readonly<Record<string, number | undefined>> = { ...model?.limits };
  const limited = LIMITED_AS[name] ?? name;
  const max = limits[`max_${limited}`] ?? schema.maximum;
  const least = limits[`min_${limited}`] ?? schema.minimum;
  const low = least ?? schema.exclusiveMinimum;
  const step = schema.multipleOf ?? (schema.type === "integer" ? 1 : fraction(low, max));
  const isExclusive = least === undefined && low !== undefined;
  return { min: isExclusive ? rounded(low + step) : low, max, step };
}

/** The value of a field that the visitor has not set; undefined if there is none, or if it is unknown. */
export function defaultOf(path: string, model: Model | undefined): unknown {
  const own: Readonly<Record<string, unknown>> = { ...model?.defaults, ...PAGE_DEFAULTS };
  return own[path] ?? schemaAt(path).default ?? undefined;
}

function fraction(low = 0, high = 1): number {
  return high - low > FINE_RANGE ? 0.5 : 0.05;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The values of an axis as they are typed: lists, and ranges as AUTOMATIC1111 writes them. */
import type { AxisField } from "./axis-fields.ts";
import { text } from "./messages.ts";

export type AxisValue = string | number;

/** The values, and why they cannot be used; undefined if they can. */
export interface ParsedValues {
  readonly values: readonly AxisValue[];
  readonly error?: string;
}

/** Cells of a grid at most: each is a job of its own. */
export const MAX_CELLS = 64;

const NUMBER = String.raw`-?(?:\d+\.?\d*|\.\d+)`;
const RANGE = new RegExp(
  String.raw`^(${NUMBER})\s*-\s*(${NUMBER})(?:\s*\(\s*\+?(${NUMBER})\s*\)|\s*\[\s*(\d{1,4})\s*\])?$`,
);
const SINGLE = new RegExp(`^${NUMBER}$`);

/** The values of a field. Numbers and choices that are there twice count once. */
export function parseValues(field: AxisField, typed: string, prompt: string): ParsedValues {
  const parsed = parse(field, typed, prompt);
  if (parsed.error !== undefined) return parsed;
  const values = [...new Set(parsed.values)];
  if (values.length === 0) return { values, error: text.noValues() };
  return values.length > MAX_CELLS ? { values, error: text.tooManyValues(MAX_CELLS) } : { values };
}

function parse(field: AxisField, typed: string, prompt: string): ParsedValues {
  switch (field.kind) {
    case "number":
      return parseNumbers(field, typed);
    case "choice":
      return { values: linesOf(typed).filter((each) => field.options.some(({ value }) => value === each)) };
    case "text":
      return parseTexts(typed, prompt);
  }
}

function parseTexts(typed: string, prompt: string): ParsedValues {
  const values = linesOf(typed);
  const [search] = values;
  if (search !== undefined && !prompt.includes(search)) return { values, error: text.notInPrompt(search) };
  return { values };
}

function linesOf(typed: string): readonly string[] {
  return typed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function parseNumbers(field: AxisField & { readonly kind: "number" }, typed: string): ParsedValues {
  const values: number[] = [];
  // Full-width signs of Chinese keyboards become those of ASCII.
  for (const part of typed.normalize("NFKC").split(/[,;、\n]/)) {
    const trimmed = part.trim();
    if (trimmed === "") continue;
    const numbers = SINGLE.test(trimmed) ? [Number(trimmed)] : rangeOf(trimmed, field.isInteger);
    if (numbers === undefined) return { values, error: text.notANumber(trimmed) };
    const error = numbers.map((each) => problemOf(field, each)).find((each) => each !== undefined);
    if (error !== undefined) return { values, error };
    values.push(...numbers);
    if (values.length > MAX_CELLS) break;
  }
  return { values };
}

/** The numbers of a range; undefined if the text is none. More than `MAX_CELLS` are cut off after one more. */
function rangeOf(part: string, isInteger: boolean): readonly number[] | undefined {
  const [match, first, last, step, count] = RANGE.exec(part) ?? [];
  if (match === undefined) return undefined;
  const from = Number(first);
  const to = Number(last);
  if (count !== undefined) return spread(from, to, Number(count), isInteger);
  const size = step === undefined ? 1 : Math.abs(Number(step));
  if (size === 0) return undefined;
  const length = Math.min(Math.floor(Math.abs(to - from) / size + 1e-9), MAX_CELLS) + 1;
  return Array.from({ length }, (_, index) => rounded(from + index * Math.sign(to - from) * size));
}

function spread(from: number, to: number, count: number, isInteger: boolean): readonly number[] | undefined {
  if (count === 0) return undefined;
  const length = Math.min(count, MAX_CELLS + 1);
  const step = count === 1 ? 0 : (to - from) / (count - 1);
  return Array.from({ length }, (_, index) => {
    const value = from + index * step;
    return isInteger ? Math.round(value) : rounded(value);
  });
}

/** Sums of decimal fractions without the errors of binary ones. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}

function problemOf(field: AxisField & { readonly kind: "number" }, value: number): string | undefined {
  const { min, max, step } = field.bounds;
  if (field.isInteger && !Number.isInteger(value)) return text.notAnInteger(value);
  if (min !== undefined && value < min) return text.tooSmall(value, min);
  if (max !== undefined && value > max) return text.tooLarge(value, max);
  return field.isInteger && value % step !== 0 ? text.notAMultiple(value, step) : undefined;
}

/** The axes as the visitor has set them. They are kept in this browser. */
import { computed, effect, signal } from "@preact/signals";
import { draftImages } from "../form/submit.ts";
import { models, samplers } from "../state/catalog.ts";
import { draftModel, fields } from "../state/draft.ts";
import { readStored, storeText } from "../state/stored.ts";
import { type AxisField, axisFields } from "./axis-fields.ts";
import { MAX_CELLS, type ParsedValues, parseValues } from "./axis-values.ts";
import { text } from "./messages.ts";
import type { Axis } from "./plan.ts";
import { NEEDED_TAGS } from "./tags.ts";

const KEY = "grid_axes";
const MAX_TAGS = 10;

/** An axis in the editor; the path is empty if there is none. */
export interface AxisDraft {
  readonly path: string;
  /** The typed values by the paths of their fields. */
  readonly typed: Readonly<Record<string, string>>;
}

interface AxisDrafts {
  readonly x: AxisDraft;
  readonly y: AxisDraft;
}

export type AxisName = keyof AxisDrafts;

const INITIAL: AxisDrafts = { x: { path: "steps", typed: {} }, y: { path: "", typed: {} } };

export const axisDrafts = signal<AxisDrafts>(read());

/** The fields that can be varied with the present draft. */
export const availableFields = computed(() =>
  axisFields({
    fields: fields.value,
    model: draftModel.value,
    models: models.value,
    samplers: samplers.value,
    hasInput: draftImages.value.input !== undefined,
    hasMask: draftImages.value.mask !== undefined,
  }),
);

/** The field of an axis; undefined for a second axis without one. */
export function axisField(name: AxisName): AxisField | undefined {
  const { path } = axisDrafts.value[name];
  const found = availableFields.value.find((each) => each.path === path);
  return found ?? (name === "x" ? availableFields.value.find((each) => each.path === "steps") : undefined);
}

/** The values of an axis; undefined for a second axis without a field. */
export function axisValues(name: AxisName): ParsedValues | undefined {
  const field = axisField(name);
  if (field === undefined) return undefined;
  if (name === "y" && field.path === axisField("x")?.path) return { values: [], error: text.sameField() };
  return parseValues(field, typedValues(name), fields.value.prompt ?? "");
}

/** What is typed for an axis. */
export function typedValues(name: AxisName): string {
  return axisDrafts.value[name].typed[axisField(name)?.path ?? ""] ?? "";
}

/** Selects the field of an axis. */
export function setAxisField(name: AxisName, path: string): void {
  axisDrafts.value = { ...axisDrafts.value, [name]: { ...axisDrafts.value[name], path } };
}

/** Sets what is typed for the field of an axis. */
export function setTypedValues(name: AxisName, typed: string): void {
  const draft = axisDrafts.value[name];
  const path = axisField(name)?.path ?? "";
  axisDrafts.value = {
    ...axisDrafts.value,
    [name]: { ...draft, typed: { ...draft.typed, [path]: typed } },
  };
}

/** The number of cells of the axes. */
export function cellCount(): number {
  return (axisValues("x")?.values.length ?? 0) * (axisValues("y")?.values.length ?? 1);
}

/** Why the axes together make no grid; undefined if they do. Errors of single axes stand beside them. */
export function gridProblem(): string | undefined {
  const cells = cellCount();
  const own = MAX_TAGS - NEEDED_TAGS;
  if (cells > MAX_CELLS) return text.tooManyCells(cells, MAX_CELLS);
  if ((fields.value.tags?.length ?? 0) > own) return text.tooManyTags(own);
  return (fields.value.prompt ?? "").trim() === "" ? text.noPrompt() : undefined;
}

/** The axes of the grid; undefined if there is an error. */
export function axesOfDraft(): { readonly x: Axis; readonly y: Axis | undefined } | undefined {
  const x = axisOf("x");
  const y = axisOf("y");
  const hasErrors = axisValues("x")?.error !== undefined || axisValues("y")?.error !== undefined;
  return x === undefined || hasErrors || gridProblem() !== undefined ? undefined : { x, y };
}

/** Keeps the axes in localStorage until the returned function is called. */
export function keepAxes(): () => void {
  return effect(() => {
    storeText(KEY, JSON.stringify(axisDrafts.value));
  });
}

function axisOf(name: AxisName): Axis | undefined {
  const field = axisField(name);
  const parsed = axisValues(name);
  return field === undefined || parsed === undefined
    ? undefined
    : { path: field.path, values: parsed.values };
}

function read(): AxisDrafts {
  const stored = readStored(KEY);
  return typeof stored === "object" && stored !== null && "x" in stored && "y" in stored
    ? (stored as AxisDrafts)
    : INITIAL;
}

/** Texts of axes and their values. */
import type { Lora, Sampler } from "../api/types.ts";
import { fieldLabel } from "../form/labels.ts";
import { choiceLabel, samplerChoice, scheduleLabel } from "../form/sampler-choice.ts";
import type { AxisValue } from "./axis-values.ts";
import { text } from "./messages.ts";

/** The name of an axis. `loras` are those of the request that the axis varies. */
export function axisLabel(path: string, loras: readonly Lora[] = []): string {
  if (path === "prompt") return text.replaced();
  const [group = "", ...rest] = path.split("/");
  const inner = rest.at(-1);
  if (inner === undefined) return fieldLabel(path);
  const name = group === "loras" ? loras[Number(rest[0])]?.name : undefined;
  return `${name ?? fieldLabel(group)}: ${fieldLabel(`${group}/${inner}`)}`;
}

/** A value as it is shown beside its column or row; a dash for an unknown one. */
export function valueLabel(path: string, value: AxisValue | undefined, samplers: readonly Sampler[]): string {
  if (value === undefined) return "–";
  if (path === "sampler") return choiceLabel(samplerChoice(String(value), samplers), samplers);
  return path === "scheduler" ? scheduleLabel(String(value)) : String(value);
}

import type { ComponentType } from "preact";
import { schemaAt } from "../api/field-schema.ts";
import { ControlNetsField } from "./controlnets-field.tsx";
import { EmbeddingsField } from "./embeddings-field.tsx";
import { IntervalField } from "./interval-field.tsx";
import { LeafField } from "./leaf-field.tsx";
import { LorasField } from "./loras-field.tsx";
import { NamesField } from "./names-field.tsx";
import { ObjectField } from "./object-field.tsx";
import { SamplerField, SchedulerField } from "./sampler-fields.tsx";
import { SeedField } from "./seed-field.tsx";

/** Fields with controls of their own; all others have the one for their schema. */
const OWN: Readonly<Record<string, ComponentType>> = {
  controlnets: ControlNetsField,
  embeddings: EmbeddingsField,
  loras: LorasField,
  sampler: SamplerField,
  scheduler: SchedulerField,
  seed: SeedField,
};

/** The control of a field of the request. */
export function FieldControl({ name }: { readonly name: string }) {
  const Own = OWN[name];
  if (Own !== undefined) return <Own />;
  const { type, items } = schemaAt(name);
  if (type === "object") return <ObjectField path={name} />;
  if (type !== "array") return <LeafField path={name} />;
  return items?.type === "string" ? <NamesField path={name} /> : <IntervalField path={name} />;
}

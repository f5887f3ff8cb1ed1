import { samplers } from "../state/catalog.ts";
import { draftModel, fields, setField } from "../state/draft.ts";
import { ChoiceField } from "./leaf-field.tsx";
import { defaultOf } from "./model-schema.ts";
import { choiceLabel, plainSamplers, samplerChoice, scheduleLabel, schedulesOf } from "./sampler-choice.ts";

/** The sampler, by its label. */
export function SamplerField() {
  const known = samplers.value;
  return (
    <ChoiceField
      path="sampler"
      options={plainSamplers(known).map(({ name }) => name)}
      labelOf={(name) => choiceLabel(samplerChoice(name, known), known)}
      onChoose={(name) => {
        const { scheduler } = fields.value;
        setField("sampler", name);
        if (scheduler != null && !schedulesOf(name ?? defaultSampler(), known).includes(scheduler)) {
          setField("scheduler", undefined);
        }
      }}
    />
  );
}

/** The noise schedule: one of those that the sampler has. */
export function SchedulerField() {
  const sampler = fields.value.sampler ?? defaultSampler();
  return (
    <ChoiceField path="scheduler" options={schedulesOf(sampler, samplers.value)} labelOf={scheduleLabel} />
  );
}

function defaultSampler(): string {
  return String(defaultOf("sampler", draftModel.value) ?? "");
}

import { fields, setField } from "../state/draft.ts";
import { IconButton } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { lastSeed } from "./submit.ts";

/** The seed: random, or a number, such as that of the last job. */
export function SeedField() {
  return (
    <NumberField path="seed" hasSlider={false} canReset={false}>
      <IconButton
        icon="random"
        label={text.randomSeed()}
        disabled={fields.value.seed == null}
        onClick={() => setField("seed", undefined)}
      />
      <IconButton
        icon="last"
        label={text.lastSeed()}
        disabled={lastSeed.value === undefined}
        onClick={() => setField("seed", lastSeed.value)}
      />
    </NumberField>
  );
}

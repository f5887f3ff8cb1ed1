import { fields } from "../state/draft.ts";
import { controlImages } from "../state/draft-images.ts";
import { Button } from "../ui/button.tsx";
import { FieldControl } from "./field-control.tsx";
import { Fold } from "./fold.tsx";
import { GROUPS } from "./groups.ts";
import { groupLabels, text } from "./messages.ts";
import { isShown } from "./refusal.ts";

/** Everything but the form's first fields, in groups. */
export function More() {
  const groups = GROUPS.map((group) => ({ ...group, fields: group.fields.filter(isShown) }));
  const all = groups.flatMap((group) => group.fields);
  return (
    <Fold name="more" label={text.more()} names={all}>
      {groups.map(
        ({ name, fields: names }) =>
          names.length > 0 && (
            <Fold
              key={name}
              name={name}
              label={groupLabels[name]()}
              names={names}
              isOpenAtFirst={name === "sampling"}
            >
              {names.map((each) => (
                <FieldControl key={each} name={each} />
              ))}
            </Fold>
          ),
      )}
      <Button icon="undo" onClick={resetAll}>
        {text.resetAll()}
      </Button>
    </Fold>
  );
}

/** Returns everything but the prompts to the default model's defaults. */
function resetAll(): void {
  const { prompt, negative_prompt } = fields.value;
  fields.value = {
    ...(prompt !== undefined && { prompt }),
    ...(negative_prompt !== undefined && { negative_prompt }),
  };
  controlImages.value = [];
}

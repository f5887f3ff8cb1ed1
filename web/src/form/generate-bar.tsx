import { Button } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { NumberField } from "./number-field.tsx";
import { generalErrors } from "./refusal.ts";
import { isSubmitting } from "./submit.ts";

/** The number of images and the button, always in view, with errors that belong to no field. */
export function GenerateBar() {
  return (
    <div class="generate">
      {generalErrors.value.length > 0 && (
        <div class="failure" role="alert">
          {generalErrors.value.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      )}
      <NumberField path="count" hasSlider={false} canReset={false} hasHelp={false} />
      <Button
        type="submit"
        kind="primary"
        icon="create"
        isBusy={isSubmitting.value}
        onClick={(event) => {
          const isDoubleClick = event.detail > 1;
          if (isDoubleClick) event.preventDefault();
        }}
      >
        {isSubmitting.value ? text.submitting() : text.generate()}
      </Button>
    </div>
  );
}

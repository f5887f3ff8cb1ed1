import { useState } from "preact/hooks";
import type { Generation, JobImage } from "../api/types.ts";
import { submitAgain } from "../jobs/actions.ts";
import { adapterNames, models } from "../state/catalog.ts";
import { notify } from "../state/notices.ts";
import { Button } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { upscalingOf } from "./upscale.ts";

interface UpscaleButtonProps {
  readonly request: Generation;
  readonly image: JobImage;
  readonly onSubmitted: () => void;
}

/** Submits a job that makes the image again, larger; says what that does. */
export function UpscaleButton({ request, image, onSubmitted }: UpscaleButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const limits = models.value.find(({ name }) => name === request.model)?.limits;
  const upscaling = limits && upscalingOf(request, image, limits, adapterNames("upscaler"));
  const explain = upscaling?.kind === "hires" ? text.upscaleHires : text.upscalePlain;

  const submit = async (): Promise<void> => {
    if (upscaling === undefined) return;
    setBusy(true);
    const isSubmitted = await submitAgain(upscaling.submission);
    setBusy(false);
    if (!isSubmitted) return;
    notify("info", text.submitted());
    onSubmitted();
  };

  return (
    <div class="upscale">
      <Button icon="plus" disabled={isBusy || upscaling === undefined} onClick={() => void submit()}>
        {text.upscale()}
      </Button>
      <p class="field-help">
        {upscaling === undefined ? text.upscaleImpossible() : explain(upscaling.factor)}
      </p>
    </div>
  );
}

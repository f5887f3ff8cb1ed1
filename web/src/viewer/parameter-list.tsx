import type { Job, JobImage } from "../api/types.ts";
import { fieldLabel } from "../form/labels.ts";
import { models, samplers } from "../state/catalog.ts";
import { text } from "./messages.ts";
import { parametersOf } from "./parameters.ts";

interface ParameterListProps {
  readonly job: Job;
  readonly image: JobImage | undefined;
}

/** The prompts of an image and its other parameters. */
export function ParameterList({ job, image }: ParameterListProps) {
  const { prompt, negative_prompt: negative } = job.request;
  return (
    <section class="parameters" aria-label={text.parameters()}>
      <h3>{fieldLabel("prompt")}</h3>
      <p class="prompt-text">{prompt}</p>
      {negative !== "" && (
        <>
          <h3>{fieldLabel("negative_prompt")}</h3>
          <p class="prompt-text">{negative}</p>
        </>
      )}
      <dl>
        {parametersOf(job, image, { models: models.value, samplers: samplers.value }).map(
          ([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}

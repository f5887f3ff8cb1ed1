import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isTerminal, type Job } from "../api/types.ts";
import { samplers } from "../state/catalog.ts";
import { isReachable } from "../state/connection.ts";
import { jobSignal } from "../state/jobs.ts";
import { notify } from "../state/notices.ts";
import { isSignedIn } from "../state/session.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { FieldError } from "../ui/field-error.tsx";
import type { GridData } from "./grid-data.ts";
import { GridTable } from "./grid-table.tsx";
import { gridSignal, lastPlan, loadGrid } from "./grids.ts";
import { text } from "./messages.ts";
import { saveGrid } from "./save-grid.ts";
import { cancelGrid, runSignal, submitMissing } from "./submit-grid.ts";

/** Where the grid is below the form, as in grid.css. */
const ONE_COLUMN = "(max-width: 56rem)";

/** A grid: its images as they are finished, and what can be done with the whole of it. */
export function ShownGrid({ id }: { readonly id: string }) {
  const error = useSignal<string | undefined>(undefined);
  const isLoaded = useSignal(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a grid is loaded again after signing in and lost connections
  useEffect(() => {
    if (!isReachable.value) return;
    error.value = undefined;
    loadGrid(id).then(
      () => {
        isLoaded.value = true;
      },
      (failure: unknown) => {
        error.value = errorText(failure);
      },
    );
  }, [id, isSignedIn.value, isReachable.value]);

  const section = useRef<HTMLElement>(null);
  const data = gridSignal(id).value;
  const isKnown = data !== undefined;
  useEffect(() => {
    if (isKnown && matchMedia(ONE_COLUMN).matches) section.current?.scrollIntoView();
  }, [isKnown]);
  const isSubmitting = runSignal(id).value.waiting.size > 0;
  if (data === undefined || !(isLoaded.value || isSubmitting || data.cells.size > 0)) {
    return <p class="loading">{error.value ?? (isLoaded.value ? text.notFound() : text.loading())}</p>;
  }
  const jobs = [...data.cells.values()]
    .map((job) => jobSignal(job).value)
    .filter((each) => each !== undefined);
  const request = jobs[0]?.request ?? (lastPlan.value?.id === id ? lastPlan.value.base : undefined);
  return (
    <section class="grid" ref={section}>
      <div class="grid-head">
        <div class="grid-about">
          <h2>{request?.prompt}</h2>
          <p class="field-help">
            {[modelText(data, request?.model), seedText(data, request?.seed), progressText(data, jobs)]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
        <Actions id={id} data={data} jobs={jobs} title={request?.prompt ?? ""} isComplete={isLoaded.value} />
      </div>
      <FieldError error={error.value} />
      <GridTable id={id} data={data} loras={request?.loras} />
    </section>
  );
}

interface ActionsProps {
  readonly id: string;
  readonly data: GridData;
  readonly jobs: readonly Job[];
  readonly title: string;
  /** Whether all jobs of the grid are known. */
  readonly isComplete: boolean;
}

function Actions({ id, data, jobs, title, isComplete }: ActionsProps) {
  const isSaving = useSignal(false);
  const { waiting } = runSignal(id).value;
  const plan = lastPlan.value?.id === id ? lastPlan.value : undefined;
  const isBusy = waiting.size > 0 || jobs.some(({ status }) => !isTerminal(status));
  const hasMissing = isComplete && waiting.size === 0 && data.cells.size < cellCount(data);

  async function save(): Promise<void> {
    isSaving.value = true;
    try {
      await saveGrid(id, data, title, samplers.value);
    } catch (failure) {
      notify("error", errorText(failure));
    } finally {
      isSaving.value = false;
    }
  }

  return (
    <div class="grid-actions">
      {isBusy && <Button onClick={() => void cancelGrid(id)}>{text.cancelAll()}</Button>}
      {hasMissing && plan !== undefined && (
        <Button onClick={() => void submitMissing(plan)}>{text.submitMissing()}</Button>
      )}
      <Button icon="download" disabled={isSaving.value || jobs.length === 0} onClick={() => void save()}>
        {isSaving.value ? text.saving() : text.saveSheet()}
      </Button>
    </div>
  );
}

function cellCount({ x, y }: GridData): number {
  return x.values.length * (y?.values.length ?? 1);
}

function progressText(data: GridData, jobs: readonly Job[]): string {
  return text.finished(jobs.filter(({ status }) => status === "succeeded").length, cellCount(data));
}

/** The model of all cells. */
function modelText({ x, y }: GridData, model: string | null | undefined): string | undefined {
  return model == null || x.path === "model" || y?.path === "model" ? undefined : model;
}

/** The seed of all cells. */
function seedText({ x, y }: GridData, seed: number | null | undefined): string | undefined {
  return seed == null || x.path === "seed" || y?.path === "seed" ? undefined : text.seed(seed);
}

/** Submits the jobs of a grid: a few at once, as fast as the API accepts them. */
import { type Signal, signal } from "@preact/signals";
import type { Submission } from "../api/types.ts";
import { cancelJob } from "../jobs/actions.ts";
import { jobSignal, putJob } from "../state/jobs.ts";
import { addToGrid, gridSignal, keepPlan } from "./grids.ts";
import { type Cell, cellKey, cellRequest, cellsOf, type Plan } from "./plan.ts";
import { submitUntilAnswered } from "./submission.ts";
import { GRID_TAG } from "./tags.ts";

const CONCURRENCY = 2;

/** The submission of a grid's cells. */
export interface Run {
  /** The keys of the cells that are still to be submitted. */
  readonly waiting: ReadonlySet<string>;
  /** The API's refusals, by the keys of their cells. */
  readonly refusals: ReadonlyMap<string, unknown>;
}

const IDLE: Run = { waiting: new Set(), refusals: new Map() };

const runs = new Map<string, Signal<Run>>();
const controllers = new Map<string, AbortController>();

/** How far the submission of a grid is. */
export function runSignal(id: string): Signal<Run> {
  let found = runs.get(id);
  if (found === undefined) {
    found = signal(IDLE);
    runs.set(id, found);
  }
  return found;
}

/** Begins a new grid. */
export function startGrid(plan: Plan): void {
  keepPlan(plan);
  void submitMissing(plan);
}

/** Submits the cells that have no job. */
export async function submitMissing(plan: Plan): Promise<void> {
  const run = runSignal(plan.id);
  if (run.value.waiting.size > 0) return;
  const jobs = gridSignal(plan.id).value?.cells ?? new Map<string, string>();
  const queue = cellsOf(plan.x.values.length, plan.y?.values.length ?? 1).filter(
    (cell) => !jobs.has(cellKey(cell)),
  );
  run.value = { waiting: new Set(queue.map(cellKey)), refusals: new Map() };
  const controller = new AbortController();
  controllers.set(plan.id, controller);
  // One job has the tag that grids are listed by: the first one that is accepted.
  let isListed = jobs.size > 0;
  const work = async (untilListed: boolean): Promise<void> => {
    while (!controller.signal.aborted && !(untilListed && isListed)) {
      const cell = queue.shift();
      if (cell === undefined) return;
      const request = cellRequest(plan, cell);
      const tags = isListed ? request.tags : [...(request.tags ?? []), GRID_TAG];
      if (await submitCell(plan.id, cell, { ...request, tags: tags ?? [] }, controller.signal))
        isListed = true;
    }
  };
  await work(true);
  await Promise.all(Array.from({ length: CONCURRENCY }, () => work(false)));
  run.value = { ...run.value, waiting: new Set() };
}

/** Submits the job of a cell again. */
export async function retryCell(id: string, cell: Cell, request: Submission): Promise<void> {
  const run = runSignal(id);
  const key = cellKey(cell);
  const refusals = new Map(run.value.refusals);
  refusals.delete(key);
  run.value = { waiting: new Set([...run.value.waiting, key]), refusals };
  await submitCell(id, cell, request, new AbortController().signal);
}

/** Submits no more cells, and cancels the unfinished jobs. */
export async function cancelGrid(id: string): Promise<void> {
  controllers.get(id)?.abort();
  const jobs = [...(gridSignal(id).value?.cells.values() ?? [])].filter(
    (job) => jobSignal(job).value?.status === "queued" || jobSignal(job).value?.status === "running",
  );
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await cancelJob(job);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** Submits a cell until the API accepts or refuses it; returns whether it has accepted it. */
async function submitCell(
  id: string,
  cell: Cell,
  request: Submission,
  signal: AbortSignal,
): Promise<boolean> {
  const run = runSignal(id);
  const key = cellKey(cell);
  try {
    const job = await submitUntilAnswered(request, signal);
    putJob(job);
    addToGrid(job);
    return true;
  } catch (error) {
    if (!signal.aborted) {
      run.value = { ...run.value, refusals: new Map([...run.value.refusals, [key, error]]) };
    }
    return false;
  } finally {
    const waiting = new Set(run.value.waiting);
    waiting.delete(key);
    run.value = { ...run.value, waiting };
  }
}

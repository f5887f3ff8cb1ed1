/** The grids that the page knows: their jobs, from the server's list, and the plan of the last one. */
import { type Signal, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import type { Job } from "../api/types.ts";
import { onJobChange, putListed } from "../state/jobs.ts";
import { readStored, storeText } from "../state/stored.ts";
import { dataOfPlan, type GridData, withJob } from "./grid-data.ts";
import type { Plan } from "./plan.ts";
import { GRID_TAG, gridTag, parseTags } from "./tags.ts";

const PLAN_KEY = "grid";
const JOBS_A_PAGE = 100;
/** Pages of the server's list that are read for one grid. */
const MAX_PAGES = 10;
const MAX_RECENT = 20;

const known = new Map<string, Signal<GridData | undefined>>();

/** The plan of the grid that this browser has generated last; it has the requests of cells without jobs. */
export const lastPlan = signal(readPlan());

/** The newest jobs of recent grids, one each. */
export const recentGrids = signal<readonly Job[]>([]);

/** A grid; undefined before it is known. */
export function gridSignal(id: string): Signal<GridData | undefined> {
  let found = known.get(id);
  if (found === undefined) {
    const plan = lastPlan.peek();
    found = signal(plan?.id === id ? dataOfPlan(plan) : undefined);
    known.set(id, found);
  }
  return found;
}

/** Keeps the plan of a new grid, and shows its empty cells. */
export function keepPlan(plan: Plan): void {
  lastPlan.value = plan;
  gridSignal(plan.id).value = dataOfPlan(plan);
  // Without room for the plan, cells that are not submitted are lost with the page; the jobs are not.
  storeText(PLAN_KEY, JSON.stringify(plan));
}

/** Puts a job in the place that its tags name. */
export function addToGrid(job: Job): void {
  const place = parseTags(job.tags);
  if (place === undefined) return;
  const grid = gridSignal(place.id);
  grid.value = withJob(grid.peek(), job);
}

/** Reads a grid's jobs from the server. Throws what `call` throws. */
export async function loadGrid(id: string): Promise<void> {
  const asOf = Date.now();
  for (const job of await list(gridTag(id), Number.POSITIVE_INFINITY)) {
    putListed(job, asOf);
    addToGrid(job);
  }
}

/** Reads the list of recent grids. Throws what `call` throws. */
export async function loadRecent(): Promise<void> {
  recentGrids.value = await list(GRID_TAG, MAX_RECENT);
}

/** Removes the cells of deleted jobs from now on. */
export function followDeletions(): () => void {
  return onJobChange((id, after, before) => {
    const place = after === undefined && before !== undefined ? parseTags(before.tags) : undefined;
    const grid = place && gridSignal(place.id);
    if (grid?.value === undefined) return;
    const cells = [...grid.value.cells].filter(([, job]) => job !== id);
    grid.value = { ...grid.value, cells: new Map(cells) };
  });
}

async function list(tag: string, enough: number): Promise<readonly Job[]> {
  const found: Job[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES && found.length < enough; page += 1) {
    const query = { tag, limit: JOBS_A_PAGE, ...(cursor !== undefined && { cursor }) };
    const { data } = await call("listJobs", { query });
    found.push(...data.data);
    cursor = data.next_cursor ?? undefined;
    if (cursor === undefined) break;
  }
  return found;
}

function readPlan(): Plan | undefined {
  const plan = readStored(PLAN_KEY);
  return typeof plan === "object" && plan !== null && "id" in plan ? (plan as Plan) : undefined;
}

/** The jobs that the page knows, by id; unfinished ones are followed until they have ended. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { ApiError } from "../api/errors.ts";
import { isTerminal, type Job } from "../api/types.ts";
import { mergeListed } from "../jobs/merge.ts";
import { follow } from "./follow.ts";

/** Requests for fresh links that run at once. */
const MAX_REFRESHES = 4;
/** Lists may be this much older than the jobs themselves. */
const LIST_LAG_MS = 2000;

/** Called after each change of a job, with its states; `after` is undefined once the job is deleted. */
export type JobListener = (id: string, after: Job | undefined, before: Job | undefined) => void;

const known = new Map<string, Signal<Job | undefined>>();
const listeners = new Set<JobListener>();
/** When tags of jobs were last changed here. */
const tagged = new Map<string, number>();
const refreshes = new Map<string, Promise<Job>>();
const unfinished = signal<readonly string[]>([]);

/** The ids of the unfinished jobs, the oldest first. */
export const unfinishedJobs: ReadonlySignal<readonly string[]> = unfinished;

/** The newest state of a job; undefined once it is deleted, and before it is known. */
export function jobSignal(id: string): Signal<Job | undefined> {
  let found = known.get(id);
  if (found === undefined) {
    found = signal<Job | undefined>(undefined);
    known.set(id, found);
  }
  return found;
}

/** Calls the listener at each change of a job; returns a function that stops that. */
export function onJobChange(listener: JobListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Stores a job's state, and follows the job if it is unfinished. */
export function putJob(job: Job): void {
  store(job.id, job);
  if (isTerminal(job.status)) return;
  let tag: string | undefined;
  void follow(job.id, {
    isUnfinished: () => unfinished.peek().includes(job.id),
    onGone: () => forgetJob(job.id),
    poll: async () => {
      const { etag, retryAfter } = await poll(job.id, tag);
      tag = etag;
      return retryAfter;
    },
  });
}

/**
 * Stores a job from a list, which lacks the details of unfinished ones.
 *
 * @param asOf When the list was asked for, in milliseconds.
 */
export function putListed(job: Job, asOf: number): void {
  putJob(withNewestTags(mergeListed(known.get(job.id)?.peek(), job, Date.now()), asOf - LIST_LAG_MS));
}

/** Shows other tags of a job at once; answers to earlier requests do not take them back. */
export function putTags(id: string, tags: readonly string[]): void {
  const job = jobSignal(id);
  const before = job.peek();
  tagged.set(id, Date.now());
  if (before !== undefined) job.value = { ...before, tags };
}

/** Forgets a job that is deleted. */
export function forgetJob(id: string): void {
  store(id, undefined);
  known.delete(id);
}

/** Drops a job's state to save memory; it is loaded again when it is needed. Unfinished jobs are kept. */
export function releaseJob(id: string): void {
  const job = known.get(id);
  if (job !== undefined && !unfinished.peek().includes(id)) job.value = undefined;
}

/** Gets a job again, for fresh links; callers at the same time share one request. Throws what `call` throws. */
export function refreshJob(id: string): Promise<Job> {
  let running = refreshes.get(id);
  if (running === undefined) {
    running = refresh(id).finally(() => refreshes.delete(id));
    refreshes.set(id, running);
  }
  return running;
}

async function refresh(id: string): Promise<Job> {
  const others = [...refreshes.values()];
  if (others.length >= MAX_REFRESHES) await Promise.allSettled(others.slice(0, 1 - MAX_REFRESHES));
  const asOf = Date.now();
  try {
    const { data } = await call("getJob", { path: { job_id: id } });
    if (data === undefined) throw new Error("an unconditional request was answered without a body");
    putJob(withNewestTags(data, asOf));
    return data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) forgetJob(id);
    throw error;
  }
}

function withNewestTags(job: Job, asOf: number): Job {
  const tags = (tagged.get(job.id) ?? 0) > asOf ? known.get(job.id)?.peek()?.tags : undefined;
  return tags === undefined ? job : { ...job, tags };
}

/** Gets the job's state, unless it is still the one with the entity tag. */
async function poll(
  id: string,
  tag: string | undefined,
): Promise<{ etag: string | undefined; retryAfter: number | undefined }> {
  const header = tag === undefined ? {} : { "If-None-Match": tag };
  const asOf = Date.now();
  const { data, headers } = await call("getJob", { path: { job_id: id }, header });
  if (data !== undefined && unfinished.peek().includes(id)) store(id, withNewestTags(data, asOf));
  const seconds = headers.get("Retry-After");
  return {
    etag: headers.get("ETag") ?? undefined,
    retryAfter: seconds === null ? undefined : Number(seconds),
  };
}

function store(id: string, job: Job | undefined): void {
  const found = jobSignal(id);
  const before = found.peek();
  found.value = job;
  const others = unfinished.peek().filter((each) => each !== id);
  if (job !== undefined && !isTerminal(job.status)) {
    if (others.length === unfinished.peek().length) unfinished.value = [...others, id].sort(byId);
  } else if (others.length < unfinished.peek().length) {
    unfinished.value = others;
  }
  for (const listener of listeners) listener(id, job, before);
}

/** Ids sort by the time at which jobs were submitted. */
function byId(one: string, other: string): number {
  return one < other ? -1 : 1;
}

/** The jobs that the page knows, by id; unfinished ones are followed until they have ended. */
import { type Signal, signal } from "@preact/signals";
import { call, pause } from "../api/client.ts";
import { ApiError, ConnectionError } from "../api/errors.ts";
import { isTerminal, type Job } from "../api/types.ts";
import { isSignedIn } from "./session.ts";

const RECONNECT_MS = 3000;
const DEFAULT_INTERVAL_S = 2;

const known = new Map<string, Signal<Job | undefined>>();
const followed = new Set<string>();

/** The newest state of a job; undefined once it is deleted, and before it is known. */
export function jobSignal(id: string): Signal<Job | undefined> {
  let found = known.get(id);
  if (found === undefined) {
    found = signal<Job | undefined>(undefined);
    known.set(id, found);
  }
  return found;
}

/** Stores a job's state, and follows the job if it is unfinished. */
export function putJob(job: Job): void {
  jobSignal(job.id).value = job;
  if (!isTerminal(job.status)) void follow(job.id);
}

/** Removes a job that was deleted. */
export function forgetJob(id: string): void {
  jobSignal(id).value = undefined;
  known.delete(id);
}

/** Gets a job again, for fresh links. Throws what `call` throws. */
export async function refreshJob(id: string): Promise<Job> {
  const { data } = await call("getJob", { path: { job_id: id } });
  if (data === undefined) throw new Error("an unconditional request was answered without a body");
  putJob(data);
  return data;
}

/** Follows a job until it has ended; goes on after lost connections and ended sessions. */
async function follow(id: string): Promise<void> {
  if (followed.has(id)) return;
  followed.add(id);
  try {
    let tag: string | undefined;
    while (isUnfinished(id)) {
      try {
        const headers = await poll(id, tag);
        tag = headers.get("ETag") ?? undefined;
        await pause(Number(headers.get("Retry-After") ?? DEFAULT_INTERVAL_S) * 1000);
      } catch (error) {
        await recover(id, error);
      }
    }
  } finally {
    followed.delete(id);
  }
}

function isUnfinished(id: string): boolean {
  const job = known.get(id)?.value;
  return job !== undefined && !isTerminal(job.status);
}

/** Gets the job's state, unless it is still the one with the entity tag. */
async function poll(id: string, tag: string | undefined): Promise<Headers> {
  const header = tag === undefined ? {} : { "If-None-Match": tag };
  const { data, headers } = await call("getJob", { path: { job_id: id }, header });
  if (data !== undefined) jobSignal(id).value = data;
  return headers;
}

/** Waits until the request may succeed; a job that is gone is forgotten. */
async function recover(id: string, error: unknown): Promise<void> {
  if (error instanceof ApiError && error.status === 404) {
    forgetJob(id);
  } else if (error instanceof ApiError || error instanceof ConnectionError) {
    await signedIn();
    await pause(RECONNECT_MS);
  } else {
    throw error;
  }
}

function signedIn(): Promise<void> {
  return new Promise((resolve) => {
    const stop = isSignedIn.subscribe((value) => {
      if (!value) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

/** A list of the server's jobs with certain properties, read page by page as it is scrolled. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { isTerminal, type Job } from "../api/types.ts";
import { needsLinks } from "../jobs/merge.ts";
import { jobSignal, onJobChange, putListed, releaseJob } from "../state/jobs.ts";
import { type Place, placeBefore, withPlace } from "./cursors.ts";
import { type Entry, entryOf, mergePage, withEntry } from "./entries.ts";
import type { Filters } from "./filters.ts";
import { Tiles } from "./tiles.ts";

const PAGE = 50;
/** Pages without a matching job that are read in a row before the visitor is asked. */
const MAX_EMPTY_PAGES = 5;
/** Pages that are read in a row for jobs that were dropped from memory. */
const MAX_RELOADS = 3;
/** Jobs beside the visible ones that stay in memory. */
const KEPT_AROUND = 150;

export type ListState = "loading" | "ready" | "paused" | "complete" | "failed";

export class JobList {
  readonly filters: Filters;
  readonly entries: ReadonlySignal<readonly Entry[]>;
  readonly tiles: ReadonlySignal<Tiles>;
  /** `paused`: many pages had no matching job, and there are more. */
  readonly state: ReadonlySignal<ListState>;
  /** Why the state is `failed`. */
  readonly error: ReadonlySignal<unknown>;

  readonly #entries = signal<readonly Entry[]>([]);
  readonly #state = signal<ListState>("ready");
  readonly #error = signal<unknown>(undefined);
  #places: readonly Place[] = [];
  /** Where the list is read on; undefined before its beginning was read, null at its end. */
  #next: string | null | undefined;
  #last: string | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(filters: Filters) {
    this.filters = filters;
    this.entries = this.#entries;
    this.tiles = computed(() => new Tiles(this.#entries.value));
    this.state = this.#state;
    this.error = this.#error;
  }

  /** Keeps the list's entries as jobs change, until the returned function is called. */
  follow(): () => void {
    this.#entries.value = this.#entries.peek().map((entry) => {
      const job = jobSignal(entry.id).peek();
      return job === undefined ? entry : entryOf(job);
    });
    return onJobChange((id, after, before) => {
      if (after !== undefined) this.#entries.value = withEntry(this.#entries.value, entryOf(after));
      else if (before !== undefined) this.#remove(id);
    });
  }

  /** Puts a new job at the beginning. */
  add(job: Job): void {
    this.#entries.value = mergePage(
      this.#entries.value,
      [entryOf(job)],
      { from: job.id, to: job.id },
      () => true,
    );
  }

  /** Reads the beginning of the list again, for jobs that came or went elsewhere. */
  refresh(): Promise<void> {
    return this.#one(async () => {
      if (this.#next === undefined) return await this.#readOn();
      const { data, next_cursor: next } = await this.#read(undefined);
      const overlaps = data.some(({ id }) => this.#entries.value.some((entry) => entry.id === id));
      if (next !== null && data.length > 0 && !overlaps) this.#restart();
      this.#merge(undefined, data, next);
      if (this.#next === undefined || next === null) {
        this.#next = next;
        this.#last = data.at(-1)?.id;
      }
    });
  }

  /** Reads on, if there is more. */
  more(): Promise<void> {
    return this.#next === null ? Promise.resolve() : this.#one(() => this.#readOn());
  }

  /** Loads those of the listed jobs again that were dropped from memory, or whose links are about to end. */
  reload(ids: readonly string[]): Promise<void> {
    if (!ids.some(needsLoading)) return Promise.resolve();
    return this.#one(async () => {
      const missing = new Set(ids.filter(needsLoading));
      for (let pages = 0; pages < MAX_RELOADS; pages += 1) {
        const [first] = missing;
        if (first === undefined) return;
        const from = placeBefore(this.#places, first);
        const { data, next_cursor: next } = await this.#read(from?.cursor);
        this.#merge(from?.after, data, next);
        for (const { id } of data) missing.delete(id);
        missing.delete(first);
      }
    });
  }

  /** Drops the jobs that are far from a part of the list, except for one. */
  release(first: number, last: number, kept: string | undefined): void {
    const entries = this.#entries.peek();
    for (const [index, { id }] of entries.entries()) {
      const isFar = index < first - KEPT_AROUND || index > last + KEPT_AROUND;
      if (isFar && id !== kept) releaseJob(id);
    }
  }

  /** Runs one piece of work at a time; failures are shown by the list's state. */
  #one(work: () => Promise<void>): Promise<void> {
    const run = async (): Promise<void> => {
      const before = this.#state.peek();
      this.#state.value = "loading";
      this.#error.value = undefined;
      try {
        await work();
        const idle = this.#next === null ? "complete" : before === "paused" ? "paused" : "ready";
        if (this.#state.peek() === "loading") this.#state.value = idle;
      } catch (error) {
        this.#state.value = "failed";
        this.#error.value = error;
      }
    };
    this.#work = this.#work.then(run);
    return this.#work;
  }

  async #readOn(): Promise<void> {
    for (let pages = 0; pages < MAX_EMPTY_PAGES; pages += 1) {
      const { data, next_cursor: next } = await this.#read(this.#next ?? undefined);
      this.#merge(this.#last, data, next);
      this.#last = data.at(-1)?.id ?? this.#last;
      this.#next = next;
      if (next === null || data.length > 0) {
        this.#state.value = next === null ? "complete" : "ready";
        return;
      }
    }
    this.#state.value = "paused";
  }

  async #read(cursor: string | undefined) {
    const asOf = Date.now();
    const query = { ...this.filters, limit: PAGE, ...(cursor !== undefined && { cursor }) };
    const { data: page } = await call("listJobs", { query });
    batch(() => {
      for (const job of page.data) putListed(job, asOf);
    });
    return page;
  }

  #merge(from: string | undefined, jobs: readonly Job[], next: string | null): void {
    const page = jobs.map((job) => entryOf(jobSignal(job.id).peek() ?? job));
    const last = jobs.at(-1)?.id;
    if (last !== undefined || next === null) {
      const span = { from, to: next === null ? undefined : last };
      this.#entries.value = mergePage(this.#entries.value, page, span, isUnfinished);
    }
    if (next !== null && last !== undefined)
      this.#places = withPlace(this.#places, { after: last, cursor: next });
  }

  #restart(): void {
    this.#entries.value = this.#entries.value.filter(({ id }) => isUnfinished(id));
    this.#places = [];
    this.#next = undefined;
    this.#last = undefined;
  }

  #remove(id: string): void {
    this.#entries.value = this.#entries.value.filter((entry) => entry.id !== id);
  }
}

function isUnfinished(id: string): boolean {
  const job = jobSignal(id).peek();
  return job !== undefined && !isTerminal(job.status);
}

function needsLoading(id: string): boolean {
  return needsLinks(jobSignal(id).peek(), Date.now());
}

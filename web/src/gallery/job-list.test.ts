import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Job } from "../api/types.ts";
import { imageFor, jobWith } from "../jobs/job-fixture.ts";
import { forgetJob, jobSignal, releaseJob } from "../state/jobs.ts";
import { JobList } from "./job-list.ts";

const PAGE = 50;
/** Requests in a row that the visitor does not have to ask for. */
const EMPTY_PAGES = 5;

interface Answer {
  readonly data: readonly Job[];
  readonly next_cursor: string | null;
}

let answer: (cursor: number) => Answer | Response = () => ({ data: [], next_cursor: null });
let cursors: (number | undefined)[] = [];

Object.assign(globalThis, {
  location: { origin: "https://page.example" },
  sessionStorage: { getItem: () => null },
  fetch: async ({ url }: Request): Promise<Response> => {
    const cursor = new URL(url).searchParams.get("cursor");
    cursors.push(cursor === null ? undefined : Number(cursor));
    const found = answer(Number(cursor ?? 0));
    return Promise.resolve(found instanceof Response ? found : Response.json(found));
  },
});

function ended(number: number): Job {
  const id = String(20_000 - number);
  return jobWith({ id, status: "succeeded", phase: null, images: [imageFor(number)] });
}

/** Answers with parts of a list; a cursor is the number of jobs before it. */
function serve(jobs: readonly Job[]): void {
  answer = (start) => ({
    data: jobs.slice(start, start + PAGE),
    next_cursor: start + PAGE < jobs.length ? String(start + PAGE) : null,
  });
}

function numbered(count: number): Job[] {
  return Array.from({ length: count }, (_, number) => ended(number));
}

function ids(list: JobList): readonly string[] {
  return list.entries.value.map(({ id }) => id);
}

beforeEach(() => {
  cursors = [];
  for (const { id } of numbered(200)) forgetJob(id);
});

test("the list is read page by page to its end", async () => {
  const jobs = numbered(120);
  serve(jobs);
  const list = new JobList({});
  await list.refresh();
  assert.equal(list.state.value, "ready");
  await list.more();
  await list.more();
  await list.more();
  assert.equal(list.state.value, "complete");
  assert.deepEqual(cursors, [undefined, 50, 100]);
  assert.deepEqual(
    ids(list),
    jobs.map(({ id }) => id),
  );
});

test("jobs that came and went elsewhere come and go", async () => {
  const jobs = numbered(120);
  serve(jobs.slice(1));
  const list = new JobList({});
  await list.refresh();
  await list.more();
  serve(jobs.filter((_, number) => number !== 3));
  await list.refresh();
  assert.equal(ids(list)[0], jobs[0]?.id);
  assert.ok(!ids(list).includes(jobs[3]?.id ?? ""));
  assert.equal(new Set(ids(list)).size, 100);
});

test("after a long absence the list begins again", async () => {
  const jobs = numbered(200);
  serve(jobs.slice(120));
  const list = new JobList({});
  await list.refresh();
  serve(jobs);
  await list.refresh();
  assert.deepEqual(
    ids(list),
    jobs.slice(0, PAGE).map(({ id }) => id),
  );
  await list.more();
  assert.equal(ids(list).length, 2 * PAGE);
});

test("a search stops after some pages without a match, and goes on when it is asked to", async () => {
  const match = ended(1);
  answer = (page) =>
    page === 7 ? { data: [match], next_cursor: null } : { data: [], next_cursor: String(page + 1) };
  const list = new JobList({ tag: "rare" });
  await list.refresh();
  assert.equal(list.state.value, "paused");
  assert.equal(cursors.length, EMPTY_PAGES);
  await list.more();
  assert.deepEqual(ids(list), [match.id]);
  assert.equal(list.state.value, "complete");
});

test("jobs that were dropped from memory are read again from where they are", async () => {
  const jobs = numbered(150);
  serve(jobs);
  const list = new JobList({});
  await list.refresh();
  await list.more();
  await list.more();
  const dropped = jobs[70]?.id ?? "";
  releaseJob(dropped);
  cursors = [];
  await list.reload([dropped, jobs[71]?.id ?? ""]);
  assert.deepEqual(cursors, [50]);
  assert.equal(jobSignal(dropped).value?.id, dropped);
  await list.reload([dropped]);
  assert.deepEqual(cursors, [50]);
});

test("jobs far from the screen are dropped, and the open one is kept", async () => {
  const jobs = numbered(200);
  serve(jobs);
  const list = new JobList({});
  await list.refresh();
  for (let page = 0; page < 3; page += 1) await list.more();
  list.release(0, 20, jobs[180]?.id);
  assert.ok(jobSignal(jobs[100]?.id ?? "").value);
  assert.ok(jobSignal(jobs[180]?.id ?? "").value);
  assert.equal(jobSignal(jobs[190]?.id ?? "").value, undefined);
  assert.equal(list.tiles.value.count, 200);
});

test("a failure is shown, and the list goes on after it", async () => {
  answer = () => new Response("{}", { status: 500 });
  const list = new JobList({});
  await list.refresh();
  assert.equal(list.state.value, "failed");
  serve(numbered(3));
  await list.refresh();
  assert.equal(list.state.value, "complete");
  assert.equal(ids(list).length, 3);
});

test("a job that ends and one that is deleted change the followed list", async () => {
  serve(numbered(3));
  const list = new JobList({});
  await list.refresh();
  const stop = list.follow();
  forgetJob(ended(1).id);
  assert.deepEqual(ids(list), [ended(0).id, ended(2).id]);
  stop();
});

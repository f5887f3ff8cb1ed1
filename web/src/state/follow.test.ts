import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ApiError, ConnectionError } from "../api/errors.ts";
import { follow } from "./follow.ts";

const LONG_S = 3600;

const page = new EventTarget();
Object.assign(globalThis, {
  document: Object.assign(new EventTarget(), { hidden: false }),
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
});

/** A job that ends with its last answer; numbers are the seconds that the API asks to wait. */
function jobOf(...answers: readonly (number | Error)[]) {
  const job = {
    polls: 0,
    inFlight: 0,
    mostInFlight: 0,
    isGone: false,
    onPoll: (): void => undefined,
    isUnfinished: () => job.polls < answers.length && !job.isGone,
    onGone: () => {
      job.isGone = true;
    },
    poll: async () => {
      job.inFlight += 1;
      job.mostInFlight = Math.max(job.mostInFlight, job.inFlight);
      await Promise.resolve();
      job.inFlight -= 1;
      const answer = answers[job.polls];
      job.polls += 1;
      setImmediate(job.onPoll);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return job;
}

function wake(): void {
  page.dispatchEvent(new Event("online"));
}

/** Lets time pass, and everything that waits for it happen. */
async function pass(context: TestContext, milliseconds: number): Promise<void> {
  context.mock.timers.tick(milliseconds);
  for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("a job is asked for again when the API's time has come", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const job = jobOf(LONG_S, LONG_S);
  const followed = follow("waits", job);
  await pass(context, 1000);
  assert.equal(job.polls, 1);
  await pass(context, 1000 * (LONG_S - 2));
  assert.equal(job.polls, 1);
  await pass(context, 3000);
  await pass(context, 1000);
  assert.equal(job.polls, 2);
  await followed;
});

test("a page that wakes does not wait", async () => {
  const job = jobOf(LONG_S, LONG_S, LONG_S);
  job.onPoll = wake;
  await follow("wakes", job);
  assert.equal(job.polls, 3);
});

test("a job that is followed twice has one request in flight", async () => {
  const job = jobOf(LONG_S, LONG_S);
  job.onPoll = wake;
  await Promise.all([follow("twice", job), follow("twice", job)]);
  assert.equal(job.polls, 2);
  assert.equal(job.mostInFlight, 1);
});

test("a lost connection and an unavailable service end nothing", async () => {
  const unavailable = new ApiError(503, { detail: "The service restarts." });
  const job = jobOf(new ConnectionError(), unavailable, LONG_S);
  job.onPoll = wake;
  await follow("lost", job);
  assert.equal(job.polls, 3);
});

test("a job that is deleted elsewhere is not asked for again", async () => {
  const job = jobOf(new ApiError(404, { detail: "There is no such job." }), LONG_S);
  await follow("gone", job);
  assert.equal(job.polls, 1);
  assert.equal(job.isGone, true);
});

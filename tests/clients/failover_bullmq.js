// BullMQ while leaders die: `failover_bullmq.js HOST PORT`. See rounds.js for how it is led.
//
// BullMQ promises "at least once": a worker whose connection breaks can lose its lock on a job,
// and the job is run again. So what a job does may be done more than once, but a job is *completed*
// once: its change from active to completed is one script. What is checked, by BullMQ's own stream
// of events: every job that was added is completed, exactly once, and none has failed. Jobs have
// names, so that adding one again when the first answer was lost adds nothing.

import assert from "node:assert/strict";

import { Queue, Worker } from "bullmq";

import { connect as connectTo, Progress, rounds } from "./rounds.js";
import { until, untilItWorks } from "./until_told.js";

const JOBS_PER_ROUND = 200;
const NAME = "work";
const prefix = "{failover:bullmq}";
// No event may be trimmed away before it is counted.
const streams = { events: { maxLen: 1_000_000 } };

const connections = [];
function connect() {
  // Workers wait for as long as it takes; so BullMQ asks for no limit on retries.
  const connection = connectTo({ maxRetriesPerRequest: null });
  connections.push(connection);
  return connection;
}

const client = connect();
const queue = new Queue(NAME, { connection: connect(), prefix, streams });
queue.on("error", (error) => console.error(`${error}`));

const done = new Progress();
const failedOnce = new Set();
async function run(job) {
  // Every tenth job fails at first.
  if (job.data.number % 10 === 0 && !failedOnce.has(job.id)) {
    failedOnce.add(job.id);
    throw new Error("the first attempt fails");
  }
  done.add();
  return job.data.number;
}

const workers = [0, 1].map(() => {
  const worker = new Worker(NAME, run, {
    connection: connect(),
    prefix,
    concurrency: 10,
    // A job whose worker got no answer becomes another's soon, and as often as leaders die.
    lockDuration: 3_000,
    stalledInterval: 1_000,
    maxStalledCount: 1_000,
  });
  worker.on("error", (error) => console.error(`${error}`));
  return worker;
});

let jobs = 0;
function add() {
  const number = jobs;
  jobs += 1;
  const opts = {
    jobId: `job-${number}`,
    delay: number % 4 === 0 ? 100 : 0,
    attempts: 1_000,
    backoff: { type: "fixed", delay: 20 },
  };
  return untilItWorks(() => queue.add("job", { number }, opts));
}

const adding = [];
await rounds(async () => {
  const some = done.more(20);
  for (let job = 0; job < JOBS_PER_ROUND; job += 1) adding.push(add());
  await some;
});
await Promise.all(adding);
await until("all jobs are completed", async () => {
  return (await untilItWorks(() => queue.getCompletedCount())) === jobs;
});

const states = ["waiting", "active", "delayed", "prioritized", "failed"];
const counts = await queue.getJobCounts(...states);
assert.deepEqual(Object.values(counts), [0, 0, 0, 0, 0], JSON.stringify(counts));
const events = await client.xrange(`${prefix}:${NAME}:events`, "-", "+");
const field = (fields, name) => fields[fields.indexOf(name) + 1];
const completed = events
  .filter(([, fields]) => field(fields, "event") === "completed")
  .map(([, fields]) => field(fields, "jobId"));
const expected = Array.from({ length: jobs }, (_, number) => `job-${number}`);
assert.deepEqual(completed.toSorted(), expected.toSorted());
for (const job of await queue.getCompleted(0, -1)) {
  assert.equal(job.returnvalue, job.data.number);
}

await Promise.all([queue, ...workers].map((part) => part.close()));
connections.forEach((connection) => connection.disconnect());
console.log(`${jobs} jobs completed, each once; ${done.count} runs`);

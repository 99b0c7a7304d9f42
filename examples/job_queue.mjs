// Job queue with BullMQ: delays, priorities, retries with a growing pause, and two workers.
//
// BullMQ keeps a queue in many keys and changes them by scripts; on a cluster, a prefix in braces
// puts them all on one shard. What it promises is "at least once": a worker that loses touch with
// its job may do it again.
//
// Run: make run   (in another terminal)
//      node examples/job_queue.mjs [host:port]

import assert from "node:assert/strict";

import { Queue, Worker } from "bullmq";

import { connectIoredis, until } from "./connect.mjs";

const JOBS = 60;
const NAME = "mails";
const prefix = "{example:bullmq}";

// Workers wait for as long as it takes; so BullMQ asks for no limit on retries.
const connect = () => connectIoredis({ maxRetriesPerRequest: null });
const connections = [connect(), connect(), connect()];
const queue = new Queue(NAME, { connection: connections[0], prefix });
await queue.obliterate({ force: true });

// Every tenth job fails twice before it works.
const tried = new Map();
async function send(job) {
  const attempt = (tried.get(job.data.number) ?? 0) + 1;
  tried.set(job.data.number, attempt);
  if (job.data.number % 10 === 0 && attempt <= 2) throw new Error("the mail server is busy");
  return `mail ${job.data.number} sent`;
}

const workers = [1, 2].map((at) => {
  const worker = new Worker(NAME, send, { connection: connections[at], prefix, concurrency: 5 });
  worker.on("error", (error) => console.error(`${error}`));
  return worker;
});

await queue.addBulk(
  Array.from({ length: JOBS }, (_, number) => ({
    name: "mail",
    data: { number },
    opts: {
      delay: number % 3 === 0 ? 50 : 0,
      priority: number % 3 === 1 ? 1 : undefined,
      attempts: 3,
      backoff: { type: "exponential", delay: 10 },
    },
  })),
);

await until("all jobs are completed", async () => (await queue.getCompletedCount()) === JOBS);
const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized", "failed");
assert.deepEqual(Object.values(counts), [0, 0, 0, 0, 0], JSON.stringify(counts));
for (const job of await queue.getCompleted()) {
  const attempts = job.data.number % 10 === 0 ? 3 : 1;
  assert.equal(job.attemptsMade, attempts, `${job.data.number}`);
  assert.equal(tried.get(job.data.number), attempts, `${job.data.number}`);
  assert.equal(job.returnvalue, `mail ${job.data.number} sent`);
}

await Promise.all(workers.map((worker) => worker.close()));
await queue.close();
connections.forEach((connection) => connection.disconnect());
console.log(`job queue: ${JOBS} jobs completed by two workers, ${JOBS / 10} of them at the third try`);

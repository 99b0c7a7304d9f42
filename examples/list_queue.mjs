// Job queue on lists: nothing but BLMOVE, and no job is lost with the worker that had it.
//
// A worker moves a job from the queue into a list of its own, and removes it there when it is done.
// It shows that it lives by a key that expires; the jobs of a worker that does not are put back.
// So each job is done at least once, and what a job does must bear being done twice.
//
// Run: make run   (in another terminal)
//      node examples/list_queue.mjs [host:port]

import assert from "node:assert/strict";

import { connectIoredis, until } from "./connect.mjs";

const JOBS = 200;
const ALIVE_MS = 60_000;
// The braces keep all lists of the queue on one shard.
const QUEUE = "example:queue:{mail}";
const WORKERS = `${QUEUE}:workers`;
const DONE = `${QUEUE}:done`;
const STOP = "stop";
const own = (worker) => `${QUEUE}:of:${worker}`;
const alive = (worker) => `${QUEUE}:alive:${worker}`;

const client = connectIoredis();

async function showLife(worker) {
  await client.sadd(WORKERS, worker);
  await client.set(alive(worker), "1", "PX", ALIVE_MS);
}

// `crashAfter` jobs, the worker is gone without a word, with one job in its hands.
async function work(worker, crashAfter = Infinity) {
  // A blocking command needs a connection of its own.
  const connection = connectIoredis();
  for (let taken = 1; ; taken += 1) {
    await showLife(worker);
    const job = await connection.blmove(QUEUE, own(worker), "LEFT", "RIGHT", 2);
    if (job !== null) {
      if (taken > crashAfter) break;
      if (job !== STOP) await client.sadd(DONE, job);
      await client.lrem(own(worker), 1, job);
      if (job === STOP) break;
    }
  }
  connection.disconnect();
}

// Puts back what workers held that show no life any more.
async function rescue() {
  let rescued = 0;
  for (const worker of await client.smembers(WORKERS)) {
    if (await client.exists(alive(worker))) continue;
    while ((await client.lmove(own(worker), QUEUE, "RIGHT", "LEFT")) !== null) rescued += 1;
    await client.srem(WORKERS, worker);
  }
  return rescued;
}

const workers = ["w1", "w2", "w3"];
await client.del(QUEUE, WORKERS, DONE, ...workers.flatMap((it) => [own(it), alive(it)]));

// This one waits before there is anything to do, and is gone after five jobs.
const gone = work("w1", 5);
for (let job = 0; job < JOBS; job += 1) {
  await client.rpush(QUEUE, `mail ${job}`);
}
await gone;
assert.equal(await client.llen(own("w1")), 1);
assert.equal(await rescue(), 0, "it may only be slow");
// As if its time had passed.
await client.del(alive("w1"));
assert.equal(await rescue(), 1);

const others = [work("w2"), work("w3")];
await until("all is done", async () => (await client.scard(DONE)) === JOBS);
await client.rpush(QUEUE, STOP, STOP);
await Promise.all(others);
for (const list of [QUEUE, ...workers.map(own)]) assert.equal(await client.llen(list), 0);

await client.quit();
console.log(`list queue: ${JOBS} jobs done, one of them rescued from a worker that was gone`);

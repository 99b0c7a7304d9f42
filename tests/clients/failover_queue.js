// A queue with hidden messages, as RSMQ and Amazon's SQS have it, while leaders die:
// `failover_queue.js HOST PORT`. See rounds.js for how it is led.
//
// A sorted set holds when each message may be seen, a hash what it says and how often it was
// received. Receiving hides a message for a while, deleting ends it; what is not deleted comes back.
// So a message may be worked on more than once, but it is never lost; and nobody may receive it
// while it is hidden from others: that would mean that an acknowledged receipt was forgotten.

import assert from "node:assert/strict";

import { connect, Progress, rounds } from "./rounds.js";
import { until, untilItWorks } from "./until_told.js";

const PRODUCERS = 4;
const CONSUMERS = 4;
const HIDDEN_MS = 400;
const SEEN_AT = "{failover:queue}:messages";
const QUEUE = "{failover:queue}:Q";
const DONE = "{failover:queue}:done";

const scripts = {
  // The same message again, because the first answer was lost, changes nothing.
  sendMessage: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 1 then
      redis.call('ZADD', KEYS[1], now, ARGV[1])
      redis.call('HINCRBY', KEYS[2], 'totalsent', 1)
    end
  `,
  receiveMessage: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)
    local id = due[1]
    if not id then return {} end
    redis.call('ZADD', KEYS[1], now + ARGV[1], id)
    redis.call('HINCRBY', KEYS[2], 'totalrecv', 1)
    redis.call('HINCRBY', KEYS[2], id .. ':rc', 1)
    return {id, redis.call('HGET', KEYS[2], id), now}
  `,
  // What the message says stays, so that it cannot be sent once more.
  deleteMessage: `
    redis.call('HDEL', KEYS[2], ARGV[1] .. ':rc')
    return redis.call('ZREM', KEYS[1], ARGV[1])
  `,
};

function connectWithScripts() {
  const client = connect();
  for (const [name, lua] of Object.entries(scripts)) {
    client.defineCommand(name, { numberOfKeys: 2, lua });
  }
  return client;
}

let enough = false;
let finished = false;
let sent = 0;
let received = 0;
const done = new Progress();
const receipts = new Map();

async function producer() {
  const client = connectWithScripts();
  while (!enough) {
    const number = sent;
    sent += 1;
    await untilItWorks(() => client.sendMessage(SEEN_AT, QUEUE, `m${number}`, `${number}`));
    // Consumers keep up, so that they are at work when a leader dies.
    await until("consumers keep up", () => sent - done.count < 200);
  }
  client.disconnect();
}

// By the server's clock, receipts of a message are as far apart as it was hidden.
function checkReceipt(id, now) {
  const known = receipts.get(id) ?? [];
  receipts.set(id, [...known, now]);
  for (const other of known) {
    const apart = Math.abs(now - other);
    assert(apart >= HIDDEN_MS, `${id} was received twice within ${apart} ms`);
  }
}

async function consumer() {
  const client = connectWithScripts();
  while (!finished) {
    const receive = () => client.receiveMessage(SEEN_AT, QUEUE, HIDDEN_MS);
    const [id, text, now] = await untilItWorks(receive);
    if (id === undefined) continue;
    assert.equal(id, `m${text}`);
    checkReceipt(id, now);
    received += 1;
    if ((await untilItWorks(() => client.sadd(DONE, text))) === 1) done.add();
    await untilItWorks(() => client.deleteMessage(SEEN_AT, QUEUE, id));
  }
  client.disconnect();
}

const client = connect();
await untilItWorks(() => client.del(SEEN_AT, QUEUE, DONE));
const producers = Promise.all(Array.from({ length: PRODUCERS }, producer));
const consumers = Promise.all(Array.from({ length: CONSUMERS }, consumer));
await Promise.race([producers, consumers, rounds(() => done.more(50))]);
enough = true;
await producers;
await Promise.race([
  consumers,
  until("the queue is empty", async () => (await untilItWorks(() => client.zcard(SEEN_AT))) === 0),
]);
finished = true;
await consumers;
const numbers = await untilItWorks(() => client.smembers(DONE));
const expected = Array.from({ length: sent }, (_, number) => `${number}`);
assert.deepEqual(numbers.toSorted(), expected.toSorted());
assert.equal(Number(await untilItWorks(() => client.hget(QUEUE, "totalsent"))), sent);
client.disconnect();
console.log(`${sent} messages, none lost; received ${received} times, never while hidden`);

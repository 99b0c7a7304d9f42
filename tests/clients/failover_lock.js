// A lock that a script releases while leaders die: `failover_lock.js HOST PORT`. See rounds.js for
// how it is led.
//
// The lock is held for longer than the test takes, so nobody may enter while somebody is inside:
// a second holder would mean that an acknowledged lock was lost, or that one was released that was
// another's. When an answer is lost, the same token asks again: taking finds its own token.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { connect, Progress, rounds } from "./rounds.js";
import { untilItWorks } from "./until_told.js";

const WORKERS = 8;
const HELD_MS = 3_600_000;
const LOCK = "{failover:lock}";
const COUNTER = "{failover:lock}:counter";

const scripts = {
  take: {
    numberOfKeys: 1,
    lua: `
      local holder = redis.call('GET', KEYS[1])
      if holder == ARGV[1] then return 1 end
      if holder then return 0 end
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      return 1
    `,
  },
  release: {
    numberOfKeys: 1,
    lua: `
      if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
      return 0
    `,
  },
};

let inside = null;
let enough = false;
const turns = new Progress();

async function worker() {
  const client = connect();
  for (const [name, script] of Object.entries(scripts)) client.defineCommand(name, script);
  while (!enough) {
    const token = randomUUID();
    while ((await untilItWorks(() => client.take(LOCK, token, HELD_MS))) !== 1) await pause(2);
    assert.equal(inside, null, `${token} entered while ${inside} was inside`);
    inside = token;
    // Two steps that would lose an increment if another's came between.
    const count = Number(await untilItWorks(() => client.get(COUNTER)));
    await untilItWorks(() => client.set(COUNTER, count + 1));
    assert.equal(inside, token, `${inside} entered while ${token} was inside`);
    inside = null;
    turns.add();
    // Zero is an answer too: to a repetition, after the first answer was lost.
    await untilItWorks(() => client.release(LOCK, token));
  }
  client.disconnect();
}

const client = connect();
await untilItWorks(() => client.del(LOCK, COUNTER));
const workers = Array.from({ length: WORKERS }, worker);
const work = Promise.all(workers);
await Promise.race([work, rounds(() => turns.more(20))]);
enough = true;
await work;
assert.equal(Number(await untilItWorks(() => client.get(COUNTER))), turns.count);
assert.equal(await untilItWorks(() => client.exists(LOCK)), 0);
client.disconnect();
console.log(`${turns.count} turns, never two at once`);

// A sliding-window limiter under concurrency while leaders die: `failover_limiter.js HOST PORT`.
// See rounds.js for how it is led.
//
// The script answers with the server's time at which it let a request through. Of these times no
// more than the limit may lie in one window, whoever led: an acknowledged admission that was
// forgotten would let another one in.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { connect, Progress, rounds } from "./rounds.js";
import { untilItWorks } from "./until_told.js";

const CALLERS = 20;
const LIMIT = 10;
const WINDOW_MS = 200;
const KEY = "{failover:limiter}";

const script = {
  numberOfKeys: 1,
  lua: `
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return -1 end
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return now
  `,
};

let enough = false;
const admissions = [];
let refused = 0;
const admitted = new Progress();

async function caller() {
  const client = connect();
  client.defineCommand("allow", script);
  while (!enough) {
    const time = await untilItWorks(() => client.allow(KEY, LIMIT, WINDOW_MS, randomUUID()));
    if (time === -1) {
      refused += 1;
      await pause(1);
    } else {
      admissions.push(time);
      admitted.add();
    }
  }
  client.disconnect();
}

const callers = Promise.all(Array.from({ length: CALLERS }, caller));
await Promise.race([callers, rounds(() => admitted.more(20))]);
enough = true;
await callers;
admissions.sort((one, other) => one - other);
for (let at = LIMIT; at < admissions.length; at += 1) {
  const stretch = admissions[at] - admissions[at - LIMIT];
  assert(stretch >= WINDOW_MS, `${LIMIT + 1} requests in ${stretch} ms`);
}
assert(refused > 0, "the limit was never reached");
console.log(`${admissions.length} requests let through, ${refused} refused, no window overrun`);

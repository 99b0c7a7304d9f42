// Fixed-window rate limit: at most so many requests of one user in each minute.
//
// One counter per user and window, which goes away by itself. INCR and EXPIRE are one transaction,
// so that no counter stays for ever. It is the cheapest limit; around the border of two windows it
// lets twice as many through: a sliding window does not.
//
// Run: make run   (in another terminal)
//      node examples/rate_limit_fixed.mjs [host:port]

import assert from "node:assert/strict";

import { connectNodeRedis } from "./connect.mjs";

const LIMIT = 10;
const WINDOW_SECONDS = 60;

const client = await connectNodeRedis();

function counter(user, now) {
  return `example:fixed:{${user}}:${Math.floor(now / 1000 / WINDOW_SECONDS)}`;
}

async function allow(user, now = Date.now()) {
  const key = counter(user, now);
  const [count] = await client.multi().incr(key).expire(key, WINDOW_SECONDS).exec();
  return count <= LIMIT;
}

const now = Date.now();
const later = now + WINDOW_SECONDS * 1000;
for (const user of ["ann", "bob"]) {
  // A user's counters share a slot, as the name is in braces; those of two users need not.
  await client.del([counter(user, now), counter(user, later)]);
}

const requests = Array.from({ length: 100 }, () => allow("ann", now));
const allowed = (await Promise.all(requests)).filter(Boolean).length;
assert.equal(allowed, LIMIT);
assert(await allow("bob", now), "one user's requests are no other's");
assert(await allow("ann", later), "the next window starts anew");
const left = await client.ttl(counter("ann", now));
assert(left > 0 && left <= WINDOW_SECONDS, `the counter would stay for ${left} s`);

await client.close();
console.log(`fixed window: ${allowed} of 100 concurrent requests were allowed, and then again`);

// Sliding-window rate limit: at most so many requests of one user in any stretch of a second.
//
// A sorted set holds the times of the requests that were let through. One script removes the old
// ones, counts, and adds: nothing can come between. It takes the time from the server, so the
// clocks of the clients do not matter.
//
// Run: make run   (in another terminal)
//      node examples/rate_limit_sliding.mjs [host:port]

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { connectIoredis, until } from "./connect.mjs";

const LIMIT = 10;
const WINDOW_MS = 1_000;

const client = connectIoredis();
client.defineCommand("allow", {
  numberOfKeys: 1,
  lua: `
    local limit, window, request = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window * 1000)
    if redis.call('ZCARD', KEYS[1]) >= limit then
      return 0
    end
    redis.call('ZADD', KEYS[1], now, request)
    redis.call('PEXPIRE', KEYS[1], window)
    return 1
  `,
});

function allow(user, windowMs = WINDOW_MS) {
  return client.allow(`example:sliding:{${user}}`, LIMIT, windowMs, randomUUID());
}

const key = "example:sliding:{ann}";
await client.del(key);
await client.del("example:sliding:{bob}");

// A window so long that it does not end meanwhile.
const answers = await Promise.all(Array.from({ length: 100 }, () => allow("ann", 60_000)));
const allowed = answers.filter((answer) => answer === 1).length;
assert.equal(allowed, LIMIT);
assert.equal(await allow("ann", 60_000), 0);
assert.equal(await allow("bob", 60_000), 1, "one user's requests are no other's");

// With the short window, the old requests leave it one by one.
await until("the window has moved on", async () => (await allow("ann")) === 1);
const times = (await client.zrange(key, 0, -1, "WITHSCORES")).filter((_, at) => at % 2 === 1);
assert(Number(times.at(-1)) - Number(times.at(0)) <= WINDOW_MS * 1000);
assert(times.length <= LIMIT);

await client.quit();
console.log(`sliding window: ${allowed} of 100 concurrent requests were allowed, then it moved on`);

// Unique visitors: how many different people came, per day and per week, in 12 KiB a day.
//
// A HyperLogLog counts without remembering whom it has seen, with a standard error of 0.81 %.
// PFCOUNT of several days counts who came on several of them once.
//
// Run: make run   (in another terminal)
//      node examples/unique_visitors.mjs [host:port]

import assert from "node:assert/strict";

import { connectIoredis } from "./connect.mjs";

const client = connectIoredis();
// The braces keep the days of one site on one shard.
const day = (number) => `example:visitors:{site}:day:${number}`;
const week = "example:visitors:{site}:week";

// Visitors `first` to `last` come, each of them three times.
async function visits(number, first, last) {
  for (let round = 0; round < 3; round += 1) {
    for (let visitor = first; visitor < last; visitor += 500) {
      const some = Array.from({ length: 500 }, (_, at) => `visitor ${visitor + at}`);
      await client.pfadd(day(number), ...some);
    }
  }
}

function isAbout(found, exact) {
  assert(Math.abs(found - exact) <= exact * 0.03, `${found} instead of about ${exact}`);
}

await client.del(day(1), day(2), day(3), week);
await visits(1, 0, 10_000);
await visits(2, 5_000, 15_000);
await visits(3, 0, 2_000);

isAbout(await client.pfcount(day(1)), 10_000);
isAbout(await client.pfcount(day(3)), 2_000);
isAbout(await client.pfcount(day(1), day(2)), 15_000);
await client.pfmerge(week, day(1), day(2), day(3));
const found = await client.pfcount(week);
isAbout(found, 15_000);
assert.equal(await client.pfadd(day(1), "visitor 0"), 0, "who has been seen changes nothing");
assert((await client.strlen(day(1))) <= 12_304);

await client.quit();
console.log(`unique visitors: about ${found} of 15000 different visitors were counted in a week`);

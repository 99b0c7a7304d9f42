// What the programs on ioredis and node-redis share: writing until a line arrives on the standard
// input, while a leader may die, and finding every acknowledged write again.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const COUNTERS = 64;
// So long that only a fault reaches it.
const PATIENCE_MS = 100_000;

// A leader may be missing for a moment: that is an error, and trying again is the answer.
export async function untilItWorks(action) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      console.error(`again after ${error}`);
      await pause(20);
    }
  }
}

export async function until(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await look())) {
    assert(Date.now() < deadline, `gave up waiting until ${what}`);
    await pause(5);
  }
}

// `client` has set, get and incr in both libraries.
export async function writeUntilTold(client, prefix) {
  let enough = false;
  process.stdin.once("data", () => (enough = true));
  const counted = new Array(COUNTERS).fill(0);
  let written = 0;
  console.log("ready");
  for (let lastRound = false; !lastRound; ) {
    lastRound = enough;
    const round = counted.map(async (_, number) => {
      const key = `${prefix}:during:${written + number}`;
      assert.equal(await untilItWorks(() => client.set(key, `${key} is here`)), "OK");
      await untilItWorks(() => client.incr(`${prefix}:counter:${number}`));
      counted[number] += 1;
    });
    await Promise.all(round);
    written += COUNTERS;
  }
  for (let number = 0; number < written; number += 1) {
    const key = `${prefix}:during:${number}`;
    assert.equal(await untilItWorks(() => client.get(key)), `${key} is here`);
  }
  for (const [number, count] of counted.entries()) {
    const found = Number(await untilItWorks(() => client.get(`${prefix}:counter:${number}`)));
    assert(found >= count, `counter ${number}: ${found} of ${count}`);
  }
  process.stdin.destroy();
  return written + counted.reduce((sum, count) => sum + count, 0);
}

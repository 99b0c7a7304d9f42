// Redlock while leaders die: `failover_redlock.js HOST PORT`. See rounds.js for how it is led.
//
// The cluster is the one place where Redlock keeps its locks. A lock whose release was lost in a
// failover ends by itself. By the holder's own reckoning, which is shorter than the server's, no
// two locks may be valid at once: that would mean that an acknowledged lock was forgotten.

import assert from "node:assert/strict";

import Redlock from "redlock";

import { connect, Progress, rounds } from "./rounds.js";
import { untilItWorks } from "./until_told.js";

const WORKERS = 6;
const VALID_MS = 1_500;
const LOCK = "{failover:redlock}";

let enough = false;
let holder = null;
let extended = 0;
const turns = new Progress();

function enter(lock) {
  const now = Date.now();
  const isFree = holder === null || holder.expiration <= now;
  assert(isFree, `a lock was given while another was valid for ${holder?.expiration - now} ms`);
  holder = lock;
}

async function worker() {
  const client = connect();
  const redlock = new Redlock([client], { retryCount: 10, retryDelay: 5, retryJitter: 5 });
  redlock.on("error", () => {});
  while (!enough) {
    let lock = await untilItWorks(() => redlock.acquire([LOCK], VALID_MS));
    // It may have taken so long that it is over already.
    if (lock.expiration <= Date.now()) continue;
    enter(lock);
    if (turns.count % 5 === 0) {
      // An extension that fails, or whose answer was lost, ends the turn.
      const longer = await lock.extend(VALID_MS).catch(() => null);
      if (longer !== null) {
        extended += 1;
        if (holder === lock) holder = longer;
        lock = longer;
      }
    }
    if (holder === lock) holder = null;
    turns.add();
    await lock.release().catch((error) => console.error(`it ends by itself after ${error}`));
  }
  client.disconnect();
}

const client = connect();
await untilItWorks(() => client.del(LOCK));
const work = Promise.all(Array.from({ length: WORKERS }, worker));
await Promise.race([work, rounds(() => turns.more(20))]);
enough = true;
await work;
client.disconnect();
console.log(`${turns.count} locks, ${extended} of them extended, never two at once`);

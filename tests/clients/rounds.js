// How the programs of the failover tests talk to the test. They say "ready". For each line "round"
// on the standard input they see to it that work is going on, and say "busy": then a leader dies.
// The line "enough" comes last; what they found is their last line.

import { createInterface } from "node:readline/promises";

import { Cluster } from "ioredis";

export function connect(redisOptions = {}) {
  const [host, port] = process.argv.slice(2);
  const client = new Cluster([{ host, port: Number(port) }], { redisOptions });
  client.on("error", (error) => console.error(`${error}`));
  return client;
}

// Calls `busy` for each round, with its number.
export async function rounds(busy) {
  console.log("ready");
  let round = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "enough") break;
    await busy(round);
    round += 1;
    console.log("busy");
  }
  process.stdin.destroy();
}

// Counts what has been done, so that a round can wait for some more of it.
export class Progress {
  count = 0;
  waiting = [];

  add() {
    this.count += 1;
    this.waiting = this.waiting.filter(({ count, resolve }) => {
      if (this.count >= count) resolve();
      return this.count < count;
    });
  }

  more(number) {
    const count = this.count + number;
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}

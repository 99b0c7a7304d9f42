// A small program on node-redis: `node_redis.js HOST PORT`. See until_told.js for how it ends.

import assert from "node:assert/strict";

import { createCluster } from "redis";

import { until, writeUntilTold } from "./until_told.js";

const STRINGS = 500;
const numbers = [...Array(STRINGS).keys()];

async function strings(client) {
  await Promise.all(numbers.map((number) => client.set(`nr:string:${number}`, `value ${number}`)));
  const found = await Promise.all(numbers.map((number) => client.get(`nr:string:${number}`)));
  assert.deepEqual(found, numbers.map((number) => `value ${number}`));
  assert.equal(await client.get("nr:nothing"), null);
  assert.equal(await client.set("nr:string:0", "other", { NX: true }), null);
  assert.equal(await client.mSet([["{nr}a", "1"], ["{nr}b", "2"]]), "OK");
  assert.deepEqual(await client.mGet(["{nr}a", "{nr}b", "{nr}c"]), ["1", "2", null]);
}

async function pipelines(client) {
  // Commands of one turn of the event loop leave as one pipeline per node.
  const replies = await Promise.all(
    numbers.flatMap((number) => [
      client.set(`nr:pipe:${number}`, `${number}`),
      client.incrBy(`nr:pipe:${number}`, 1000),
    ]),
  );
  assert.deepEqual(replies, numbers.flatMap((number) => ["OK", 1000 + number]));
}

async function collections(client) {
  assert.equal(await client.hSet("nr:hash", { a: 1, b: "two" }), 2);
  assert.equal(await client.hIncrBy("nr:hash", "a", 41), 42);
  assert.deepEqual({ ...(await client.hGetAll("nr:hash")) }, { a: "42", b: "two" });
  const board = [{ score: 3, value: "ann" }, { score: 1.5, value: "bob" }];
  assert.equal(await client.zAdd("nr:board", board), 2);
  assert.deepEqual(await client.zRangeWithScores("nr:board", 0, -1), [...board].reverse());
  assert.equal(await client.rPush("nr:list", ["a", "b", "c"]), 3);
  assert.deepEqual(await client.lRange("nr:list", 0, -1), ["a", "b", "c"]);
  assert.equal(await client.sAdd("nr:set", ["x", "y", "x"]), 2);
  assert.deepEqual([...(await client.sMembers("nr:set"))].sort(), ["x", "y"]);
  await assert.rejects(client.incr("nr:hash"), /WRONGTYPE/);
}

async function expiry(client) {
  assert.equal(await client.set("nr:brief", "1", { PX: 50 }), "OK");
  assert.equal(await client.set("nr:long", "1", { EX: 1000 }), "OK");
  await until("the key has expired", async () => (await client.get("nr:brief")) === null);
  const left = await client.ttl("nr:long");
  assert(left > 0 && left <= 1000, `${left}`);
}

async function scan(client) {
  const found = new Set();
  for (const master of client.masters) {
    const node = await client.nodeClient(master);
    for await (const keys of node.scanIterator({ MATCH: "nr:string:*", COUNT: 100 })) {
      keys.forEach((key) => found.add(key));
    }
  }
  assert.equal(found.size, STRINGS);
}

const [host, port] = process.argv.slice(2);
const client = createCluster({ rootNodes: [{ url: `redis://${host}:${port}` }] });
client.on("error", (error) => console.error(`${error}`));
client.on("node-error", (error) => console.error(`${error}`));
await client.connect();
for (const part of [strings, pipelines, collections, expiry, scan]) {
  await part(client);
}
const acknowledged = await writeUntilTold(client, "nr");
client.destroy();
console.log(`all ${acknowledged} acknowledged writes are there`);

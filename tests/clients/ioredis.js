// A small program on ioredis: `ioredis.js HOST PORT`. See until_told.js for how it ends.

import assert from "node:assert/strict";

import { Cluster } from "ioredis";

import { until, writeUntilTold } from "./until_told.js";

const STRINGS = 500;
const numbers = [...Array(STRINGS).keys()];

async function strings(client) {
  await Promise.all(numbers.map((number) => client.set(`io:string:${number}`, `value ${number}`)));
  const found = await Promise.all(numbers.map((number) => client.get(`io:string:${number}`)));
  assert.deepEqual(found, numbers.map((number) => `value ${number}`));
  assert.equal(await client.get("io:nothing"), null);
  assert.equal(await client.set("io:string:0", "other", "NX"), null);
  assert.equal(await client.mset("{io}a", "1", "{io}b", "2"), "OK");
  assert.deepEqual(await client.mget("{io}a", "{io}b", "{io}c"), ["1", "2", null]);
}

async function pipelines(client) {
  // In a cluster, the keys of one of its pipelines belong to one node.
  const pipeline = client.pipeline();
  for (let number = 0; number < 100; number += 1) {
    pipeline.set(`{io:pipe}:${number}`, number);
    pipeline.incrby(`{io:pipe}:${number}`, 1000);
  }
  const replies = await pipeline.exec();
  assert.equal(replies.length, 200);
  for (const [at, [error, reply]] of replies.entries()) {
    assert.equal(error, null);
    assert.equal(reply, at % 2 === 0 ? "OK" : 1000 + (at - 1) / 2);
  }
}

async function collections(client) {
  assert.equal(await client.hset("io:hash", { a: 1, b: "two" }), 2);
  assert.equal(await client.hincrby("io:hash", "a", 41), 42);
  assert.deepEqual(await client.hgetall("io:hash"), { a: "42", b: "two" });
  assert.equal(await client.zadd("io:board", 3, "ann", 1.5, "bob", 2, "cy"), 3);
  assert.deepEqual(await client.zrange("io:board", 0, 1, "WITHSCORES"), ["bob", "1.5", "cy", "2"]);
  assert.equal(await client.zscore("io:board", "bob"), "1.5");
  assert.equal(await client.rpush("io:list", "a", "b", "c"), 3);
  assert.deepEqual(await client.lrange("io:list", 0, -1), ["a", "b", "c"]);
  assert.equal(await client.sadd("io:set", "x", "y", "x"), 2);
  assert.deepEqual((await client.smembers("io:set")).sort(), ["x", "y"]);
  await assert.rejects(client.incr("io:hash"), /WRONGTYPE/);
  await assert.rejects(client.call("NOSUCHCOMMAND", "io:hash"), /unknown command/);
}

async function expiry(client) {
  assert.equal(await client.set("io:brief", "1", "PX", 50), "OK");
  assert.equal(await client.set("io:long", "1", "EX", 1000), "OK");
  await until("the key has expired", async () => (await client.get("io:brief")) === null);
  const left = await client.ttl("io:long");
  assert(left > 0 && left <= 1000, `${left}`);
}

async function scan(client) {
  const found = new Set();
  for (const node of client.nodes("master")) {
    for await (const keys of node.scanStream({ match: "io:string:*", count: 100 })) {
      keys.forEach((key) => found.add(key));
    }
  }
  assert.equal(found.size, STRINGS);
}

async function messages(client) {
  const listener = client.duplicate();
  const heard = [];
  listener.on("message", (channel, text) => heard.push(`${channel} ${text}`));
  assert.equal(await listener.subscribe("io:news"), 1);
  // The client of a cluster publishes through any node; those sent through one keep their order.
  const [publisher] = client.nodes("master");
  const sent = [...Array(20).keys()];
  for (const number of sent) {
    await publisher.publish("io:news", number);
  }
  await until("all messages have arrived", () => heard.length === sent.length);
  assert.deepEqual(heard, sent.map((number) => `io:news ${number}`));
  listener.disconnect();
}

const [host, port] = process.argv.slice(2);
const client = new Cluster([{ host, port: Number(port) }]);
client.on("error", (error) => console.error(`${error}`));
for (const part of [strings, pipelines, collections, expiry, scan, messages]) {
  await part(client);
}
const acknowledged = await writeUntilTold(client, "io");
client.disconnect();
console.log(`all ${acknowledged} acknowledged writes are there`);

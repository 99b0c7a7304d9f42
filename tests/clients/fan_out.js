// Functions and scripts on ioredis's Cluster, sent to all leaders at once or one after another:
// `fan_out.js HOST PORT`. Every round ends as it began, with nothing loaded.

import assert from "node:assert/strict";

import { Cluster } from "ioredis";

const ROUNDS = 2;
// So many keys that every shard has some.
const KEYS = [...Array(24).keys()].map((number) => `fan:${number}`);

const library = (version) => `#!lua name=io
redis.register_function('put', function(keys, args)
  return redis.call('SET', keys[1], args[1] .. ' by ${version}')
end)
redis.register_function{function_name='look', callback=function(keys)
  return redis.call('GET', keys[1])
end, flags={'no-writes'}}`;

// What the leaders answer, as values or as the texts of their errors.
async function atOnce(cluster, ...words) {
  const replies = cluster.nodes("master").map((node) => node.call(...words));
  return (await Promise.allSettled(replies)).map((it) => it.value ?? it.reason.message);
}

async function inTurn(cluster, ...words) {
  const replies = [];
  for (const node of cluster.nodes("master")) {
    replies.push(await node.call(...words).catch((error) => error.message));
  }
  return replies;
}

async function worksEverywhere(cluster, version) {
  for (const key of KEYS) {
    assert.equal(await cluster.fcall("put", 1, key, key), "OK");
    assert.equal(await cluster.fcall_ro("look", 1, key), `${key} by ${version}`);
  }
}

function all(replies, expected) {
  assert.equal(replies.length, 3);
  replies.forEach((reply) => assert.match(String(reply), expected));
}

async function functions(cluster, send) {
  all(await send(cluster, "FUNCTION", "LOAD", library(1)), /^io$/);
  await worksEverywhere(cluster, 1);
  all(await send(cluster, "FUNCTION", "LOAD", library(1)), /Library 'io' already exists/);
  all(await send(cluster, "FUNCTION", "LOAD", library(2)), /Library 'io' already exists/);
  all(await send(cluster, "FUNCTION", "LOAD", "REPLACE", library(2)), /^io$/);
  await worksEverywhere(cluster, 2);
  all(await send(cluster, "FUNCTION", "DELETE", "io"), /^OK$/);
  all(await send(cluster, "FUNCTION", "DELETE", "io"), /Library not found/);
  all(await send(cluster, "FUNCTION", "LOAD", library(3)), /^io$/);
  await worksEverywhere(cluster, 3);
  all(await send(cluster, "FUNCTION", "FLUSH"), /^OK$/);
  all(await send(cluster, "FUNCTION", "FLUSH"), /^OK$/);
  await assert.rejects(cluster.fcall("put", 1, KEYS[0], "x"), /Function not found/);
}

async function scripts(cluster, send) {
  const text = "return redis.call('APPEND', KEYS[1], ARGV[1])";
  const [digest, ...others] = await send(cluster, "SCRIPT", "LOAD", text);
  all([digest, ...others], new RegExp(`^${digest}$`));
  all(await send(cluster, "SCRIPT", "EXISTS", digest), /^1$/);
  for (const key of KEYS) {
    await cluster.del(key);
    assert.equal(await cluster.evalsha(digest, 1, key, "abc"), 3);
  }
  all(await send(cluster, "SCRIPT", "FLUSH"), /^OK$/);
  all(await send(cluster, "SCRIPT", "EXISTS", digest), /^0$/);
  await assert.rejects(cluster.evalsha(digest, 1, KEYS[0], "abc"), /NOSCRIPT/);
  // ioredis loads it where it is missing.
  cluster.defineCommand("fanAppend", { numberOfKeys: 1, lua: text });
  for (const key of KEYS) {
    assert.equal(await cluster.fanAppend(key, "abc"), 6);
  }
  await send(cluster, "SCRIPT", "FLUSH");
}

const [host, port] = process.argv.slice(2);
const cluster = new Cluster([{ host, port: Number(port) }]);
await cluster.ping();
await inTurn(cluster, "FUNCTION", "FLUSH");
for (let round = 0; round < ROUNDS; round += 1) {
  for (const send of [atOnce, inTurn]) {
    await functions(cluster, send);
    await scripts(cluster, send);
  }
}
console.log(`${ROUNDS} rounds`);
await cluster.quit();

// Chat over publish and subscribe while leaders die: `failover_chat.js HOST PORT`. See rounds.js
// for how it is led; the leaders that die are those of the shard of `{failover:chat}`.
//
// What is said on nodes that live is heard on nodes that live, all of it, and of each writer in the
// order in which it spoke. On nodes that die and come back messages are missed, as in Redis; but
// what is heard of a writer stays in order there too, and nothing is heard twice.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { Redis } from "ioredis";

import { connect, Progress, rounds } from "./rounds.js";
import { until, untilItWorks } from "./until_told.js";

const ROOM = "failover:room";
const OPENING = "opening 0";

const field = (fields, name) => fields[fields.indexOf(name) + 1];

// One node of each shard that nobody kills, and all nodes of the other shard.
async function nodesByFate(client) {
  const shards = await client.cluster("SHARDS");
  const slot = await client.cluster("KEYSLOT", "{failover:chat}");
  const has = (shard) => {
    const bounds = field(shard, "slots");
    return bounds.some((from, at) => at % 2 === 0 && from <= slot && slot <= bounds[at + 1]);
  };
  const addresses = (shard) =>
    field(shard, "nodes").map((node) => ({ host: field(node, "ip"), port: field(node, "port") }));
  const living = shards.filter((shard) => !has(shard)).map((shard) => addresses(shard)[0]);
  const dying = shards.filter(has).flatMap(addresses);
  assert.deepEqual([living.length, dying.length], [2, 3]);
  return { living, dying };
}

const clients = [];
function connectTo(node) {
  // What is sent twice would be heard twice.
  const options = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 };
  const client = new Redis({ ...node, ...options, retryStrategy: () => 20 });
  client.on("error", (error) => console.error(`${error}`));
  clients.push(client);
  return client;
}

// The numbers that a listener has heard of each writer, in the order of their arrival.
async function listen(node) {
  const client = connectTo(node);
  const heard = new Map();
  client.on("message", (_, message) => {
    const [writer, number] = message.split(" ");
    if (!heard.has(writer)) heard.set(writer, []);
    heard.get(writer).push(Number(number));
  });
  await untilItWorks(() => client.subscribe(ROOM));
  return heard;
}

let enough = false;
const said = new Progress();

// Speaks until it is enough, and returns how many messages were taken. `bears` errors, or not.
async function write(client, name, bears) {
  let taken = 0;
  for (let number = 0; !enough; number += 1) {
    try {
      await client.publish(ROOM, `${name} ${number}`);
      taken += 1;
      said.add();
    } catch (error) {
      if (!bears) throw error;
    }
    await pause(2);
  }
  return taken;
}

const cluster = connect();
const { living, dying } = await untilItWorks(() => nodesByFate(cluster));
const [heard, heardOnDying] = await Promise.all([
  Promise.all(living.map(listen)),
  Promise.all(dying.map(listen)),
]);
const writers = living.map(connectTo);
const dyingWriters = dying.map(connectTo);
// Nodes tell each other who listens.
await until("every node knows of the listeners", async () => {
  for (const writer of [...writers, ...dyingWriters]) await writer.publish(ROOM, OPENING);
  return heard.every((words) => words.get("opening")?.length >= 5);
});

const writing = Promise.all([
  ...writers.map((client, at) => write(client, `living${at}`, false)),
  ...dyingWriters.map((client, at) => write(client, `dying${at}`, true)),
]);
await Promise.race([writing, rounds(() => said.more(100))]);
enough = true;
const counts = (await writing).slice(0, writers.length);
const isComplete = (words) => counts.every((count, at) => words.get(`living${at}`)?.length >= count);
await until("everything is heard", () => heard.every(isComplete));
clients.forEach((client) => client.disconnect());
cluster.disconnect();

for (const words of heard) {
  counts.forEach((count, at) => {
    const all = Array.from({ length: count }, (_, number) => number);
    assert.deepEqual(words.get(`living${at}`), all);
  });
}
let besides = 0;
for (const words of [...heard, ...heardOnDying]) {
  words.delete("opening");
  for (const [writer, numbers] of words) {
    const isAscending = numbers.every((number, at) => at === 0 || numbers[at - 1] < number);
    assert(isAscending, `${writer} is heard out of order`);
    if (writer.startsWith("dying") || heardOnDying.includes(words)) besides += numbers.length;
  }
}
const total = counts.reduce((sum, count) => sum + count, 0);
console.log(`${total} messages, all heard and in order by ${heard.length} listeners; ${besides} in order besides`);

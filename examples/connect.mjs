// How the programs for Node find the cluster: `redis://host:port` or `host:port` as the first
// argument or in REDIS_URL, else what `make run` starts. Any node of the cluster will do; the
// libraries ask it for the others.

import { setTimeout as pause } from "node:timers/promises";

import { Cluster } from "ioredis";
import { createCluster } from "redis";

function address() {
  const given = process.argv[2] ?? process.env.REDIS_URL ?? "127.0.0.1:7000";
  return new URL(given.includes("://") ? given : `redis://${given}`);
}

// A client of ioredis. `redisOptions` are those of its connections to single nodes.
export function connectIoredis(redisOptions = {}) {
  const { hostname, port, username, password } = address();
  const login = password ? { username: username || undefined, password } : {};
  return new Cluster([{ host: hostname, port: Number(port || 6379) }], {
    redisOptions: { ...login, ...redisOptions },
  });
}

// A client of node-redis, connected.
export async function connectNodeRedis() {
  const { href, username, password } = address();
  const login = password ? { username: username || undefined, password } : {};
  const client = createCluster({ rootNodes: [{ url: href }], defaults: login });
  client.on("error", (error) => console.error(`${error}`));
  await client.connect();
  return client;
}

// Waits for something that others bring about. The limit is there to end a run in which they fail.
export async function until(what, look) {
  const deadline = Date.now() + 60_000;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await pause(5);
  }
}

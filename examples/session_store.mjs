// Session store: a hash per session that goes away when it is not used, and "log out everywhere".
//
// The user's name is in every key's braces, so a user's sessions live on one shard and can change
// together; the session's name carries it, as a cookie would.
//
// Run: make run   (in another terminal)
//      node examples/session_store.mjs [host:port]

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { connectNodeRedis, until } from "./connect.mjs";

const IDLE_MS = 30 * 60 * 1000;

const client = await connectNodeRedis();

const ofUser = (user) => `example:sessions:{${user}}`;
const ofSession = (session) => `${ofUser(session.split(".")[0])}:${session}`;

async function logIn(user, data) {
  const session = `${user}.${randomBytes(16).toString("hex")}`;
  await client
    .multi()
    .hSet(ofSession(session), { user, ...data })
    .pExpire(ofSession(session), IDLE_MS)
    .sAdd(ofUser(user), session)
    .pExpire(ofUser(user), IDLE_MS)
    .exec();
  return session;
}

// Reading a session keeps it for another while. Null if it has ended.
async function read(session) {
  const key = ofSession(session);
  const [data] = await client.multi().hGetAll(key).pExpire(key, IDLE_MS).exec();
  return Object.keys(data).length === 0 ? null : { ...data };
}

// False if the session has ended: writing must not bring it back without an expiry.
async function write(session, field, value) {
  const key = ofSession(session);
  const transaction = client.multi().exists(key).hSet(key, field, value).pExpire(key, IDLE_MS);
  const [there] = await transaction.exec();
  if (there === 0) await client.del(key);
  return there === 1;
}

async function logOutEverywhere(user) {
  const sessions = await client.sMembers(ofUser(user));
  await client.del([ofUser(user), ...sessions.map(ofSession)]);
  return sessions.length;
}

await logOutEverywhere("ann");
const laptop = await logIn("ann", { device: "laptop" });
const phone = await logIn("ann", { device: "phone" });
assert.deepEqual(await read(laptop), { user: "ann", device: "laptop" });
assert.equal(await write(phone, "theme", "dark"), true);
assert.deepEqual(await read(phone), { user: "ann", device: "phone", theme: "dark" });
assert.equal(await read("ann.guessed"), null);

const idle = await client.pTTL(ofSession(laptop));
assert(idle > 0 && idle <= IDLE_MS, `it would stay for ${idle} ms`);
// Half an hour of nothing, made shorter. Looking by EXISTS does not count as use.
await client.pExpire(ofSession(laptop), 20);
await until("it has ended", async () => (await client.exists(ofSession(laptop))) === 0);
assert.equal(await read(laptop), null);
assert.equal(await write(laptop, "theme", "dark"), false);
assert.equal(await client.exists(ofSession(laptop)), 0);

assert.equal(await logOutEverywhere("ann"), 2);
assert.equal(await read(phone), null);

await client.close();
console.log("session store: sessions are kept while used, end when idle, and end together");

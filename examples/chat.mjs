// Pub/sub chat: rooms that reach every member on whichever node, and announcements to all rooms.
//
// Rooms are sharded channels (SPUBLISH): a message stays on the shard that the room's name belongs
// to. Announcements are ordinary channels (PUBLISH) and cross the whole cluster. Who is not there
// misses the message; a chat that must not lose any keeps them in a stream.
//
// Run: make run   (in another terminal)
//      node examples/chat.mjs [host:port]

import assert from "node:assert/strict";

import { connectNodeRedis, until } from "./connect.mjs";

const MESSAGES = 50;
const room = (name) => `example:chat:room:${name}`;
const ANNOUNCEMENTS = "example:chat:announcements";

class Member {
  constructor(name) {
    this.name = name;
    this.heard = [];
  }

  async enter(rooms) {
    this.client = await connectNodeRedis();
    await this.client.subscribe(ANNOUNCEMENTS, (text) => this.heard.push(`! ${text}`));
    for (const name of rooms) {
      await this.client.sSubscribe(room(name), (text) => this.heard.push(`${name}: ${text}`));
    }
  }

  say(name, text) {
    return this.client.sPublish(room(name), `<${this.name}> ${text}`);
  }

  heardIn(name) {
    return this.heard.filter((line) => line.startsWith(`${name}: `));
  }
}

const [ann, bob, cy] = [new Member("ann"), new Member("bob"), new Member("cy")];
await ann.enter(["garden", "kitchen"]);
await bob.enter(["garden"]);
await cy.enter(["kitchen"]);

for (let number = 0; number < MESSAGES; number += 1) {
  await ann.say("garden", `message ${number}`);
}
await cy.say("kitchen", "is it warm in the garden?");
await bob.client.publish(ANNOUNCEMENTS, "we close at ten");

// Bob hears all of the garden in order, nothing of the kitchen; all hear the announcement.
const garden = Array.from({ length: MESSAGES }, (_, at) => `garden: <ann> message ${at}`);
const question = "kitchen: <cy> is it warm in the garden?";
const counts = [
  [ann, MESSAGES + 2],
  [bob, MESSAGES + 1],
  [cy, 2],
];
for (const [member, count] of counts) {
  await until(`${member.name} has heard all`, () => member.heard.length >= count);
  assert(member.heard.includes("! we close at ten"));
}
assert.deepEqual(bob.heardIn("garden"), garden);
assert.deepEqual(ann.heardIn("garden"), garden);
assert.deepEqual(ann.heardIn("kitchen"), [question]);
assert.deepEqual(cy.heardIn("kitchen"), [question]);

// Who has left hears nothing more.
await bob.client.sUnsubscribe(room("garden"));
await ann.say("garden", "is anybody here?");
await until("ann has heard it", () => ann.heard.length === MESSAGES + 3);
assert.equal(bob.heard.length, MESSAGES + 1);

await Promise.all([ann, bob, cy].map((member) => member.client.close()));
console.log(`chat: ${MESSAGES} messages arrived in order in their room, announcements in all`);

"""Consumer groups with XAUTOCLAIM while leaders die: `failover_groups.py HOST PORT`.

It says "ready"; for each line "round" on its standard input it waits until some more entries have
been worked on, and says "busy": then a leader dies. The line "enough" comes last.

A producer adds numbers, again if the answer was lost. Three consumers read them, and take over
what another got but did not acknowledge: the answer that gave it may have been lost. An entry's
number is stored and the entry acknowledged in one transaction. In the end every number has been
stored, nothing is pending, and nothing is left to read.
"""

import sys
import threading
import time

import redis
from redis.cluster import RedisCluster

STREAM = "{failover:groups}"
SEEN = "{failover:groups}:seen"
GROUP = "group"
CONSUMERS = 3
IDLE_MS = 300
# So long that only a fault reaches it.
PATIENCE_SECONDS = 100


def connect():
    host, port = sys.argv[1], int(sys.argv[2])
    return RedisCluster(host=host, port=port, decode_responses=True, socket_timeout=10)


def until_it_works(action):
    """A leader may be missing for a moment: that is an error, and trying again is the answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise
            print(f"again after {error!r}", file=sys.stderr)
            time.sleep(0.02)


def until(what, look):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, f"gave up waiting until {what}"
        time.sleep(0.01)


class Work:
    def __init__(self):
        self.enough = threading.Event()
        self.finished = threading.Event()
        self.failures = []
        self.produced = 0
        # One number for each consumer, which alone changes it.
        self.consumed = [0] * CONSUMERS
        self.claimed = [0] * CONSUMERS

    def produce(self):
        client = connect()
        while not self.enough.is_set():
            number = self.produced
            until_it_works(lambda: client.xadd(STREAM, {"number": number}))
            self.produced += 1
            # Consumers keep up, so that they are at work when a leader dies.
            until("consumers keep up", lambda: self.produced - sum(self.consumed) < 200)

    def consume(self, number):
        client = connect()
        while not self.finished.is_set():
            for entry, fields in self.take(client, number):
                until_it_works(lambda: self.store(client, entry, fields["number"]))
                self.consumed[number] += 1

    def take(self, client, number):
        name = f"consumer {number}"
        claim = until_it_works(
            lambda: client.xautoclaim(STREAM, GROUP, name, IDLE_MS, "0-0", count=20)
        )
        self.claimed[number] += len(claim[1])
        if claim[1]:
            return claim[1]
        replies = until_it_works(
            lambda: client.xreadgroup(GROUP, name, {STREAM: ">"}, count=20, block=100)
        )
        pairs = replies.items() if isinstance(replies, dict) else replies or []
        return [entry for _, entries in pairs for entry in entries]

    @staticmethod
    def store(client, entry, number):
        transaction = client.pipeline(transaction=True)
        transaction.sadd(SEEN, number)
        transaction.xack(STREAM, GROUP, entry)
        transaction.execute()

    def start(self, what, *arguments):
        def run():
            try:
                what(*arguments)
            except Exception as error:
                self.failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def more(self, number):
        goal = sum(self.consumed) + number
        until("more is consumed", lambda: sum(self.consumed) >= goal or self.failures)
        assert not self.failures, self.failures


def create_group(client):
    try:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def main():
    client = connect()
    until_it_works(lambda: client.delete(STREAM, SEEN))
    until_it_works(lambda: create_group(client))
    work = Work()
    producer = work.start(work.produce)
    consumers = [work.start(work.consume, at) for at in range(CONSUMERS)]
    print("ready", flush=True)
    while sys.stdin.readline() == "round\n":
        work.more(50)
        print("busy", flush=True)
    work.enough.set()
    producer.join()

    def group():
        return until_it_works(lambda: client.xinfo_groups(STREAM))[0]

    def all_is_done():
        state = group()
        return work.failures or (state["lag"] == 0 and state["pending"] == 0)

    until("nothing is left", all_is_done)
    work.finished.set()
    for consumer in consumers:
        consumer.join()
    assert not work.failures, work.failures
    seen = until_it_works(lambda: client.smembers(SEEN))
    expected = {str(number) for number in range(work.produced)}
    assert seen == expected, (expected - seen, seen - expected)
    print(f"{work.produced} entries, none lost; {sum(work.claimed)} taken over", flush=True)


if __name__ == "__main__":
    main()

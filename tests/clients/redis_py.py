"""A small program on redis-py: `redis_py.py cluster|plain HOST PORT`.

When its first part is done it says "ready" and goes on writing until a line arrives on its
standard input; meanwhile a leader may die. Its last line counts the acknowledged writes, after
every one of them has been found again.
"""

import sys
import threading
import time

import redis
from redis.cluster import RedisCluster

STRINGS = 500
COUNTERS = 64
# So long that only a fault reaches it.
PATIENCE_SECONDS = 100


def connect(kind, host, port):
    make = RedisCluster if kind == "cluster" else redis.Redis
    return make(host=host, port=port, decode_responses=True, socket_timeout=10)


def strings(client):
    for number in range(STRINGS):
        assert client.set(f"py:string:{number}", f"value {number}") is True
    for number in range(STRINGS):
        assert client.get(f"py:string:{number}") == f"value {number}"
    assert client.get("py:nothing") is None
    assert client.set("py:string:0", "other", nx=True) is None
    assert client.mget("{py}a", "{py}b") == [None, None]
    assert client.mset({"{py}a": "1", "{py}b": "2"}) is True
    assert client.mget("{py}a", "{py}b") == ["1", "2"]


def pipelines(client):
    pipe = client.pipeline(transaction=False)
    for number in range(200):
        pipe.set(f"py:pipe:{number}", number)
    for number in range(200):
        pipe.incrby(f"py:pipe:{number}", 1000)
    replies = pipe.execute()
    assert replies == [True] * 200 + [1000 + number for number in range(200)], replies


def collections(client):
    assert client.hset("py:hash", mapping={"a": 1, "b": "two"}) == 2
    assert client.hincrby("py:hash", "a", 41) == 42
    assert client.hgetall("py:hash") == {"a": "42", "b": "two"}
    assert client.zadd("py:board", {"ann": 3, "bob": 1.5, "cy": 2}) == 3
    assert client.zrange("py:board", 0, -1, withscores=True, desc=True)[0][0] == "ann"
    assert client.zrangebyscore("py:board", 1, 2) == ["bob", "cy"]
    assert client.zscore("py:board", "bob") == 1.5
    assert client.rpush("py:list", *"abc") == 3
    assert client.lrange("py:list", 0, -1) == ["a", "b", "c"]
    assert client.lpop("py:list") == "a"
    assert client.sadd("py:set", "x", "y", "x") == 2
    assert client.smembers("py:set") == {"x", "y"}


def errors(client):
    for wrong in (
        lambda: client.incr("py:string:0"),
        lambda: client.hget("py:string:0", "field"),
    ):
        try:
            wrong()
        except redis.ResponseError:
            continue
        raise AssertionError("an error was expected")


def expiry(client):
    assert client.set("py:brief", "1", px=50) is True
    assert client.set("py:long", "1", ex=1000) is True
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.get("py:brief") is not None:
        assert time.monotonic() < deadline, "the key stays"
        time.sleep(0.005)
    assert 0 < client.ttl("py:long") <= 1000
    assert client.persist("py:long") is True
    assert client.ttl("py:long") == -1


def scan(client):
    found = set(client.scan_iter(match="py:string:*", count=100))
    assert found == {f"py:string:{number}" for number in range(STRINGS)}, len(found)


def messages(client):
    listener = client.pubsub()
    listener.subscribe("py:news")
    assert listener.get_message(timeout=PATIENCE_SECONDS)["type"] == "subscribe"
    for number in range(20):
        client.publish("py:news", number)
        message = listener.get_message(timeout=PATIENCE_SECONDS)
        assert (message["channel"], message["data"]) == ("py:news", str(number)), message
    listener.close()


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


def write_until_told(client):
    enough = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), enough.set()), daemon=True).start()
    written = 0
    counted = [0] * COUNTERS
    print("ready", flush=True)
    last_round = False
    while not last_round:
        last_round = enough.is_set()
        for number in range(COUNTERS):
            key = f"py:during:{written}"
            assert until_it_works(lambda: client.set(key, f"{key} is here")) is True
            written += 1
            until_it_works(lambda: client.incr(f"py:counter:{number}"))
            counted[number] += 1
    for number in range(written):
        key = f"py:during:{number}"
        assert until_it_works(lambda: client.get(key)) == f"{key} is here", key
    for number, count in enumerate(counted):
        found = int(until_it_works(lambda: client.get(f"py:counter:{number}")))
        assert found >= count, f"counter {number}: {found} of {count}"
    return written + sum(counted)


def main():
    kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    client = connect(kind, host, port)
    for part in (strings, pipelines, collections, errors, expiry, scan, messages):
        part(client)
    acknowledged = write_until_told(client)
    print(f"all {acknowledged} acknowledged writes are there", flush=True)


if __name__ == "__main__":
    main()

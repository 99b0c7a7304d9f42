"""Cache-aside: ask the cache first, load what is missing, drop what has changed.

Two things are easily forgotten, and shown here. When a popular entry is missing, one of its many
readers loads it while the others wait. And a reader that loaded a value just before it changed
must not put the old value back: it holds a lease, and whoever changes the value takes it away.

Run: make run   (in another terminal)
     target/python/bin/python examples/cache_aside.py [host:port]
"""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from connect import connect

CACHED_SECONDS = 60
# For how long a reader that died while loading keeps the others waiting.
LEASE_MS = 5_000


class Database:
    """The slow one; it counts how often it is asked."""

    def __init__(self):
        self.rows = {}
        self.reads = 0

    def load(self, product):
        self.reads += 1
        return dict(self.rows[product])


class Cache:
    def __init__(self, client, database):
        self.client = client
        self.database = database

    @staticmethod
    def keys(product):
        # The braces put both keys into one slot, so that one transaction can cover them.
        return f"example:cache:{{{product}}}", f"example:cache:{{{product}}}:lease"

    def get(self, product):
        value, _ = self.keys(product)
        cached = self.client.get(value)
        while cached is None:
            cached, lease = self.take_lease(product)
            if cached is None and lease is not None:
                loaded = self.database.load(product)
                self.fill(product, lease, loaded)
                return loaded
            # Another reader is loading it.
            time.sleep(0.005)
        return json.loads(cached)

    def take_lease(self, product):
        """What is cached after all, and a lease unless another reader has it.

        Both in one step: between two, another reader could fill the cache and give its lease back.
        """
        token = uuid.uuid4().hex
        value, lease = self.keys(product)
        transaction = self.client.pipeline(transaction=True)
        transaction.get(value)
        transaction.set(lease, token, nx=True, px=LEASE_MS)
        cached, taken = transaction.execute()
        return cached, token if taken else None

    def fill(self, product, token, loaded):
        """Stores what was loaded if the lease is still held, and says whether it was."""
        value, lease = self.keys(product)

        def store(transaction):
            # `lease` is watched: if it changes before the end, the transaction is run again.
            held = transaction.get(lease) == token
            transaction.multi()
            if held:
                transaction.set(value, json.dumps(loaded), ex=CACHED_SECONDS)
                transaction.delete(lease)
            return held

        return self.client.transaction(store, lease, value_from_callable=True)

    def update(self, product, row):
        self.database.rows[product] = row
        self.client.delete(*self.keys(product))


def main():
    database = Database()
    cache = Cache(connect(), database)

    cache.update("teapot", {"price": 20})
    with ThreadPoolExecutor(20) as readers:
        found = list(readers.map(cache.get, ["teapot"] * 200))
    assert found == [{"price": 20}] * 200
    assert database.reads == 1, f"{database.reads} readers went to the database"

    cache.update("teapot", {"price": 25})
    assert cache.get("teapot") == {"price": 25}

    # A slow reader: it has loaded 25, then the price changes, then it wants to store 25.
    cache.update("teapot", {"price": 25})
    _, slow = cache.take_lease("teapot")
    loaded = database.load("teapot")
    cache.update("teapot", {"price": 30})
    assert not cache.fill("teapot", slow, loaded), "an old value came back"
    assert cache.get("teapot") == {"price": 30}

    print("cache-aside: 200 concurrent reads cost one load, and no old value came back")


if __name__ == "__main__":
    main()

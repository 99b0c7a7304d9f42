"""How the programs for Python find the cluster.

`redis://host:port` or `host:port` as the first argument or in REDIS_URL, else what `make run`
starts. Any node of the cluster will do; the library asks it for the others.
"""

import os
import sys
import time

from redis.cluster import RedisCluster


def connect():
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("REDIS_URL", "127.0.0.1:7000")
    url = given if "://" in given else f"redis://{given}"
    return RedisCluster.from_url(url, decode_responses=True)


def until(what, look):
    """Waits for something that others bring about; the limit ends a run in which they fail."""
    deadline = time.monotonic() + 60
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"gave up waiting until {what}")
        time.sleep(0.005)

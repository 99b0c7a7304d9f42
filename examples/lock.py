"""Distributed lock: one holder at a time, and nobody releases what is another's.

SET NX PX takes the lock under a random token; a script releases it only if the token is still
there, in one step. The lock ends by itself if its holder dies. Because a holder may also be slow
and not notice that its time is over, each taking gets a growing number, the fence, and what the
lock protects refuses a number that is older than one it has seen.

Run: make run   (in another terminal)
     target/python/bin/python examples/lock.py [host:port]
"""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from connect import connect, until

TAKE = """
    if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
        return false
    end
    return redis.call('INCR', KEYS[2])
"""
RELEASE = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then
        return redis.call('DEL', KEYS[1])
    end
    return 0
"""
EXTEND = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
    end
    return 0
"""


class Lock:
    def __init__(self, client, name, milliseconds):
        self.milliseconds = milliseconds
        self.token = uuid.uuid4().hex
        # The braces put the lock and its fence on one shard.
        self.keys = [f"example:lock:{{{name}}}", f"example:lock:{{{name}}}:fence"]
        self.take_script = client.register_script(TAKE)
        self.release_script = client.register_script(RELEASE)
        self.extend_script = client.register_script(EXTEND)

    def try_to_take(self):
        """The fence, or None while somebody holds the lock."""
        return self.take_script(self.keys, [self.token, self.milliseconds])

    def take(self):
        while (fence := self.try_to_take()) is None:
            time.sleep(0.005)
        return fence

    def release(self):
        """Whether it was still ours."""
        return self.release_script(self.keys[:1], [self.token]) == 1

    def extend(self):
        """Starts its time anew; says whether it was still ours."""
        return self.extend_script(self.keys[:1], [self.token, self.milliseconds]) == 1


class TooLate(Exception):
    """The lock's time was over, and another has had it since."""


class Account:
    """What the lock protects: reading and writing are two steps."""

    def __init__(self):
        self.balance = 0
        self.fence = 0

    def deposit(self, amount, fence):
        if fence < self.fence:
            raise TooLate
        self.fence = fence
        balance = self.balance
        time.sleep(0.001)
        self.balance = balance + amount


def main():
    client = connect()
    client.delete(*Lock(client, "account", 1).keys)

    account = Account()

    def worker(number):
        for _ in range(10):
            lock = Lock(client, "account", 30_000)
            account.deposit(1, lock.take())
            assert lock.release()
        return number

    with ThreadPoolExecutor(8) as workers:
        assert list(workers.map(worker, range(8))) == list(range(8))
    assert account.balance == 80, f"{account.balance} of 80 deposits are left"

    # A holder that is not heard of again; then one that is slower than its lock.
    slow, other = Lock(client, "account", 30), Lock(client, "account", 30_000)
    late = slow.take()
    until("the lock ends by itself", lambda: other.try_to_take() is not None)
    assert not slow.extend() and not slow.release(), "it is another's"
    assert other.extend() and slow.try_to_take() is None
    assert other.release() and not other.release()

    third = Lock(client, "account", 30_000)
    account.deposit(1, third.take())
    try:
        account.deposit(1, late)
        raise AssertionError("the fence did not hold")
    except TooLate:
        assert account.balance == 81
    assert third.release()

    print("lock: 8 workers took turns 80 times, and a slow holder harmed nobody")


if __name__ == "__main__":
    main()

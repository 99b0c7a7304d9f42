"""Stream pipeline: orders go in, invoices come out, and no order is lost with its worker.

The workers of one stage form a consumer group: each order is given to one of them. One that does
not acknowledge, because it is gone, loses its orders to the others (XAUTOCLAIM). An invoice is
written and the order acknowledged in one transaction, and writing an invoice again changes
nothing: so each order has exactly one invoice, though an order may be worked on twice.

Run: make run   (in another terminal)
     target/python/bin/python examples/stream_pipeline.py [host:port]
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from redis import ResponseError

from connect import connect, until

# The braces keep the stages on one shard, so that transactions can span them.
ORDERS = "example:stream:{shop}:orders"
INVOICES = "example:stream:{shop}:invoices"
GROUP = "billing"
COUNT = 300
# An order that was not acknowledged for so long is taken from its worker.
IDLE_MS = 100


class Worker:
    def __init__(self, client, name):
        self.client = client
        self.name = name
        self.claimed = 0

    def run(self, finished):
        while not finished.is_set():
            for order_id, order in self.abandoned() or self.new():
                self.bill(order_id, order)

    def new(self):
        replies = self.client.xreadgroup(GROUP, self.name, {ORDERS: ">"}, count=10, block=50)
        return [order for _, orders in in_pairs(replies) for order in orders]

    def abandoned(self):
        """Orders that others have left lying."""
        reply = self.client.xautoclaim(ORDERS, GROUP, self.name, IDLE_MS, "0-0", count=10)
        self.claimed += len(reply[1])
        return reply[1]

    def bill(self, order_id, order):
        total = int(order["pieces"]) * int(order["price"])
        transaction = self.client.pipeline(transaction=True)
        transaction.hset(INVOICES, order_id, total)
        transaction.xack(ORDERS, GROUP, order_id)
        transaction.execute()


def in_pairs(replies):
    """The streams of a reply: RESP2 gives pairs, RESP3 a map."""
    return replies.items() if isinstance(replies, dict) else replies or []


def main():
    client = connect()
    client.delete(ORDERS, INVOICES)
    client.xgroup_create(ORDERS, GROUP, id="0", mkstream=True)
    try:
        client.xgroup_create(ORDERS, GROUP, id="0")
    except ResponseError as error:
        assert str(error).startswith("BUSYGROUP"), error

    expected = {}
    for number in range(COUNT):
        order = {"pieces": number % 7 + 1, "price": number}
        expected[client.xadd(ORDERS, order)] = str(order["pieces"] * order["price"])
    # This one takes orders and is never heard of again.
    Worker(client, "gone").new()
    assert client.xpending(ORDERS, GROUP)["pending"] == 10

    finished = threading.Event()
    workers = [Worker(client, f"worker {number}") for number in range(3)]
    with ThreadPoolExecutor(len(workers)) as threads:
        running = [threads.submit(worker.run, finished) for worker in workers]
        try:
            until("all is billed", lambda: client.hlen(INVOICES) == COUNT)
            until("all is acknowledged", lambda: client.xpending(ORDERS, GROUP)["pending"] == 0)
        finally:
            finished.set()
        for worker in running:
            worker.result()

    assert client.hgetall(INVOICES) == expected
    claimed = sum(worker.claimed for worker in workers)
    assert claimed >= 10, f"{claimed} orders were taken over"
    print(f"stream pipeline: {COUNT} orders, {COUNT} invoices, though one worker was lost")


if __name__ == "__main__":
    main()

"""Leaderboard: points arrive all the time, the ranking is always there.

A sorted set keeps players by points. The week's board and the board of all time change in one
transaction; a season's board is made of the weeks' by ZUNIONSTORE.

Run: make run   (in another terminal)
     target/python/bin/python examples/leaderboard.py [host:port]
"""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from connect import connect

# The braces keep all boards of the game on one shard.
GAME = "example:board:{chess}"
PLAYERS = [f"player{number:02}" for number in range(40)]


class Leaderboard:
    def __init__(self, client):
        self.client = client

    def score(self, week, player, points):
        transaction = self.client.pipeline(transaction=True)
        transaction.zincrby(f"{GAME}:week:{week}", points, player)
        transaction.zincrby(f"{GAME}:ever", points, player)
        transaction.execute()

    def top(self, board, count):
        return self.client.zrange(f"{GAME}:{board}", 0, count - 1, desc=True, withscores=True)

    def place(self, board, player):
        """From 1 for the best; None for who has not played."""
        rank = self.client.zrevrank(f"{GAME}:{board}", player)
        return None if rank is None else rank + 1

    def around(self, board, player, neighbours):
        """The player with as many others before and behind."""
        place = self.place(board, player)
        first = max(place - 1 - neighbours, 0)
        last = place - 1 + neighbours
        return self.client.zrange(f"{GAME}:{board}", first, last, desc=True)

    def make_season(self, weeks):
        self.client.zunionstore(f"{GAME}:season", [f"{GAME}:week:{week}" for week in weeks])


def ranking(points):
    """What the board should say: by points, and among equals by name, both downwards."""
    return sorted(points.items(), key=lambda entry: (entry[1], entry[0]), reverse=True)


def main():
    board = Leaderboard(connect())
    weeks = [1, 2]
    boards = [f"week:{week}" for week in weeks] + ["ever", "season"]
    board.client.delete(*[f"{GAME}:{name}" for name in boards])

    dice = random.Random(1)
    games = [(dice.choice(weeks), dice.choice(PLAYERS), dice.randint(1, 50)) for _ in range(1_000)]
    with ThreadPoolExecutor(10) as arrivals:
        list(arrivals.map(lambda game: board.score(*game), games))

    expected = {name: Counter() for name in boards}
    for week, player, points in games:
        for name in (f"week:{week}", "ever", "season"):
            expected[name][player] += points
    board.make_season(weeks)
    for name in boards:
        found = [tuple(entry) for entry in board.top(name, len(PLAYERS))]
        assert found == ranking(expected[name]), name

    order = [player for player, _ in ranking(expected["ever"])]
    assert board.place("ever", order[9]) == 10
    assert board.place("ever", "nobody") is None
    assert board.around("ever", order[9], 2) == order[7:12]
    assert board.around("ever", order[0], 2) == order[0:3]

    best, points = board.top("ever", 1)[0]
    print(f"leaderboard: {len(games)} games ranked; {best} leads with {points:.0f} points")


if __name__ == "__main__":
    main()

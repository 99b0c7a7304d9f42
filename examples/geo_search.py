"""Geo search: which places are near here, how far are they, and which of them are open.

Run: make run   (in another terminal)
     target/python/bin/python examples/geo_search.py [host:port]
"""

import math

from connect import connect

# Both keys on one shard, so that they can be intersected.
PLACES = "example:geo:{museums}"
OPEN = "example:geo:{museums}:open"
NEARBY = "example:geo:{museums}:nearby"

MUSEUMS = {
    "Louvre": (2.3376, 48.8606),
    "Orsay": (2.3266, 48.8600),
    "Pompidou": (2.3522, 48.8607),
    "Rodin": (2.3158, 48.8553),
    "Versailles": (2.1204, 48.8049),
    "British Museum": (-0.1270, 51.5194),
    "Rijksmuseum": (4.8852, 52.3600),
}
NOTRE_DAME = (2.3499, 48.8530)
EARTH_RADIUS_METRES = 6_372_797.56


def metres(one, other):
    """The distance on a sphere."""
    (lon1, lat1), (lon2, lat2) = (map(math.radians, place) for place in (one, other))
    u, v = math.sin((lat2 - lat1) / 2), math.sin((lon2 - lon1) / 2)
    root = math.sqrt(u * u + math.cos(lat1) * math.cos(lat2) * v * v)
    return 2 * EARTH_RADIUS_METRES * math.asin(root)


def near(client, key, place, radius_metres):
    longitude, latitude = place
    return client.geosearch(
        key, longitude=longitude, latitude=latitude, radius=radius_metres, unit="m",
        sort="ASC", withdist=True,
    )


def main():
    client = connect()
    client.delete(PLACES, OPEN, NEARBY)
    client.geoadd(PLACES, [part for name, at in MUSEUMS.items() for part in (*at, name)])

    found = near(client, PLACES, NOTRE_DAME, 3_000)
    expected = sorted(
        (metres(NOTRE_DAME, at), name)
        for name, at in MUSEUMS.items()
        if metres(NOTRE_DAME, at) <= 3_000
    )
    assert [name for name, _ in found] == [name for _, name in expected]
    for (_, told), (computed, _) in zip(found, expected):
        assert abs(told - computed) < 1, f"{told} m instead of {computed} m"

    across = client.geodist(PLACES, "Louvre", "British Museum", unit="km")
    assert abs(across - metres(MUSEUMS["Louvre"], MUSEUMS["British Museum"]) / 1000) < 0.01

    box = client.geosearch(PLACES, member="Louvre", width=60, height=60, unit="km", sort="ASC")
    assert box[0] == "Louvre" and set(box) == {"Louvre", "Orsay", "Pompidou", "Rodin", "Versailles"}

    # Places are members of a sorted set, so other sets can be intersected with them.
    client.sadd(OPEN, "Rodin", "Pompidou", "Rijksmuseum")
    client.zinterstore(NEARBY, {PLACES: 1, OPEN: 0})
    assert [name for name, _ in near(client, NEARBY, NOTRE_DAME, 3_000)] == ["Pompidou", "Rodin"]

    nearest, distance = found[0]
    print(f"geo search: {len(found)} museums near Notre-Dame, {nearest} is {distance:.0f} m away")


if __name__ == "__main__":
    main()

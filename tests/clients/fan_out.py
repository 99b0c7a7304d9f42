"""Functions and scripts on redis-py's RedisCluster, which sends their commands to all leaders, one
after another: `fan_out.py HOST PORT`. Every round ends as it began, with nothing loaded."""

import sys

from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, ResponseError

ROUNDS = 2
# So many keys that every shard has some.
KEYS = [f"fan:{number}" for number in range(24)]


def library(version):
    return (
        "#!lua name=py\n"
        "redis.register_function('put', function(keys, args)\n"
        f"  return redis.call('SET', keys[1], args[1] .. ' by {version}')\n"
        "end)\n"
        "redis.register_function{function_name='look', callback=function(keys)\n"
        "  return redis.call('GET', keys[1])\n"
        "end, flags={'no-writes'}}\n"
    )


def everybody(reply):
    """What all shards said, given as the reply of each."""
    [said] = set(reply.values())
    return said


def refused(text, call):
    try:
        reply = call()
    except ResponseError as error:
        assert text in str(error), error
        return
    raise AssertionError(f"{reply!r} instead of {text}")


def works_everywhere(client, version):
    for key in KEYS:
        assert client.fcall("put", 1, key, key) == "OK"
        assert client.fcall_ro("look", 1, key) == f"{key} by {version}"


def functions(client):
    assert everybody(client.function_load(library(1))) == "py"
    works_everywhere(client, 1)
    refused("Library 'py' already exists", lambda: client.function_load(library(1)))
    refused("Library 'py' already exists", lambda: client.function_load(library(2)))
    works_everywhere(client, 1)
    assert everybody(client.function_load(library(1), replace=True)) == "py"
    assert everybody(client.function_load(library(2), replace=True)) == "py"
    works_everywhere(client, 2)
    refused("Error compiling", lambda: client.function_load("#!lua name=py\nx y", replace=True))
    dump = client.function_dump()
    assert everybody(client.function_delete("py"))
    refused("Library not found", lambda: client.function_delete("py"))
    refused("Function not found", lambda: client.fcall("put", 1, KEYS[0], "x"))
    assert everybody(client.function_restore(dump))
    refused("Library py already exists", lambda: client.function_restore(dump))
    works_everywhere(client, 2)
    for _ in range(2):
        assert everybody(client.function_flush())
    refused("Function not found", lambda: client.fcall("put", 1, KEYS[0], "x"))


def scripts(client):
    text = "return redis.call('APPEND', KEYS[1], ARGV[1])"
    digest = client.script_load(text)
    assert client.script_exists(digest, "f" * 40) == [True, False]
    for key in KEYS:
        client.delete(key)
        assert client.evalsha(digest, 1, key, "abc") == 3
    assert client.script_flush()
    assert client.script_exists(digest) == [False]
    try:
        client.evalsha(digest, 1, KEYS[0], "abc")
    except NoScriptError:
        pass
    else:
        raise AssertionError("the script is still there")
    registered = client.register_script(text)
    for key in KEYS:
        assert registered(keys=[key], args=["abc"]) == 6
    client.script_flush()


def main():
    client = RedisCluster(host=sys.argv[1], port=int(sys.argv[2]), decode_responses=True)
    client.function_flush()
    for _ in range(ROUNDS):
        functions(client)
        scripts(client)
    print(f"{ROUNDS} rounds", flush=True)


if __name__ == "__main__":
    main()

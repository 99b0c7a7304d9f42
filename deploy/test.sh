#!/usr/bin/env bash
# Brings the compose file's cluster up, kills a leader, restarts every container
# and checks that everything written is still there.
#
#   deploy/test.sh [PROFILE]       a cargo profile for the image, `quick` unless told otherwise
#
# Exits with 77 where no container engine can run, which test harnesses read as
# "skipped". Uses the engine that answers, else starts one of its own as root
# (Debian: apt-get install docker.io docker-compose iptables), and stops it.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "deploy test: skipped, $1"
    exit 77
}

fail() {
    echo "deploy test: FAILED, $1" >&2
    compose ps >&2 || true
    compose logs --no-color --tail 5 >&2 || true
    exit 1
}

engine_pid=
scratch=$(mktemp -d)
started=

cleanup() {
    [ -z "$started" ] || compose down --volumes --timeout 20 >/dev/null 2>&1 || true
    if [ -n "$engine_pid" ]; then
        kill "$engine_pid"
        wait "$engine_pid" || true
    fi
    rm -rf "$scratch"
}
trap cleanup EXIT

find_engine() {
    command -v docker >/dev/null || skip "there is no docker command"
    docker info >/dev/null 2>&1 && return
    command -v dockerd >/dev/null || skip "no container engine answers and dockerd is not installed"
    [ "$(id -u)" = 0 ] || skip "no container engine answers and starting one takes root"
    export DOCKER_HOST="unix://$scratch/docker.sock"
    dockerd --host "$DOCKER_HOST" --data-root "$scratch/data" --exec-root "$scratch/exec" \
        --pidfile "$scratch/pid" >"$scratch/log" 2>&1 &
    engine_pid=$!
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        kill -0 "$engine_pid" 2>/dev/null || break
        sleep 0.5
    done
    skip "no container engine can run here: $(tail -n 1 "$scratch/log")"
}

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose --project-name quoris-test --file deploy/compose.yaml "$@"
    else
        docker-compose --project-name quoris-test --file deploy/compose.yaml "$@"
    fi
}

cli() {
    deploy/rootfs/system/bin/cluster-cli "$@"
}

redis() {
    redis-cli -c -h "$first" "$@"
}

wait_until_ok() {
    for _ in $(seq 120); do
        cli check "$first:6379" >/dev/null 2>&1 && return
        sleep 0.5
    done
    fail "$1: $(cli check "$first:6379" 2>&1)"
}

find_engine
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    skip "neither 'docker compose' nor docker-compose is installed"
command -v redis-cli >/dev/null || skip "there is no redis-cli"

export QUORIS_NET=${QUORIS_NET:-172.30.77}
first=$QUORIS_NET.11

deploy/rootfs.sh "${1:-quick}"
started=yes
compose up --detach --build || fail "the containers did not start"
wait_until_ok "the cluster did not form itself"
cli status "$first:6379"

echo "deploy test: writing"
for number in $(seq 300); do
    [ "$(redis set "key:$number" "$number")" = OK ] || fail "key:$number was not written"
done

echo "deploy test: killing the leader of the first shard"
leader=$(cli status --json "$first:6379" | python3 -c '
import json, sys
shard = json.load(sys.stdin)["shards"][0]
print(next(node["address"] for node in shard["nodes"] if node["role"] == "leader"))')
number=${leader%:*}
number=$((${number##*.} - 10))
first=$QUORIS_NET.$((number == 1 ? 12 : 11))
compose kill "node-$number"
for number in $(seq 301 400); do
    until [ "$(redis set "key:$number" "$number" 2>/dev/null)" = OK ]; do sleep 0.1; done
done

echo "deploy test: restarting every container"
compose up --detach
compose restart
wait_until_ok "the cluster did not come back"
compose run --rm create | grep -q "already form one cluster" || fail "create is not idempotent"
for number in $(seq 400); do
    [ "$(redis get "key:$number")" = "$number" ] || fail "key:$number is missing"
done
echo "deploy test: ok, 400 of 400 keys survived a killed leader and a restart of every container"

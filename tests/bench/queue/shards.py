"""DAGs of no-ops in three shards against the same in one: on one Redis, and on
three primaries of a Cluster, each of which has one of the shards."""

import os
import random
import statistics
import subprocess
import sys
import time

from redis_server import Redis, Server

QUEUE = os.path.join(os.environ.get("BUILD", "build"),
                     "tests/bench/queue/queue-shard")
CHILDREN = 13
TASKS = CHILDREN + 1
ENDS = (0, 5460), (5461, 10922), (10923, 16383)


def primary():
    for _ in range(20):
        # its bus is at the port + 10000, below where the kernel takes the
        # ports of connections from
        port = str(random.randrange(15000, 22000))
        try:
            return Server("--port", port, "--cluster-enabled", "yes",
                          "--cluster-node-timeout", "60000"), port
        except RuntimeError:
            pass
    sys.exit("bench-queue: no port of 20 is free")


class Primaries:
    """three of a Cluster; `shards` is one of each, {shard: socket}"""

    def __init__(self):
        self.servers, ports = zip(*(primary() for _ in range(3)))
        redis = [s.connect() for s in self.servers]
        for r, (first, last) in zip(redis, ENDS):
            r("CLUSTER", "ADDSLOTS", *range(first, last + 1))
        for port in ports[1:]:
            redis[0]("CLUSTER", "MEET", "127.0.0.1", port)
        for r in redis:
            while "cluster_state:ok" not in r("CLUSTER", "INFO"):
                time.sleep(0.05)
        self.shards = {}
        for shard in range(64):
            slot = redis[0]("CLUSTER", "KEYSLOT", "reel1:{r%d}:" % shard)
            path = next(s.path for s, (_, last) in zip(self.servers, ENDS)
                        if slot <= last)
            if path not in self.shards.values():
                self.shards[shard] = path
        for r in redis:
            r.close()

    def stop(self):
        for s in self.servers:
            s.stop()


def info(redis, section, *names):
    """the sum of these"""
    text = redis("INFO", section)
    pairs = dict(line.split(":", 1) for line in text.split("\r\n")
                 if ":" in line)
    return sum(float(pairs[n]) for n in names)


def redis_cpu(redis):
    return info(redis, "cpu", "used_cpu_user", "used_cpu_sys")


def start(verb, shard, path, *args):
    return subprocess.Popen([QUEUE, verb, path, *args],
                            env={**os.environ, "BENCH_SHARD": str(shard)},
                            stdout=subprocess.PIPE)


def race(shards, flows):
    """one worker and one producer a shard, {shard: socket}, `flows` DAGs in
    all -> (tasks a second, microseconds of Redis' CPU a task)"""
    servers = [Redis(path) for path in set(shards.values())]
    for redis in servers:
        redis("FLUSHALL")
    n = str(flows // len(shards))
    done = TASKS * int(n) * len(shards)
    workers = [start("work", *kv, n, str(CHILDREN)) for kv in shards.items()]
    for w in workers:
        w.stdout.readline()
    cpu, began = sum(map(redis_cpu, servers)), time.monotonic()
    producers = [start("produce", *kv, n, "4") for kv in shards.items()]
    for p in workers + producers:
        if p.wait() != 0:
            sys.exit("bench-queue: %s failed" % " ".join(p.args))
        p.stdout.close()
    took = time.monotonic() - began
    cpu = sum(map(redis_cpu, servers)) - cpu
    for redis in servers:
        redis.close()
    return done / took, 1e6 * cpu / done


def claim_us(shards, depth=10000):
    """the median of a claim in the first shard, with so many ready in all"""
    for redis in map(Redis, set(shards.values())):
        redis("FLUSHALL")
        redis.close()
    per, n = 100, depth // len(shards)
    for shard, path in shards.items():
        if start("fill", shard, path, str(n // per), str(per)).wait() != 0:
            sys.exit("bench-queue: fill failed")
    shard, path = next(iter(shards.items()))
    return float(start("claims", shard, path, "2000", "1")
                 .communicate()[0].split()[0])


def compare(path, o, figure):
    """`path` is a Redis of its own; figure(name, value, unit)"""
    primaries = Primaries()
    try:
        ways = {"one": {0: path}, "three": {k: path for k in range(3)},
                "cluster": primaries.shards}
        seen = {way: [] for way in ways}
        for i in range(o.rounds):
            for way in list(ways)[::-1 if i % 2 else 1]:
                seen[way].append(race(ways[way], o.flows))
            print("round %d: %s" % (i + 1, "; ".join(
                "%s %.0f tasks/s, %.1f us of Redis a task"
                % (way, *seen[way][-1]) for way in ways)), flush=True)
        claims = {way: claim_us(shards) for way, shards in ways.items()}
        print("a claim among 10000: " + ", ".join(
            "%s %.0f us" % kv for kv in claims.items()), flush=True)
    finally:
        primaries.stop()

    def over(way, column):
        return "%.2f" % statistics.median(
            a[column] / b[column] for a, b in zip(seen[way], seen["one"]))
    for way, name in ("three", "shards_3"), ("cluster", "cluster_3"):
        figure("queue_%s_vs_1" % name, over(way, 0), "ratio")
        figure("queue_%s_redis_cpu_vs_1" % name, over(way, 1), "ratio")
        figure("claim_%s_vs_1" % name, "%.2f" % (claims[way]
                                                 / claims["one"]), "ratio")

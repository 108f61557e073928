"""Redis as it is in production: sentinels, an ACL, a Cluster, no memory left."""

import os
import random
import signal
import socket
import subprocess

import pytest

from client import presign, put

from reel import K, Stack, clip, wait_for

PASSWORD = "films-only"

# what docs/workerd.md says that workerd and nginx need
ACL = "user reel on >%s ~reel1:* &reel1:* +@all -@admin -@dangerous " \
      "+role +info +config|get" % PASSWORD


class Node:
    """A redis-server on a port of its own."""

    def __init__(self, stack, *options, conf=""):
        # a Cluster's bus is at the port + 10000
        while True:
            self.port = random.randrange(15000, 32000)
            with socket.socket() as s, socket.socket() as bus:
                if (s.connect_ex(("127.0.0.1", self.port)) and bus.connect_ex(
                        ("127.0.0.1", self.port + 10000))):
                    break
        self.dir = os.path.join(stack.dir, "node-%d" % self.port)
        os.makedirs(self.dir)
        path = os.path.join(self.dir, "redis.conf")
        with open(path, "w") as f:
            f.write("port %d\nbind 127.0.0.1\ndir %s\nsave \"\"\n%s\n"
                    % (self.port, self.dir, conf))
        self.proc = subprocess.Popen(
            ["redis-server", path, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(lambda: self("PING") == "PONG")

    def __call__(self, *args, auth=()):
        out = subprocess.run(
            ["redis-cli", "--no-auth-warning", "-p", str(self.port), *auth,
             *map(str, args)], capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        return out.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.send_signal(signal.SIGCONT)
        self.proc.kill()
        self.proc.wait()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port


@pytest.fixture
def stack():
    with Stack() as s:
        yield s


def upload(stack, path):
    """by the door, so that nginx tells Redis; the asset's id"""
    with open(path, "rb") as f:
        return put(presign(stack.url, "PUT", "/upload/video/x"), f.read())


def password_file(stack):
    path = os.path.join(stack.dir, "password")
    with open(path, "w") as f:
        f.write(PASSWORD + "\n")
    return path


@pytest.mark.chaos
def test_failover_in_the_middle(stack):
    """The master dies with what its replica never saw; the film is made."""
    with Node(stack, conf=ACL) as master, \
            Node(stack, conf=ACL + "\nreplicaof 127.0.0.1 %d"
                 % master.port) as replica, \
            Node(stack, "--sentinel", conf="sentinel monitor films 127.0.0.1 "
                 "%d 1\nsentinel down-after-milliseconds films 1000\n"
                 "sentinel failover-timeout films 3000" % master.port
                 ) as sentinel:
        stack.conf["redis"] = {
            "address": ["127.0.0.1:1", sentinel.address],
            "sentinel": "films", "user": "reel",
            "password_file": password_file(stack)}
        stack.start_nginx(redis="127.0.0.1:1 %s sentinel=films user=reel "
                          "password_file=%s" % (sentinel.address,
                                                password_file(stack)))
        wait_for(lambda: "slave0" in master("INFO", "replication"))
        wait_for(lambda: "slaves=1" in sentinel("INFO", "sentinel"))
        a = stack.put(clip(60))
        w = stack.start_workerd()

        def undone():
            return int(master("HGET", K + "job:" + a + ".1", "left") or 99)
        wait_for(lambda: master("HGET", K + "job:" + a + ".1", "v0.0:s")
                 == "done")
        replica.proc.send_signal(signal.SIGSTOP)
        left = undone()
        wait_for(lambda: undone() < left)
        master.proc.kill()
        replica.proc.send_signal(signal.SIGCONT)
        wait_for(lambda: "role:master" in replica("INFO", "replication"))
        stack.check_ready(a, frames=1800, seconds=60)
        assert w.proc.poll() is None
        assert replica("HGET", K + "job:" + a + ".1", "state") == "done"
        assert PASSWORD not in stack.said()
        # nginx found the new one as well
        b = upload(stack, clip(2))
        wait_for(lambda: replica("EXISTS", K + "job:" + b + ".1") == "1")


def test_cluster(stack):
    """Three primaries; the first that is asked has another's slots."""
    with Node(stack, conf="cluster-enabled yes") as a, \
            Node(stack, conf="cluster-enabled yes") as b, \
            Node(stack, conf="cluster-enabled yes") as c:
        ends = (0, 5460), (5461, 10922), (10923, 16383)
        for node, (first, last) in zip((a, b, c), ends):
            node("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in b, c:
            a("CLUSTER", "MEET", "127.0.0.1", node.port)
        slot = int(a("CLUSTER", "KEYSLOT", K))
        owner = [n for n, e in zip((a, b, c), ends) if e[0] <= slot <= e[1]]
        other = next(n for n in (a, b, c) if n is not owner[0])
        for node in a, b, c:
            wait_for(lambda: "cluster_state:ok"
                     in node("CLUSTER", "INFO"))
        stack.conf["redis"] = {"address": ["127.0.0.1:1", other.address]}
        stack.start_nginx(redis=other.address)
        stack.start_workerd()
        film = upload(stack, clip(2))
        stack.check_ready(film, frames=60)
        assert owner[0]("HGET", K + "job:" + film + ".1", "state") == "done"
        assert other("DBSIZE") == "0"


def test_no_memory_left(stack):
    """Jobs wait, uploads are taken, and the log says so, once."""
    stack.start_redis().start_nginx()
    stack.redis("CONFIG", "SET", "maxmemory", "1")
    stack.start_workerd()
    a = upload(stack, clip(2))
    wait_for(lambda: "REDIS HAS NO MEMORY LEFT" in stack.said())
    with open(os.path.join(stack.dir, "nginx.log")) as f:
        assert "OOM command not allowed" in f.read()
    stack.redis("CONFIG", "SET", "maxmemory", "0")
    stack.check_ready(a, frames=60)
    assert stack.said().count("REDIS HAS NO MEMORY LEFT") == 1

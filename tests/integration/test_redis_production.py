"""Redis as it is in production: sentinels, an ACL, a Cluster, no memory left."""

import json
import os
import random
import re
import signal
import subprocess

import pytest

from client import get, presign, put

from reel import K, Stack, clip, job_hash, ulid, wait_for

PASSWORD = "films-only"
WATCH = "sentinels-only"

# what docs/workerd.md says that workerd and nginx need
ACL = "user reel on >%s ~reel1:* &reel1:* +@all -@admin -@dangerous " \
      "+role +info +config|get" % PASSWORD


class Node:
    """A redis-server on a port of its own."""

    def __init__(self, stack, *options, conf="", password=""):
        self.env = dict(os.environ)
        if password:
            self.env["REDISCLI_AUTH"] = password
            conf = "requirepass %s\n%s" % (password, conf)
        for _ in range(20):
            # a Cluster's bus is at the port + 10000, below where the kernel
            # takes the ports of connections from; other tests take some, too
            self.port = random.randrange(15000, 22000)
            self.dir = os.path.join(stack.dir, "node-%d" % self.port)
            os.makedirs(self.dir, exist_ok=True)
            path = os.path.join(self.dir, "redis.conf")
            with open(path, "w") as f:
                f.write("port %d\nbind 127.0.0.1\ndir %s\nsave \"\"\n%s\n"
                        % (self.port, self.dir, conf))
            self.argv = ["redis-server", path, *options]
            if self.start():
                return
        raise OSError("no port of 20 is free")

    def start(self):
        """False: it ended at once, as where the port is another's."""
        self.proc = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL)
        wait_for(lambda: self.proc.poll() is not None
                 or "process_id:%d\n" % self.proc.pid
                 in self("INFO", "server").replace("\r", ""))
        return self.proc.poll() is None

    def __call__(self, *args, auth=()):
        out = subprocess.run(
            ["redis-cli", "--no-auth-warning", "-p", str(self.port), *auth,
             *map(str, args)], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, env=self.env)
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


def password_file(stack, name="password", text=PASSWORD):
    path = os.path.join(stack.dir, name)
    with open(path, "w") as f:
        f.write(text + "\n")
    return path


@pytest.mark.chaos
@pytest.mark.parametrize("shards", (1, 2))
def test_failover_in_the_middle(stack, shards):
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
            "sentinel": "films", "user": "reel", "shards": shards,
            "password_file": password_file(stack)}
        stack.start_nginx(redis="127.0.0.1:1 %s sentinel=films user=reel "
                          "password_file=%s shards=%d"
                          % (sentinel.address, password_file(stack), shards))
        wait_for(lambda: "slave0" in master("INFO", "replication"))
        wait_for(lambda: "slaves=1" in sentinel("INFO", "sentinel"))
        a = stack.put(clip(60), asset=ulid_in(shards - 1, shards))
        w = stack.start_workerd()
        job = job_key(a, shards)

        def undone():
            return int(job_hash.get(master, job, "left") or 99)
        wait_for(lambda: job_hash.get(master, job, "v0.0:s") == "done")
        replica.proc.send_signal(signal.SIGSTOP)
        left = undone()
        wait_for(lambda: undone() < left)
        master.proc.kill()
        replica.proc.send_signal(signal.SIGCONT)
        wait_for(lambda: "role:master" in replica("INFO", "replication"))
        stack.check_ready(a, frames=1800, seconds=60)
        assert w.proc.poll() is None
        assert job_hash.get(replica, job, "state") == "done"
        assert PASSWORD not in stack.said()
        # and reelctl by the sentinel, whoever it named before
        p = stack.ctl("doctor", "--redis", "127.0.0.1:1," + sentinel.address,
                      "--redis-sentinel", "films", "--redis-user", "reel",
                      "--redis-password-file", password_file(stack))
        assert "%s answers" % replica.address in p.stdout, p.stderr
        # nginx found the new one as well, and so did all shards' connections
        b = upload(stack, clip(2))
        wait_for(lambda: replica("EXISTS", job_key(b, shards)) == "1")
        for k in range(shards):
            assert stack.wait(stack.put(clip(1), asset=ulid_in(k, shards)))[
                "ready"]


# what docs/workerd.md says that those who ask a sentinel need
ASKS = "user asks on >%s -@all +sentinel|get-master-addr-by-name" % WATCH


def test_sentinels_with_a_password(stack):
    """Theirs is not the master's, and neither is told to the other."""
    with Node(stack, conf=ACL) as master, \
            Node(stack, "--sentinel", password=WATCH, conf=ASKS
                 + "\nsentinel monitor films 127.0.0.1 %d 1" % master.port
                 ) as sentinel:
        watch = password_file(stack, "watch", WATCH)
        conf = {"address": sentinel.address, "sentinel": "films",
                "user": "reel", "password_file": password_file(stack)}
        worker = stack.start_workerd(redis=conf)
        wait_for(lambda: "NOAUTH Authentication required" in stack.said())
        worker.kill(signal.SIGTERM)
        assert worker.wait() == 0
        stack.start_nginx(redis="%s sentinel=films user=reel password_file=%s "
                          "sentinel_password_file=%s"
                          % (sentinel.address, conf["password_file"], watch))
        film = upload(stack, clip(1))
        wait_for(lambda: master("EXISTS", job_key(film, 1)) == "1")
        stack.start_workerd(redis={**conf, "sentinel_user": "asks",
                                   "sentinel_password_file": watch})
        assert stack.wait(film)["ready"]
        for secret in PASSWORD, WATCH:
            assert secret not in stack.said()


def test_a_user_without_channels(stack):
    """ACL SETUSER gives none by itself: said once, tried again ever rarer"""
    with Node(stack, conf=ACL.replace("&reel1:*", "resetchannels")) as node:
        def refused():
            return sum(map(int, re.findall(r"(?m)^count\n(\d+)$",
                                           node("ACL", "LOG"))))
        stack.start_workerd(redis={"address": node.address, "user": "reel",
                                   "password_file": password_file(stack)})
        wait_for(lambda: refused() >= 5)
        assert stack.said().count("MAY NOT LISTEN TO reel1:{r0}:wake") == 1
        assert "connection lost" not in stack.said()
        node("ACL", "SETUSER", "reel", "&reel1:*")
        assert stack.wait(stack.put(clip(1)))["ready"]


def shard_of(asset, shards):
    """CRC-32C of the id, modulo: as docs/redis-keys.md has it"""
    crc = 0xffffffff
    for byte in asset.encode():
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return (crc ^ 0xffffffff) % shards


def ulid_in(shard, shards):
    return next(u for u in iter(ulid, None) if shard_of(u, shards) == shard)


def job_key(asset, shards):
    return "reel1:{r%d}:job:%s.1" % (shard_of(asset, shards), asset)


def hold(stack, asset, node):
    """the job's state, as the node has it that should"""
    return job_hash.get(node, job_key(asset, SHARDS), "state")


SHARDS = 4
ENDS = (0, 5460), (5461, 10922), (10923, 16383)


def cluster(nodes):
    """of three primaries; which of them has which shard"""
    for node, (first, last) in zip(nodes, ENDS):
        node("CLUSTER", "ADDSLOTSRANGE", first, last)
    for node in nodes[1:]:
        nodes[0]("CLUSTER", "MEET", "127.0.0.1", node.port)
    for node in nodes:
        wait_for(lambda: "cluster_state:ok" in node("CLUSTER", "INFO"))
    slots = [int(nodes[0]("CLUSTER", "KEYSLOT", "reel1:{r%d}:" % k))
             for k in range(SHARDS)]
    return [next(n for n, e in zip(nodes, ENDS) if e[0] <= s <= e[1])
            for s in slots]


def test_cluster(stack):
    """Shards on three primaries: films of all are made, one with another
    number of shards is refused, and while a primary is dead the others'
    films are made."""
    conf = "cluster-enabled yes\ncluster-node-timeout 1000\n" \
           "cluster-require-full-coverage no\nappendonly yes"
    with Node(stack, conf=conf) as a, Node(stack, conf=conf) as b, \
            Node(stack, conf=conf) as c:
        owner = cluster((a, b, c))
        assert {n.port for n in owner} == {a.port, b.port, c.port}
        seeds = [b.address, c.address, a.address]
        stack.conf["redis"] = {"address": ["127.0.0.1:1", *seeds],
                               "shards": SHARDS}
        stack.start_nginx(redis="%s shards=%d" % (" ".join(seeds), SHARDS))
        stack.start_workerd()
        wait_for(lambda: all(n("GET", "reel1:{r%d}:shards" % k) == "4"
                             for k, n in enumerate(owner)))

        # those that listen are not all with the node that is named first
        def listeners(node):
            return re.findall(r"sub=[1-9]", node("CLIENT", "LIST"))
        wait_for(lambda: sum(len(listeners(n)) for n in (a, b, c)) == SHARDS)
        assert all(listeners(n) for n in (a, b, c))

        # one by nginx, and by the outbox one for each of the other primaries
        films = [upload(stack, clip(1))]
        shards = {n.port: k for k, n in enumerate(owner)}
        del shards[owner[shard_of(films[0], SHARDS)].port]
        films += [stack.put(clip(1), asset=ulid_in(k, SHARDS))
                  for k in shards.values()]
        other = stack.start_workerd(redis={"address": seeds, "shards": 3})
        assert other.wait() == 1
        assert "REDIS HAS 4 SHARDS, THE CONFIGURATION SAYS 3" in stack.said()
        for film in films:
            assert stack.wait(film)["ready"]
            assert hold(stack, film, owner[shard_of(film, SHARDS)]) == "done"
        # to be sent elsewhere is no error
        with open(os.path.join(stack.dir, "nginx.log")) as f:
            log = f.read()
        assert "[info]" in log and not re.search(r"\[error\].* MOVED ", log)
        listed = json.loads(get(presign(stack.url, "GET", "/api/assets")))
        created = [x["created_at"] for x in listed["assets"]]
        assert {x["id"] for x in listed["assets"]} == set(films)
        assert created == sorted(created, reverse=True)

        # the dead one's film stands still, and loses nothing
        dead = owner[SHARDS - 1]
        slow = stack.put(clip(6), asset=ulid_in(SHARDS - 1, SHARDS))
        wait_for(lambda: hold(stack, slow, dead) == "running")
        dead.proc.kill()
        dead.proc.wait()
        rest = [stack.put(clip(1), asset=ulid_in(owner.index(n), SHARDS))
                for n in (a, b, c) if n is not dead]
        for film in rest:
            assert stack.wait(film)["ready"]
        assert stack.result(slow) is None
        assert dead.start()
        stack.check_ready(slow, frames=180)


def test_a_shard_that_is_silent(stack):
    """A claim that is not answered keeps nobody from the other shards, though
    its connection stands: theirs are made before it is given up."""
    conf = "cluster-enabled yes\ncluster-node-timeout 60000"
    with Node(stack, conf=conf) as a, Node(stack, conf=conf) as b, \
            Node(stack, conf=conf) as c:
        owner = cluster((a, b, c))
        stack.conf["redis"] = {"address": [a.address, b.address, c.address],
                               "shards": SHARDS}
        stack.start_workerd(poll_ms=100)
        wait_for(lambda: all(n("GET", "reel1:{r%d}:shards" % k) == "4"
                             for k, n in enumerate(owner)))
        silent = owner[SHARDS - 1]
        other = next(k for k, n in enumerate(owner) if n is not silent)
        silent.proc.send_signal(signal.SIGSTOP)
        film = stack.put(clip(1), asset=ulid_in(other, SHARDS))
        wait_for(lambda: "job=%s.1 task=inspect msg=\"begins" % film
                 in stack.said())
        given_up = re.search(r"shard %d\b.*no answer" % (SHARDS - 1),
                             stack.said())
        assert given_up is None
        late = stack.put(clip(1), asset=ulid_in(SHARDS - 1, SHARDS))
        assert stack.wait(film)["ready"]
        assert stack.result(late) is None
        silent.proc.send_signal(signal.SIGCONT)
        assert stack.wait(late)["ready"]


def test_shards_take_turns(stack):
    """Two films in two shards, one slot: neither waits for the other."""
    stack.start_redis()
    stack.conf["redis"] = {"address": "unix:" + stack.socket, "shards": 2}
    films = [stack.put(clip(60, audio=False), asset=ulid_in(k, 2))
             for k in (0, 1)]
    # both are planned by one whose disk is full: no encode begins
    full = stack.start_workerd(limits={"disk_free_mib": 1 << 24})
    for k, film in enumerate(films):
        job = "reel1:{r%d}:job:%s.1" % (k, film)
        wait_for(lambda: job_hash.get(stack.redis, job, "v1.0:s") == "ready")
    full.kill(signal.SIGTERM)
    assert full.wait() == 0
    stack.start_workerd("--slots", "1")
    for film in films:
        assert stack.wait(film)["ready"]
    turns = [films.index(a) for a in re.findall(
        r"job=(\w+)\.1 task=v\d+\.0 msg=.begins", stack.said())]
    assert len(turns) >= 10
    # a shard that is being asked for light tasks may miss one turn
    middle = turns[1:-2]
    assert all(set(middle[i:i + 3]) == {0, 1}
               for i in range(len(middle) - 2)), turns


def test_a_shard_that_refuses(stack):
    """Another one's film is made meanwhile, without waiting for a poll; and
    a daemon ends well while both are asked."""
    stack.start_redis()
    stack.conf["redis"] = {"address": "unix:" + stack.socket, "shards": 2}
    stack.redis("SET", "reel1:{r0}:queues", "no set")
    film = stack.put(clip(1), asset=ulid_in(1, 2))
    worker = stack.start_workerd(poll_ms=60000)
    assert stack.wait(film, timeout=40)["ready"]
    assert "a claim was refused: WRONGTYPE" in stack.said()
    stack.redis("CLIENT", "PAUSE", "4000")
    worker.kill(signal.SIGTERM)
    assert worker.wait() == 0


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
    assert stack.said().count("OOM command") == 0

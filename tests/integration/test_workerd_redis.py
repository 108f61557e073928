"""Redis away, emptied, restarted, behind a password."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from reel import K, ROOT, Stack, clip, wait_for
from test_workerd_kill import some_done

pytestmark = pytest.mark.chaos


@pytest.fixture
def stack():
    with Stack() as s:
        yield s


def test_redis_comes_later(stack):
    a = stack.put(clip(8))
    w = stack.start_workerd()
    time.sleep(1)
    assert w.proc.poll() is None and "cannot connect" in stack.said()
    stack.start_redis()
    stack.check_ready(a, frames=240)


def test_redis_away_in_the_middle(stack):
    """longer than a lease; what runs goes on and is told afterwards"""
    stack.start_redis()
    a = stack.put(clip(60))
    w = stack.start_workerd()
    some_done(stack, a)
    stack.stop_redis()
    time.sleep(5)
    assert w.proc.poll() is None
    stack.start_redis()
    stack.check_ready(a, frames=1800, seconds=60)
    # nobody else renewed or swept: nothing was done twice
    assert {stack.task(a, t, "n") for t in stack.tasks(a)} == {"1"}


def test_redis_emptied_in_the_middle(stack):
    stack.start_redis()
    a = stack.put(clip(60))
    stack.start_workerd()
    some_done(stack, a, 3)
    stack.redis("FLUSHALL")
    before = {o for o in stack.objects(a) if o.startswith("v240/")}
    ix = stack.check_ready(a, frames=1800, seconds=60)
    named = {"v240/" + o["name"] for o in ix["renditions"]["v240"]["objects"]}
    assert len(before & named) >= 3, "done chunks were made again"
    assert "was done before" in stack.said()


def test_redis_forgot_a_finished_job(stack):
    """pending/ is gone, so nothing runs again"""
    stack.start_redis()
    a = stack.put(clip(8))
    stack.start_workerd()
    stack.wait(a)
    stack.redis("FLUSHALL")
    time.sleep(2.5)
    assert stack.redis("EXISTS", K + "job:" + a + ".1") == 0


def test_redis_forgot_how_a_job_went_on(stack):
    """A replica took its place that had seen less, and the job is over: its
    tasks end without being done again, though their answers are swept."""
    stack.start_redis()
    a = stack.put(clip(8))
    planner = stack.start_workerd(limits={"disk_free_mib": 1 << 24})
    wait_for(lambda: stack.tasks(a).get("v0.0") == "ready")
    planner.kill(signal.SIGTERM)
    assert planner.wait() == 0
    stack.stop_redis()
    kept = shutil.copytree(os.path.join(stack.dir, "redis"),
                           os.path.join(stack.dir, "replica"))
    stack.start_redis()
    w = stack.start_workerd(sweep_s=1, sweep_age_s=1)
    assert stack.wait(a)["ready"]
    wait_for(lambda: not os.listdir(os.path.join(stack.store, "scratch")))
    w.kill()
    w.wait()
    stack.stop_redis()

    before = stack.said(), stack.objects(a), stack.index(a)
    stack.start_redis("--dir", kept)
    assert stack.tasks(a)["v0.0"] == "ready"
    stack.start_workerd()
    wait_for(lambda: set(stack.tasks(a).values()) == {"done"})
    said = stack.said()[len(before[0]):]
    assert "was done before" in said and "begins" not in said
    assert before[1:] == (stack.objects(a), stack.index(a))
    assert stack.result(a)["ready"]


def test_many_pending_are_submitted_at_once(stack):
    """300 wait in the outbox, which takes 128 a turn"""
    assets = [stack.put(b"no film") for _ in range(300)]
    stack.start_redis()
    stack.start_workerd(outbox_s=60)
    for a in assets:
        assert stack.wait(a, timeout=50)["code"] == "NOT_A_VIDEO"


def test_scripts_are_loaded_again(stack):
    stack.start_redis()
    stack.start_workerd()
    wait_for(lambda: "connected" in stack.said())
    stack.redis("SCRIPT", "FLUSH")
    a = stack.put(clip(8))
    stack.check_ready(a, frames=240)
    assert "NOSCRIPT" not in stack.said()


def test_password(stack):
    path = os.path.join(stack.dir, "secret")
    with open(path, "w") as f:
        f.write("a secret word\n")
    stack.start_redis("--requirepass", "a secret word")
    stack.conf["redis"] = {"address": "unix:" + stack.socket, "db": 0,
                           "password_file": path}
    a = stack.put(clip(8))
    stack.start_workerd()
    r = stack.wait(a)
    assert r["ready"]
    assert "secret word" not in stack.said()


def test_wrong_password_is_said(stack):
    path = os.path.join(stack.dir, "secret")
    with open(path, "w") as f:
        f.write("wrong\n")
    stack.start_redis("--requirepass", "right")
    w = stack.start_workerd(redis={"address": "unix:" + stack.socket,
                                   "password_file": path})
    wait_for(lambda: "WRONGPASS" in stack.said())
    assert w.proc.poll() is None


def forget_jobs(stack):
    """as docs/workerd.md says, Upgrading"""
    with open(os.path.join(ROOT, "docs", "workerd.md")) as f:
        command, = [x for x in f if x.strip().startswith("redis-cli --scan")]
    subprocess.run(command.replace("redis-cli",
                                   "redis-cli -s " + stack.socket),
                   shell=True, check=True, stdout=subprocess.DEVNULL)


def test_jobs_of_another_version(stack):
    """are left alone and said once; forgotten, they begin again"""
    stack.start_redis()
    a = stack.put(clip(60))
    w = stack.start_workerd()
    some_done(stack, a, 3)
    w.kill()
    w.wait()
    job = K + "job:" + a + ".1"
    stack.redis("HSET", job, "v", "2", "state", "running")
    before = sorted(stack.redis("HGETALL", job))
    parts = {o for o in stack.objects(a) if o.startswith("v240/")}
    w = stack.start_workerd()
    wait_for(lambda: "ANOTHER VERSION: 2, this is 3" in stack.said())
    b = stack.put(clip(8))
    stack.check_ready(b, frames=240)
    assert sorted(stack.redis("HGETALL", job)) == before
    w.kill(signal.SIGTERM)
    assert w.wait() == 0
    assert stack.said().count("ANOTHER VERSION") == 1

    forget_jobs(stack)
    left = {k[len(K):] for k in stack.redis("KEYS", "*")}
    assert {"shards", "done", "catalog:demo"} <= left <= {
        "shards", "done", "events", "catalog:demo"}, left
    stack.start_workerd()
    ix = stack.check_ready(a, frames=1800, seconds=60)
    named = {"v240/" + o["name"] for o in ix["renditions"]["v240"]["objects"]}
    assert len(parts & named) >= 3, "done chunks were made again"


def places(stack):
    """what waits and runs, whatever its order"""
    return {(key, m) for key in stack.redis("KEYS", K + "ready:*")
            + [K + "delay", K + "lease"]
            for m in stack.redis("ZRANGE", key, 0, -1) if "/" in m}


def end_leases(stack):
    for m in stack.redis("ZRANGE", K + "lease", 0, -1):
        stack.redis("ZADD", K + "lease", "XX", 1, m)


def test_workers_of_two_versions_share_a_redis(stack):
    """What the others' workers left of a job is all of it: theirs make it."""
    stack.start_redis()
    a = stack.put(clip(60, audio=False))
    w = stack.start_workerd()
    some_done(stack, a, 3)
    w.kill()
    w.wait()
    job = K + "job:" + a + ".1"
    v = stack.redis("HGET", job, "v")
    assert v.startswith("3 running ")
    stack.redis("HSET", job, "v", "4" + v[1:])
    before = sorted(stack.redis("HGETALL", job)), places(stack)
    assert any(m.startswith(a) for key, m in before[1] if key == K + "lease")

    # its lease ends, and its tasks are the first that wait
    end_leases(stack)
    stack.start_workerd()
    films = [stack.put(clip(8)) for _ in range(2)]
    for film in films:
        stack.check_ready(film, frames=240)
    wait_for(lambda: stack.redis("ZCARD", K + "jobs") == 1)
    assert (sorted(stack.redis("HGETALL", job)), places(stack)) == before
    said = stack.ctl("jobs", "--redis", "unix:" + stack.socket).stdout
    assert re.search(a + r"\.1 .*  OF VERSION 4\n", said), said
    assert said.count("VERSION") == 1

    done = {n for n, s in stack.tasks(a).items() if s == "done"}
    tokens = {n: stack.redis("HGET", job, n + ":s").split(" ")[2]
              for n in done}
    stack.redis("HSET", job, "v", v)
    end_leases(stack)
    stack.check_ready(a, frames=1800, seconds=60)
    assert tokens == {n: stack.redis("HGET", job, n + ":s").split(" ")[2]
                      for n in done}


def test_dangerous_settings_are_warned_of(stack):
    stack.start_redis("--appendonly", "no", "--maxmemory-policy",
                      "allkeys-lru")
    stack.start_workerd()
    wait_for(lambda: "REDIS WILL FORGET" in stack.said())
    wait_for(lambda: "REDIS MAY EVICT" in stack.said())


def test_a_task_of_a_type_nobody_knows(stack):
    stack.start_redis()
    a = stack.put(clip(8))
    stack.start_workerd(outbox_s=1)
    stack.wait(a)
    job = K + "job:" + a + ".1"
    stack.redis("HSET", job, "v", "3 running 1 demo small", "names", "x",
                "x:s", "ready 0    0 0  dance 0:0: 1 4 1 60 0 ",
                "x:payload", "{}")
    stack.redis("ZADD", K + "ready:0:0::p", "0", a + ".1/x")
    stack.redis("ZADD", K + "ready:0:0:", "0", "p")
    stack.redis("SADD", K + "queues", "0:0:")
    wait_for(lambda: stack.task(a, "x", "s") == "failed")
    # the film that stands is not harmed by it
    assert stack.result(a)["ready"]

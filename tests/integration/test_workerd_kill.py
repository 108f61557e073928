"""Workers and children that die in the middle, and workers that are asked
to end.  Whatever happens, the job ends, and each chunk is encoded whole."""

import os
import signal
import time

import pytest

from reel import K, Stack, clip, wait_for

pytestmark = pytest.mark.chaos


@pytest.fixture
def stack():
    with Stack() as s:
        s.start_redis()
        yield s


def encodes(stack, asset):
    return {t: s for t, s in stack.tasks(asset).items() if t[0] == "v"}


def some_done(stack, asset, n=1):
    """some encodes are done, and others not"""
    def look():
        states = list(encodes(stack, asset).values())
        done = states.count("done")
        return n <= done < len(states) and "running" in states
    wait_for(look, 60)


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_worker_killed(stack):
    a = stack.put(clip(60))
    w = stack.start_workerd()
    some_done(stack, a, 2)
    children = w.children()
    done = [t for t, s in stack.tasks(a).items() if s == "done"]
    w.kill()
    w.wait()
    wait_for(lambda: all(gone(p) for p in children), 5)
    before = set(stack.objects(a))

    stack.start_workerd()
    stack.check_ready(a, frames=1800, seconds=60)
    # what was done was not done again, what was running was, once
    assert all(stack.task(a, t, "n") == "1" for t in done)
    tries = [int(stack.task(a, t, "n")) for t in stack.tasks(a)]
    assert max(tries) <= 2 and tries.count(2) <= 3
    named = {o["name"] for q in stack.index(a)["renditions"].values()
             for o in q["objects"]}
    for path in before:
        if path.startswith("v240/") and path.split("/")[1] in named:
            break
    else:
        assert False, "no chunk of the first worker was kept"


def test_worker_killed_again_and_again(stack):
    """each life is shorter than a lease; attempts are plenty"""
    stack.pipeline("small", open(os.path.join(
        stack.pipelines, "small.yaml")).read().replace("attempts: 3",
                                                       "attempts: 9"))
    a = stack.put(clip(60))
    for _ in range(4):
        w = stack.start_workerd()
        time.sleep(1.2)
        w.kill()
        w.wait()
    stack.start_workerd()
    stack.check_ready(a, frames=1800, seconds=60)


def test_two_workers_share_a_job_and_one_dies(stack):
    a = stack.put(clip(60))
    one = stack.start_workerd("--slots", "1")
    stack.start_workerd("--slots", "1")
    some_done(stack, a)
    one.kill()
    one.wait()
    stack.check_ready(a, frames=1800, seconds=60)


def test_worker_asleep_beyond_its_lease(stack):
    """it wakes up as a ghost: what it holds is another's by then"""
    a = stack.put(clip(60))
    ghost = stack.start_workerd("--slots", "1")
    some_done(stack, a)
    # its children sleep too: they must not finish behind its back
    family = ghost.children() + [ghost.pid]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    stack.start_workerd("--slots", "1")

    def taken_over():
        return any(int(stack.task(a, t, "n") or 0) > 1
                   and s == "done" for t, s in stack.tasks(a).items())
    wait_for(taken_over, 30)
    for pid in family:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
    stack.check_ready(a, frames=1800, seconds=60)
    assert ghost.proc.poll() is None
    wait_for(lambda: "lease" in stack.said())
    b = stack.put(clip(8))
    assert stack.wait(b)["ready"]


def test_child_killed(stack):
    a = stack.put(clip(60))
    w = stack.start_workerd(slots=1)
    some_done(stack, a)
    victim = wait_for(lambda: [
        t for t, s in encodes(stack, a).items() if s == "running"])[0]
    line = "task=%s msg=\"begins: try 1" % victim
    said = wait_for(lambda: [x for x in stack.said().splitlines()
                             if line in x])
    pid = int(said[0].rsplit("child ", 1)[1].rstrip('"'))
    assert pid in w.children()
    os.kill(pid, signal.SIGKILL)
    stack.check_ready(a, frames=1800, seconds=60)
    assert stack.task(a, victim, "n") == "2"
    assert "CRASHED" in stack.task(a, victim, "err")


def test_child_that_always_dies_fails_the_job(stack):
    stack.pipeline("small", open(os.path.join(
        stack.pipelines, "small.yaml")).read().replace(
            "encode_video: { attempts: 3", "encode_video: { attempts: 2"))
    a = stack.put(clip(60))
    w = stack.start_workerd(slots=1)

    def kill_encodes():
        if stack.result(a):
            return True
        for x in stack.said().splitlines():
            if "task=v" in x and "msg=\"begins" in x:
                try:
                    pid = int(x.rsplit("child ", 1)[1].rstrip('"'))
                    if pid in w.children():
                        os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        return False
    wait_for(kill_encodes, 60, every=0.01)
    r = stack.wait(a)
    assert (r["ready"], r["code"]) == (False, "CRASHED"), r
    assert r["retryable"] and r["stage"].startswith("v")
    assert "signal 9" in r["log"]
    assert set(stack.tasks(a).values()) <= {"done", "failed", "cancelled"}
    assert not os.path.exists(stack.path(a, "index"))


def test_killed_between_fail_and_the_result(stack):
    """Redis says failed, the store nothing: the outbox writes it down"""
    a = stack.put(clip(8))
    job = K + "job:" + a + ".1"
    stack.redis("HSET", job, "v", "3 failed 2 demo small", "asset", a,
                "publication", "1", "names", "inspect plan",
                "code", "BAD_MEDIA", "stage", "v3.0", "detail", "it broke", "log", "the tail")
    stack.redis("SET", K + "submitted:" + a + ".1", "1")
    stack.start_workerd()
    r = stack.wait(a)
    assert (r["ready"], r["code"], r["stage"], r["retryable"]) \
        == (False, "BAD_MEDIA", "v3.0", False)
    assert "it broke" in r["log"] and "the tail" in r["log"]


def test_killed_before_pending_was_removed(stack):
    """the job is done and its result stands: the entry goes, no more"""
    a = stack.put(clip(8))
    w = stack.start_workerd()
    stack.wait(a)
    w.kill()
    w.wait()
    r = stack.result(a)
    stack.put_pending(a)
    stack.start_workerd()
    wait_for(lambda: not os.path.exists(stack.pending(a)))
    assert stack.result(a) == r


def test_term_gives_tasks_back_uncounted(stack):
    a = stack.put(clip(60))
    w = stack.start_workerd(drain_s=0)
    some_done(stack, a)
    w.kill(signal.SIGTERM)
    assert w.wait(10) == 0
    states = stack.tasks(a)
    assert "running" not in states.values()
    assert stack.redis("ZCARD", K + "lease") == 0
    stack.start_workerd()
    stack.check_ready(a, frames=1800, seconds=60)
    assert {stack.task(a, t, "n") for t in states} == {"1"}


def test_term_lets_children_finish(stack):
    a = stack.put(clip(60))
    w = stack.start_workerd(drain_s=30)
    some_done(stack, a)
    w.kill(signal.SIGTERM)
    assert w.wait(30) == 0
    said = stack.said()
    # what was claimed at that moment is given back, and was not begun
    assert said.count("SHUTDOWN") == said.count("SHUTDOWN in claim")
    assert "stopped" in said
    assert "running" not in stack.tasks(a).values()
    assert stack.redis("ZCARD", K + "lease") == 0
    assert said.count("begins:") == said.count("done in")


def test_the_worker_queue_is_true(stack):
    """long before the next heartbeat: what is free, who drains, who went"""
    stack.pipeline("sleeps", "gop_ms: 1000\nstoryboard: { interval_s: 0 }\n"
                   "audio: { kbps: 0 }\ntasks:\n  poster: false\n"
                   "  x: { type: exec, command: [/bin/sleep, '600'] }\n")
    w = stack.start_workerd(drain_s=600)
    id = wait_for(lambda: stack.redis("ZRANGE", K + "workers", 0, -1))[-1]

    def has(name, value):
        return stack.redis("HGET", K + "worker:" + id, name) == value
    wait_for(lambda: has("cores_free", "2") and has("draining", "0"))

    def beats():
        return stack.redis("ZSCORE", K + "workers", id)

    # between two heartbeats: on a slow machine one may come before the tasks
    for _ in range(4):
        before = beats()
        wait_for(lambda: beats() != before)
        heard = beats()
        jobs = [stack.put(clip(2), pipeline="sleeps") for _ in range(2)]
        for a in jobs:
            wait_for(lambda: stack.tasks(a).get("x") == "running")
        wait_for(lambda: has("cores_free", "0"))
        if beats() == heard:
            break
        for a in jobs:
            stack.write(stack.path(a, "tombstone"), b"{}")
        wait_for(lambda: has("cores_free", "2"))
    else:
        pytest.fail("what is free is told with heartbeats only")

    w.kill(signal.SIGTERM)
    wait_for(lambda: has("draining", "1"))
    assert has("cores_free", "0")

    w.kill(signal.SIGTERM)              # children are given back
    assert w.wait(30) == 0
    assert stack.redis("ZRANK", K + "workers", id) is None
    assert stack.redis("EXISTS", K + "worker:" + id) == 0


def test_a_worker_ends_without_redis(stack):
    w = stack.start_workerd()
    wait_for(lambda: stack.redis("ZCARD", K + "workers"))
    stack.redis_proc.send_signal(signal.SIGSTOP)
    try:
        w.kill(signal.SIGTERM)
        assert w.wait(30) == 0
    finally:
        stack.redis_proc.send_signal(signal.SIGCONT)


def test_hup_reloads_pipelines(stack):
    w = stack.start_workerd()
    # it has read its files, and a signal waits until it is listened to
    wait_for(lambda: "msg=\"workerd " in stack.said())
    stack.pipeline("late", "rungs:\n  - { short_side: 144, crf: 30, "
                   "max_kbps: 300, buf_kbits: 450 }\n")
    w.kill(signal.SIGHUP)
    wait_for(lambda: "reloaded: %d pipelines" % len(stack.pipeline_names())
             in stack.said())
    a = stack.put(clip(8), pipeline="late")
    assert "v144" in stack.check_ready(a, frames=240)["renditions"]
    stack.pipeline("broken", "rungs: 7\n")
    w.kill(signal.SIGHUP)
    wait_for(lambda: "reload refused" in stack.said())
    b = stack.put(clip(8), pipeline="late")
    assert stack.wait(b)["ready"]


def test_hup_while_it_starts(stack):
    """so many pipelines that it is met while it reads them"""
    for i in range(1000):
        stack.pipeline("p%d" % i, "gop_ms: 1000\n")
    w = stack.start_workerd()
    fds = "/proc/%d/fd" % w.proc.pid

    def reads():
        for fd in os.listdir(fds):
            try:
                if os.readlink(os.path.join(fds, fd)) == stack.pipelines:
                    return True
            except FileNotFoundError:
                pass
    wait_for(reads, every=0.0005)
    assert "msg=" not in stack.said()
    w.kill(signal.SIGHUP)
    wait_for(lambda: "reloaded: " in stack.said())
    w.kill(signal.SIGTERM)
    assert w.wait() == 0


def test_once_idle_ends(stack):
    a = stack.put(clip(8))
    w = stack.start_workerd("--once-idle")
    assert w.wait(60) == 0
    assert stack.result(a)["ready"]
    assert not os.path.exists(stack.pending(a))


def test_sound_goes_on_behind_its_last_object(stack):
    text = open(os.path.join(stack.pipelines, "small.yaml")).read()
    stack.pipeline("small", text + "audio: { object_s: 10 }\n")
    a = stack.put(clip(300, size="64x64", rate="2"))
    w = stack.start_workerd("--slots", "4")

    def half():
        """a part of the sound stands, and is not all"""
        parts = [t for t in stack.tasks(a) if t[0] == "a"
                 and stack.task(a, t, "s") == "running"
                 and os.path.exists(os.path.join(
                     stack.store, "scratch", a + ".1", t + ".part.json"))]
        return parts and len([o for o in stack.objects(a)
                              if o.startswith("a128/")]) > 3 and parts[0]
    task = wait_for(half, 60, every=0.005)
    w.kill()
    w.wait()
    before = {o for o in stack.objects(a) if o.startswith("a128/")}
    stack.start_workerd()
    ix = stack.check_ready(a, seconds=300)
    assert "goes on at fragment" in stack.said(), task
    named = {"a128/" + o["name"] for o in ix["renditions"]["a128"]["objects"]}
    assert len(named & before) >= len(before) - 1

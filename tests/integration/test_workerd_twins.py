"""Two uploads of the same bytes at the same time: docs/store.md, Twins."""

import os
import re
import signal
from collections import Counter

import pytest

from reel import SMALL, Stack, clip, wait_for
from test_metrics import free_port, scrape
from test_workerd_kill import gone
from test_workerd_reuse import begun, delete, files, plays, reused, twins

# slow enough that both are at work at once
SLOW = SMALL.replace("ultrafast", "slow") + """\
  storyboard: false
"""
ONCE = SLOW.replace("attempts: 3, timeout_s: 120",
                    "attempts: 1, timeout_s: 120")


def child(stack, asset, task="v0.0"):
    """pid of the one that was begun last"""
    m = re.findall(r"job=%s\.1 task=%s msg=.begins: .*child (\d+)"
                   % (asset, re.escape(task)), stack.said())
    return m and int(m[-1])


def waits(stack, asset, task="v0.0"):
    """for another asset's run of the same"""
    return '"code":"TWIN"' in (stack.task(asset, task, "err") or "")

MEASURED = """\
gop_ms: 500
renditions:
  - { short_side: 64, crf: 20, max_kbps: 9000, buf_kbits: 9000 }
per_title: { ssim: 900 }
audio: { loudness_lufs: -20 }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""


@pytest.fixture
def stack():
    with Stack(reuse=True) as s:
        s.pipeline("slow", SLOW)
        s.pipeline("once", ONCE)
        s.pipeline("measured", MEASURED)
        s.start_redis()
        yield s


def stopped(stack, pipeline="slow"):
    """one whose encode stands still"""
    a = stack.put(clip(6), pipeline)
    pid = wait_for(lambda: child(stack, a))
    os.kill(pid, signal.SIGSTOP)
    return a, pid


def twin(stack, pipeline="slow"):
    """one that waits for that"""
    b = stack.put(clip(6), pipeline)
    wait_for(lambda: waits(stack, b))
    return b


def stopped_twins(stack, pipeline="slow"):
    a, pid = stopped(stack, pipeline)
    return a, twin(stack, pipeline), pid


@pytest.mark.parametrize("workers", [1, 2])
def test_at_the_same_time_each_is_encoded_once(stack, workers):
    stack.start_nginx()
    for i in range(workers):
        stack.start_workerd("--slots", str(3 - workers), worker="w%d" % i)
    a = stack.put(clip(60), "slow")
    b = stack.put(clip(60), "slow")
    for asset in (a, b):
        stack.check_ready(asset, frames=1800)

    work = set(stack.tasks(a)) - {"inspect", "plan", "publish0", "publish"}
    assert len([t for t in work if t.startswith("v")]) > 8
    n = Counter(begun(stack, a) & work)
    n.update(begun(stack, b) & work)
    assert n == {t: 1 for t in work}
    assert reused(stack, a) | reused(stack, b) == work
    for asset in (a, b):
        assert set(stack.tasks(asset).values()) == {"done"}
        assert {stack.task(asset, t, "n") for t in work} == {"1"}
    assert "level=warn" not in stack.said()

    assert plays(stack, a) and plays(stack, b)
    assert twins(stack) == {a, b}
    delete(stack, a)
    assert files(stack, a) == {"tombstone"}
    assert plays(stack, b)
    delete(stack, b)
    assert files(stack, b) == {"tombstone"}
    assert twins(stack) == set()


def test_at_the_same_time_each_is_measured_once(stack):
    stack.start_workerd("--slots", "2")
    a = stack.put(clip(60), "measured")
    b = stack.put(clip(60), "measured")
    for asset in (a, b):
        stack.check_ready(asset, frames=1800)
    for task in ("complexity", "loudness"):
        assert sorted(task in begun(stack, x) for x in (a, b)) \
            == [False, True]
        assert sorted(task in reused(stack, x) for x in (a, b)) \
            == [False, True]


def test_one_that_waits_takes_what_was_done(stack):
    stack.start_workerd()
    a, b, pid = stopped_twins(stack)
    assert "v0.0" not in begun(stack, b)
    os.kill(pid, signal.SIGCONT)
    stack.check_ready(a, frames=180)
    stack.check_ready(b, frames=180)
    assert "v0.0" not in begun(stack, b)
    assert "v0.0" in reused(stack, b)


def test_a_look_is_no_wait_that_ended():
    port = free_port()
    with Stack(reuse=True, metrics="127.0.0.1:%d" % port) as s:
        s.pipeline("slow", SLOW)
        s.start_redis()
        s.start_workerd()
        a, b, pid = stopped_twins(s)

        def looks():
            return scrape(port)[0]("reel_task_retries_total",
                                   **{"class": "release", "code": "TWIN"})
        wait_for(lambda: (looks() or 0) >= 2)
        os.kill(pid, signal.SIGCONT)
        for asset in (a, b):
            s.check_ready(asset, frames=180)
        encodes = [t for x in (a, b) for t in s.tasks(x) if t[0] == "v"]
        assert scrape(port)[0]("reel_task_wait_seconds_count",
                               type="encode_video") == len(encodes)


def test_it_goes_on_when_the_other_is_deleted(stack):
    stack.start_nginx()
    stack.start_workerd()
    a, b, pid = stopped_twins(stack)
    delete(stack, a)
    wait_for(lambda: gone(pid), 10)
    stack.check_ready(b, frames=180)
    assert "v0.0" in begun(stack, b)
    assert files(stack, a) == {"tombstone"}


def test_it_goes_on_when_the_other_fails(stack):
    stack.start_workerd()
    a, b, pid = stopped_twins(stack, "once")
    os.kill(pid, signal.SIGKILL)
    assert not stack.wait(a)["ready"]
    stack.check_ready(b, frames=180)
    assert "v0.0" in begun(stack, b)


def test_a_worker_that_sleeps_holds_up_neither(stack):
    """the asset's own next try waits for nobody, and the other for that"""
    one = stack.start_workerd("--slots", "1", worker="one")
    a, pid = stopped(stack)
    one.kill(signal.SIGSTOP)
    try:
        stack.start_workerd("--slots", "1", worker="two")
        b = twin(stack)
        stack.check_ready(a, frames=180)
        stack.check_ready(b, frames=180)
        assert stack.task(a, "v0.0", "n") == "2"
        assert "v0.0" in reused(stack, b)
    finally:
        one.kill(signal.SIGCONT)

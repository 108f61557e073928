"""A user cancels what is being made: by the API, with Redis or without."""

import json
import os
import re
import signal
import time
import urllib.request

import pytest

import client
from reel import K, Stack, clip, ulid, wait_for
from test_webhooks import Receiver, check, endpoint

# 5 x what is promised
PROMPT_S = 5 * 2

# a program that runs for so many seconds
SLEEPS = """\
gop_ms: 1000
renditions: [{ short_side: 90, crf: 30, max_kbps: 300, buf_kbits: 400, preset: ultrafast }]
storyboard: { interval_s: 0 }
audio: { kbps: 0 }
tasks:
  poster: false
  x: { type: exec, command: [/bin/sleep, "%d"] }
"""


def upload(s, pipeline):
    with open(clip(2), "rb") as f:
        return client.put(client.presign(
            s.url, "PUT", "/upload/video/clip.mp4",
            **{"reel-pipeline": pipeline,
               "reel-asset": ulid()}), f.read())


def cancel(s, asset):
    path = "/api/assets/%s/cancel" % asset
    r = urllib.request.Request(client.presign(s.url, "POST", path),
                               method="POST", data=b"")
    with urllib.request.urlopen(r, timeout=60) as answer:
        assert answer.status == 202
        return json.load(answer)


def sleeps(s, seconds):
    s.pipeline("sleeps", SLEEPS % seconds)
    wait_for(s.said)            # main has begun: before, a HUP ends it
    said = s.said().count("reloaded")
    s.workers[0].kill(signal.SIGHUP)
    wait_for(lambda: s.said().count("reloaded") > said)


def cancelled(s, asset, publication=1):
    r = s.result(asset)
    return (r and (r["ready"], r["publication"], r["code"], r["retryable"])
            == (False, publication, "CANCELLED", True) and r)


def entries(s):
    try:
        return os.listdir(os.path.join(s.store, "cancel"))
    except FileNotFoundError:
        return []


@pytest.fixture(scope="module")
def stack():
    """whose outbox looks by itself too seldom to help"""
    with Stack(outbox_s=600) as s:
        s.pipeline("sleeps", SLEEPS % 600)
        s.hook = Receiver(200)
        s.conf["webhooks"] = [endpoint(s, "shop", s.hook)]
        s.start_redis().start_nginx(http="reel_pipelines sleeps;")
        s.start_workerd()
        wait_for(lambda: s.redis("ZCARD", K + "workers"))
        yield s


def test_children_stop_and_all_are_told(stack):
    s = stack
    a = upload(s, "sleeps")
    wait_for(lambda: s.tasks(a).get("x") == "running")
    wait_for(lambda: s.workers[0].children())
    events = urllib.request.urlopen(client.presign(
        s.url, "GET", "/api/assets/%s/events" % a), timeout=60)

    began = time.monotonic()
    assert cancel(s, a)["id"] == a
    wait_for(lambda: not s.workers[0].children())
    r = wait_for(lambda: cancelled(s, a))
    assert time.monotonic() - began < PROMPT_S
    assert r["detail"] == "It was cancelled."

    wait_for(lambda: not os.path.exists(s.pending(a)))
    assert entries(s) == []
    assert s.job_state(a) == "cancelled"

    # the stream ends with it, and webhooks tell
    told = json.loads(events.read().decode().split("data: ")[-1]
                      .split("\n")[0])
    assert (told["status"], told["error"]["code"]) == ("errored", "CANCELLED")
    wait_for(lambda: s.hook.got)
    name, event = check(s.hook.got[0])
    assert (name, event["type"]) == ("msg_%s_1" % a, "video.asset.errored")
    assert event["data"]["error"]["code"] == "CANCELLED"

    # again: the same
    p = s.ctl("cancel", a)
    assert (p.returncode, p.stdout) == (0, "cancelled %s\n" % a), p.stderr
    assert entries(s) == []

    # how far it came is nobody's business any more
    assert re.search(a + r"  errored +-  ", s.ctl("list").stdout)

    # it may be tried again, and is not cancelled then
    sleeps(s, 0)
    p = s.ctl("retry", a)
    assert p.returncode == 0, p.stderr
    assert s.wait(a, 2)["ready"]
    assert re.search(a + r"  ready +100 %  ", s.ctl("list").stdout)
    p = s.ctl("cancel", a)
    assert p.returncode == 1 and "being prepared" in p.stderr, p.stderr


def test_what_waits_for_a_worker(stack):
    s = stack
    sleeps(s, 600)
    busy = [upload(s, "sleeps") for _ in range(2)]
    for a in busy:
        wait_for(lambda: s.tasks(a).get("x") == "running")
    a = upload(s, "sleeps")
    wait_for(lambda: s.tasks(a).get("x") == "ready")
    cancel(s, a)
    wait_for(lambda: cancelled(s, a))
    wait_for(lambda: not os.path.exists(s.pending(a)))
    for a in busy:
        assert s.tasks(a)["x"] == "running"
        cancel(s, a)
    wait_for(lambda: not s.workers[0].children())
    wait_for(lambda: not entries(s))


def test_without_redis(stack):
    """children stop, the asset is errored; Redis learns it when it is back"""
    s = stack
    a = upload(s, "sleeps")
    wait_for(lambda: s.tasks(a).get("x") == "running")
    s.stop_redis()
    began = time.monotonic()
    assert cancel(s, a)["status"] == "preparing"
    wait_for(lambda: not s.workers[0].children())
    wait_for(lambda: cancelled(s, a))
    assert time.monotonic() - began < PROMPT_S
    assert os.path.exists(s.pending(a))
    assert entries(s) == [a + ".1"]
    p = s.ctl("cancel", a)
    assert (p.returncode, p.stdout) == (0, "cancelled %s\n" % a), p.stderr

    s.start_redis()
    wait_for(lambda: not os.path.exists(s.pending(a)))
    assert entries(s) == []
    assert s.job_state(a) == "cancelled"
    wait_for(lambda: not s.workers[0].children())

"""What the sweep takes, and what it must leave."""

import fcntl
import os
import re
import struct
import time

import pytest

import reel_upload
from reel import Stack, clip, ulid, wait_for
from reel_upload import ABORTED, COMPLETE, COMPLETING, EXPIRED, OPEN


@pytest.fixture
def stack():
    with Stack(sweep_s=1, sweep_age_s=2, upload_age_h=1,
               retry_age_h=1) as s:
        s.start_redis()
        yield s


def age(path, seconds=7200):
    t = time.time() - seconds
    os.utime(path, (t, t))


def test_unnamed_objects_and_scratch_go(stack):
    a = stack.put(clip(14))
    stack.start_workerd(sweep_age_s=6)
    stack.wait(a)
    ix = stack.index(a)
    for name in "v240/77-1-00000000000000aa.mp4", "a128/junk.mp4", \
            "image/old.jpg", "v999/0-x.mp4":
        age(stack.write(stack.path(a, name), b"x"))
    scratch = os.path.join(stack.store, "scratch", a + ".1")
    assert os.path.exists(scratch)
    wait_for(lambda: not os.path.exists(scratch))
    want = sorted(q + "/" + o["name"] for q, r in ix["renditions"].items()
                  for o in r["objects"])
    want = sorted(want + ["image/" + i["object"]
                          for i in ix["images"] + ix["pictures"]])
    assert stack.objects(a) == want
    stack.check_ready(a, frames=420)


def test_the_publication_before_stays_while_it_may_be_played(stack):
    a = stack.put(clip(8))
    w = stack.start_workerd(sweep_age_s=4)
    stack.wait(a)
    first = stack.objects(a)
    w.kill()
    w.wait()
    os.unlink(stack.path(a, "result.json"))
    stack.put_pending(a, 2)
    stack.start_workerd(sweep_age_s=4)
    t = time.time()
    stack.wait(a, 2)
    assert set(first) <= set(stack.objects(a))
    wait_for(lambda: not set(first) & set(stack.objects(a)))
    assert time.time() - t > 4
    stack.check_ready(a, frames=240)
    assert stack.index(a)["publication"] == 2


def test_nothing_goes_while_a_job_is_pending(stack):
    a = stack.put_source(b"no film")
    stack.write(stack.path(a, "result.json"), {
        "asset": a, "publication": 1, "ready": False, "completed_ms": 1,
        "duration_ms": 0, "renditions": [], "code": "CRASHED",
        "stage": "x", "detail": "x", "log": "", "retryable": True})
    age(stack.path(a, "result.json"))
    age(stack.write(stack.path(a, "v240", "0-x.mp4"), b"x"))
    os.makedirs(os.path.join(stack.store, "scratch", a + ".1"))
    stack.write(os.path.join(stack.store, "scratch", a + ".1", "t"), b"")
    stack.put_pending(a, 2)
    stack.stop_redis()
    stack.start_workerd()
    time.sleep(3)
    assert stack.objects(a) == ["v240/0-x.mp4"]
    os.unlink(stack.pending(a, 2))
    wait_for(lambda: stack.objects(a) == [])


def test_a_ready_asset_without_its_index_is_left_alone(stack):
    a = stack.put(clip(8))
    stack.start_workerd()
    stack.wait(a)
    objects = stack.objects(a)
    os.rename(stack.path(a, "index"), stack.path(a, "index.away"))
    for o in objects:
        age(stack.path(a, o))
    wait_for(lambda: "has no index" in stack.said())
    time.sleep(1.5)
    assert stack.objects(a) == objects


def test_an_index_that_names_what_is_gone_stops_the_sweep(stack):
    a = stack.put(clip(14))
    stack.start_workerd()
    stack.wait(a)
    gone = [o for o in stack.objects(a) if o.startswith("v240")][0]
    os.rename(stack.path(a, gone), stack.path(a, "kept-elsewhere"))
    junk = stack.write(stack.path(a, "a128", "junk.mp4"), b"x")
    age(junk)
    wait_for(lambda: "nothing of it is swept" in stack.said())
    assert os.path.exists(junk)


# docs/uploads.md, "The sweep"

def left(stack, *args, **kw):
    return reel_upload.leave(stack.store, *args, **kw)


def told(stack, upload):
    """The states of it in the event stream."""
    all = stack.redis("XRANGE", "reel1:{r0}:events", "-", "+")
    return [f[9] for _, f in all if f[:2] == ["upload", upload]]


def test_an_upload_left_in_its_completion_becomes_ready(stack):
    with open(clip(8), "rb") as f:
        film = f.read()
    a, b = ulid(), ulid()
    u = left(stack, a, film, COMPLETING, age_s=7200)
    v = left(stack, b, film, COMPLETING, door="put")
    # of the second, the source is there already: the same blob
    os.makedirs(stack.folder(b))
    os.link(os.path.join(stack.store, "uploads", v, "data"),
            stack.path(b, "source"))
    stack.start_workerd()
    stack.check_ready(a, frames=240)
    stack.check_ready(b, frames=240)
    assert reel_upload.phase(stack.store, u) == COMPLETE
    wait_for(lambda: reel_upload.phase(stack.store, v) is None)
    for x in u, v:
        wait_for(lambda: told(stack, x) == ["complete"])
    for x in a, b:
        with open(stack.path(x, "source"), "rb") as f:
            assert f.read() == film
        assert not os.path.exists(stack.pending(x))


def test_expired_uploads_end_and_are_forgotten(stack):
    expired = left(stack, ulid(), b"bytes", OPEN, age_s=100, lives_s=60)
    parts = left(stack, ulid(), b"", OPEN, door="multipart", age_s=100,
                 lives_s=60)
    alive = left(stack, ulid(), b"bytes", OPEN, age_s=100, lives_s=600)
    held = left(stack, ulid(), b"bytes", OPEN, age_s=100, lives_s=60)
    old = [left(stack, ulid(), b"", p, age_s=3700)
           for p in (COMPLETE, ABORTED, EXPIRED)]
    young = left(stack, ulid(), b"", COMPLETE, age_s=3000)
    f = open(os.path.join(stack.store, "uploads", held, "state"), "r+b")
    # turn 7, as the writer of a part has it: a lock of the open file
    fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 7, 1, 0))
    w = stack.start_workerd(sweep_uploads=2)
    phase = lambda u: reel_upload.phase(stack.store, u)         # noqa: E731
    wait_for(lambda: phase(expired) == phase(parts) == EXPIRED
             and [phase(u) for u in old] == [None] * 3)
    for u in expired, parts:
        # the state is written first, then the bytes go
        folder = os.path.join(stack.store, "uploads", u)
        wait_for(lambda: sorted(os.listdir(folder))         # noqa: B023
                 == ["state", "upload.json"])
        wait_for(lambda: told(stack, u) == ["expired"])
    time.sleep(1.5)
    assert told(stack, expired) == ["expired"]
    assert phase(alive) == phase(held) == OPEN
    assert phase(young) == COMPLETE
    did = re.findall(r"completed, (\d+) expired, (\d+) removed", stack.said())
    assert all(int(e) + int(r) <= 2 for e, r in did)
    assert sum(int(e) + int(r) for e, r in did) == 5
    f.close()
    wait_for(lambda: phase(held) == EXPIRED)
    assert w.proc.poll() is None


def test_broken_folders_go_and_old_ones_of_others_stay(stack):
    folder = os.path.join(stack.store, "uploads", "0" * 31)
    age(stack.write(os.path.join(folder + "1", "state"), b""))
    age(stack.write(os.path.join(folder + "2", "upload.json"), b"{"))
    stack.write(os.path.join(folder + "3", "state"), b"")
    age(stack.write(os.path.join(stack.store, "uploads", "notes", "x"), b""))
    stack.start_workerd()
    uploads = os.path.join(stack.store, "uploads")
    wait_for(lambda: sorted(os.listdir(uploads))
             == ["0" * 31 + "3", "notes"])
    time.sleep(1.5)
    assert os.path.exists(os.path.join(folder + "3", "state"))

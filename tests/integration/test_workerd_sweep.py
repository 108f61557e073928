"""What the sweep takes, and what it must leave."""

import json
import os
import time

import pytest

from reel import Stack, clip, ulid, wait_for


@pytest.fixture
def stack():
    with Stack(sweep_s=1, sweep_age_s=2, upload_age_h=1) as s:
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
    want = sorted(want + ["image/" + i["object"] for i in ix["images"]])
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


# docs/store.md, "Completion of an upload": a crash after step n

def upload(stack, asset, data=b"bytes"):
    age(stack.write(os.path.join(stack.store, "uploads", asset, "state"),
                    b""))
    if data is not None:
        age(stack.write(os.path.join(stack.store, "uploads", asset, "data"),
                        data))


def uploads(stack):
    try:
        return os.listdir(os.path.join(stack.store, "uploads"))
    except FileNotFoundError:
        return []


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_upload_cut_after_step(stack, step):
    a = ulid()
    if step == 1:
        upload(stack, a)
    else:
        upload(stack, a, None)
        if step == 2:
            stack.write(stack.path(a, "source"), b"bytes")
        else:
            stack.put_source(clip(8), asset=a)
        if step >= 5:
            stack.put_pending(a)
    young = ulid()
    stack.write(os.path.join(stack.store, "uploads", young, "state"), b"")
    stack.write(os.path.join(stack.store, "uploads", young, "data"), b"")
    stack.start_workerd()
    wait_for(lambda: uploads(stack) == [young])
    if step <= 2:
        wait_for(lambda: not os.path.exists(stack.folder(a)))
        assert not os.path.exists(stack.pending(a))
    else:
        stack.check_ready(a, frames=240)


def test_old_upload_of_a_finished_asset_queues_nothing(stack):
    a = stack.put(clip(8))
    stack.start_workerd()
    stack.wait(a)
    r = json.dumps(stack.result(a))
    upload(stack, a, None)
    wait_for(lambda: uploads(stack) == [])
    time.sleep(1.5)
    assert json.dumps(stack.result(a)) == r
    assert not os.path.exists(stack.pending(a))

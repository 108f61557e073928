"""Jobs from the outbox to their end, without an accident."""

import fcntl
import json
import os
import struct
import subprocess
import time

import pytest

from reel import K, Stack, clip, wait_for


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        s.start_redis()
        s.start_workerd()
        yield s


def test_film_becomes_ready(stack):
    a = stack.put(clip(20))
    ix = stack.check_ready(a, frames=600, seconds=20)
    assert list(ix["renditions"]) == ["v240", "a128"]
    v = ix["renditions"]["v240"]
    assert (v["width"], v["height"], v["rate"]) == (426, 240, (30, 1))
    assert len(v["objects"]) > 1
    with open(stack.path(a, "image", ix["images"][0]["object"]), "rb") as f:
        image = f.read()
    assert image[:3] == b"\xff\xd8\xff"
    assert len(image) == ix["images"][0]["size"]


def test_every_task_ran_once_and_the_job_is_done(stack):
    a = stack.put(clip(14))
    stack.wait(a)
    assert set(stack.tasks(a).values()) == {"done"}
    for t in stack.tasks(a):
        assert stack.task(a, t, "n") == "1", t
    assert stack.job_state(a) == "done"
    progress = stack.redis("HGETALL", K + "progress:" + a + ".1")
    progress = dict(zip(progress[::2], progress[1::2]))
    assert progress["percent"] == "100" and progress["state"] == "completed"
    assert progress["done:v240"] == progress["total:v240"] != "0"


def test_growing_index_then_complete_with_one_salt():
    with Stack(slots=1) as s:
        s.start_redis()
        a = s.put(clip(60, size="640x360"), pipeline="default")
        s.start_workerd()

        def growing():
            return os.path.exists(s.path(a, "index")) and s.index(a)
        first = wait_for(growing, 60)
        assert first["growing"] and first["publication"] == 1
        assert s.result(a) is None
        assert 0 < first["fragments"] < 30
        for name in first["renditions"]:
            s.join(a, name)
        last = s.check_ready(a, frames=1800, seconds=60)
        assert last["salt"] == first["salt"] != bytes(16)
        assert last["created_ms"] == first["created_ms"]
        # what was shown before does not change
        for name, q in first["renditions"].items():
            n = first["fragments"]
            for k in "sizes", "durations", "samples":
                assert last["renditions"][name][k][:n] == q[k]


def test_source_without_sound_and_without_pictures(stack):
    v = stack.put(clip(8, audio=False))
    ix = stack.check_ready(v, frames=240)
    assert list(ix["renditions"]) == ["v240"]
    path = os.path.join(stack.dir, "tone.m4a")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    "anoisesrc=c=pink:d=9", "-c:a", "aac", path], check=True)
    a = stack.put(path)
    ix = stack.check_ready(a, seconds=9)
    assert list(ix["renditions"]) == ["a128"] and not ix["images"]


PLAYLIST = (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n"
            b"file:///etc/passwd\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("source, code, retryable", [
    (b"not a film at all\n" * 100, "NOT_A_VIDEO", False),
    (PLAYLIST, "FORBIDDEN_FORMAT", False),
    (b"ffconcat version 1.0\nfile /etc/passwd\n", "FORBIDDEN_FORMAT", False),
])
def test_what_is_no_film_ends_errored(stack, source, code, retryable):
    a = stack.put(source)
    r = stack.wait(a)
    assert not r["ready"] and r["code"] == code, r
    assert r["stage"] == "inspect" and r["retryable"] is retryable
    assert r["detail"].endswith(".") and r["log"]
    assert not os.path.exists(stack.path(a, "index"))
    assert stack.task(a, "inspect", "n") == "1"


def test_signed_duration_is_kept(stack):
    a = stack.put(clip(8), max_duration_s=5)
    r = stack.wait(a)
    assert (r["ready"], r["code"]) == (False, "LIMIT_DURATION"), r
    b = stack.put(clip(8), max_duration_s=8)
    assert stack.wait(b)["ready"]


def test_tombstone_wins(stack):
    a = stack.put_source(clip(8))
    stack.write(stack.path(a, "tombstone"), b"")
    stack.put_pending(a)
    wait_for(lambda: not os.path.exists(stack.pending(a)))
    assert stack.result(a) is None
    assert not os.path.exists(stack.path(a, "index"))


def test_deleted_while_it_runs():
    """its child ends at once, whenever the outbox would look next"""
    with Stack(slots=1, sweep_s=1, sweep_age_s=1, outbox_s=600) as s:
        s.start_redis()
        a = s.put(clip(60))
        s.start_workerd()
        wait_for(lambda: "done" in [v for t, v in s.tasks(a).items()
                                    if t[0] == "v"])
        began = time.monotonic()
        s.write(s.path(a, "tombstone"), b"")
        wait_for(lambda: "the asset was deleted" in s.said())
        wait_for(lambda: not s.workers[0].children())
        assert time.monotonic() - began < 5 * 2
        wait_for(lambda: not os.path.exists(s.pending(a)))
        assert s.job_state(a) == "cancelled"

        def swept():
            return os.listdir(s.folder(a)) == ["tombstone"]
        wait_for(swept)
        assert not os.path.exists(s.path(a, "index"))


def test_a_second_publication_replaces_an_errored_one(stack):
    a = stack.put_source(clip(8))
    stack.write(stack.path(a, "result.json"), {
        "asset": a, "publication": 1, "ready": False, "completed_ms": 1,
        "duration_ms": 0, "renditions": [], "code": "CRASHED",
        "stage": "v0.0", "detail": "x", "log": "", "retryable": True})
    stack.put_pending(a, 2)
    r = stack.wait(a, 2)
    assert r["ready"] and r["publication"] == 2
    assert stack.index(a)["publication"] == 2


def test_a_retry_before_its_errored_job_was_settled(stack):
    """the entries of both stand: one is removed, the other is run"""
    a = stack.put_source(clip(8))
    stack.write(stack.path(a, "result.json"), {
        "asset": a, "publication": 1, "ready": False, "completed_ms": 1,
        "duration_ms": 0, "renditions": [], "code": "CRASHED",
        "stage": "v0.0", "detail": "x", "log": "", "retryable": True})
    stack.put_pending(a, 2)
    stack.put_pending(a, 1)
    wait_for(lambda: not os.path.exists(stack.pending(a, 1)))
    r = stack.wait(a, 2)
    assert r["ready"] and r["publication"] == 2


def test_a_failure_that_was_told_stays_one(stack):
    """a publish that slept until another worker had given the job up"""
    a = stack.put(clip(8))
    wait_for(lambda: stack.job_state(a) == "running")
    told = {"asset": a, "publication": 1, "ready": False, "completed_ms": 1,
            "duration_ms": 0, "renditions": [], "code": "WORKER_LOST",
            "stage": "publish", "detail": "x", "log": "", "retryable": True}
    stack.write(stack.path(a, "result.json"), told)
    assert stack.job_state(a) == "running"
    wait_for(lambda: stack.job_state(a) == "done")
    assert stack.result(a) == told


@pytest.mark.parametrize("ended", (False, True), ids=("here", "before"))
def test_a_failure_is_written_as_soon_as_its_asset_is_let_go(ended):
    """another worker holds it, and the outbox looks by itself too seldom"""
    with Stack(outbox_s=600, log="debug") as s:
        s.start_redis()
        a = s.put(b"no film")
        f = open(s.path(a, "request.json"), "r+b")
        fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
        if ended:
            s.redis("HSET", K + "job:" + a + ".1", "v",
                    "3 failed 2 demo small", "code", "NOT_A_VIDEO")
        s.start_workerd()
        wait_for(lambda: "is held: its failure is written later" in s.said())
        assert s.job_state(a) == "failed" and s.result(a) is None
        f.close()
        assert s.wait(a)["code"] == "NOT_A_VIDEO"


def test_a_name_that_is_no_job_is_left(stack):
    name = stack.write(os.path.join(stack.store, "pending", "notes"), b"x")
    try:
        wait_for(lambda: "pending/notes is not named after a job"
                 in stack.said())
        assert stack.wait(stack.put(b"no film"))["code"] == "NOT_A_VIDEO"
        assert os.path.exists(name)
    finally:
        os.unlink(name)


def test_an_older_publication_never_replaces_a_newer(stack):
    a = stack.put(clip(8))
    stack.wait(a)
    index = open(stack.path(a, "index"), "rb").read()
    result = stack.result(a)
    newer = dict(result, publication=5)
    stack.write(stack.path(a, "result.json"), newer)
    stack.put_pending(a, 3)
    wait_for(lambda: not os.path.exists(stack.pending(a, 3)))
    assert stack.result(a) == newer
    assert open(stack.path(a, "index"), "rb").read() == index


def test_completion_groups_and_catalogue(stack):
    a = stack.put(clip(8))
    stack.wait(a)

    def handled():
        groups = stack.redis("XINFO", "GROUPS", K + "done")
        groups = [dict(zip(g[::2], g[1::2])) for g in groups]
        return (sorted(g["name"] for g in groups) == [
            "catalog", "log", "webhook"]
                and all(g["pending"] == 0 and g["lag"] == 0
                        for g in groups))
    wait_for(handled)
    created = json.load(open(stack.path(a, "request.json")))["created_ms"]
    assert int(stack.redis("ZSCORE", K + "catalog:demo", a)) == created


def test_worker_queue(stack):
    def known():
        return stack.redis("ZRANGE", K + "workers", 0, -1)
    workers = wait_for(known)
    h = stack.redis("HGETALL", K + "worker:" + workers[0])
    h = dict(zip(h[::2], h[1::2]))
    assert h["pid"] == str(stack.workers[0].pid) and h["slots"] == "5"
    assert h["cores"] == "2" and int(h["memory_mib"]) > 0
    assert "libx264" in h["codecs"] and int(h["started_ms"]) > 0
    assert 0 < stack.redis("TTL", K + "worker:" + workers[0]) <= 60

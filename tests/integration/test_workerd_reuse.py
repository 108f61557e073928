"""What stands already is not made again: docs/store.md, Twins."""

import glob
import json
import os
import re
import signal
import subprocess

import pytest

from client import presign
from reel import BUILD, KEY_ID, SMALL, Stack, clip, wait_for

WORK = {"v0.0", "a0", "poster", "storyboard"}

FAILS = SMALL + """\
  late:
    type: exec
    command: [/bin/sh, -c, 'exit %d']
    after: [encode_video, encode_audio, poster, storyboard]
    attempts: 1
    outputs: []
"""


@pytest.fixture(scope="module")
def stack():
    with Stack(reuse=True, sweep_s=1, sweep_age_s=1) as s:
        s.pipeline("softer", SMALL.replace("crf: 30", "crf: 31"))
        s.pipeline("copy", SMALL + "copy_max_kbps: 20000\n")
        s.pipeline("top", SMALL.replace("240", "64").replace("500", "50")
                   + "copy_max_kbps: 20000\ncopy_as: top\n")
        s.start_redis()
        s.start_nginx()
        s.start_workerd()
        yield s


def film(seconds):
    return clip(seconds, size="160x90")


def reused(stack, asset, publication=1):
    """the tasks of a job that took a result that stood"""
    return set(re.findall('job=%s.%d task=([a-z0-9.]+) msg="is not done '
                          'again' % (asset, publication), stack.said()))


def begun(stack, asset, publication=1):
    return set(re.findall('job=%s.%d task=([a-z0-9.]+) msg="begins'
                          % (asset, publication), stack.said()))


def plays(stack, asset):
    """to its last picture, as a player gets it"""
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "%s/play/%s/master.m3u8"
         % (stack.url, asset), "-f", "null", "-"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return out.returncode == 0 and out.stderr == ""


def delete(stack, asset):
    out = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X",
         "DELETE", presign(stack.url, "DELETE", "/api/assets/" + asset)],
        capture_output=True, text=True, check=True)
    assert out.stdout == "204", out.stdout


def reelctl(stack, *words):
    """with the keys of an operator, whose first one is of another project"""
    path = os.path.join(stack.dir, "keys.json")
    with open(path) as f:
        keys = json.load(f)["access_keys"]
    other = dict(keys[0], id="OTHERS", project="others", buckets=["others"])
    stack.write(path + ".all", {"access_keys": [other, *keys]})
    os.chmod(path + ".all", 0o600)
    out = subprocess.run(
        [os.path.join(BUILD, "bin", "reelctl"), "--server", stack.url,
         "--keys", path + ".all", *words], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return out.stdout


def quarantine(stack, *words):
    return reelctl(stack, "quarantine", *words, "--redis",
                   "unix:" + stack.socket)


def files(stack, asset):
    return {os.path.relpath(p, stack.folder(asset)) for p in
            glob.glob(stack.path(asset, "**"), recursive=True)
            if os.path.isfile(p)}


def twins(stack):
    return {os.path.basename(p)
            for p in glob.glob(os.path.join(stack.store, "twins", "*", "*",
                                            "*"))}


def test_the_same_bytes_are_encoded_once(stack):
    a = stack.put(film(2))
    stack.check_ready(a, frames=60)
    assert begun(stack, a) == WORK | {"inspect", "plan", "publish"}

    b = stack.put(film(2))
    stack.check_ready(b, frames=60)
    assert begun(stack, b) == {"inspect", "plan", "publish"}
    assert reused(stack, b) == WORK
    assert set(stack.tasks(b).values()) == {"done"}
    # one file, two names: it takes no room a second time
    assert stack.objects(a) == stack.objects(b)
    for o in stack.objects(a):
        assert os.path.samefile(stack.path(a, o), stack.path(b, o)) \
            == (not o.startswith("parts/"))

    # what is asked for is what is found, and only in the project
    c = stack.put(film(2), pipeline="softer")
    d = stack.put(film(2), project="others")
    stack.check_ready(c, frames=60)
    stack.check_ready(d, frames=60)
    assert reused(stack, c) == WORK - {"v0.0"}
    assert reused(stack, d) == set()
    assert twins(stack) == {a, b, c, d}

    delete(stack, a)
    assert files(stack, a) == {"tombstone"}
    assert twins(stack) == {b, c, d}
    stack.check_ready(b, frames=60)
    assert plays(stack, b)
    delete(stack, b)
    assert files(stack, b) == {"tombstone"}
    delete(stack, c)
    assert twins(stack) == {d}
    assert plays(stack, d)


def test_what_is_damaged_is_made_again(stack):
    a = stack.put(film(1))
    stack.check_ready(a, frames=30)
    video, = (stack.path(a, o) for o in stack.objects(a)
              if o.startswith("v"))
    with open(video, "rb") as f:
        data = f.read()
    os.unlink(video)
    stack.write(video, data[:-1])
    sound, = (p for p in glob.glob(stack.path(a, "parts", "*"))
              if "mp4a" in open(p).read())
    with open(sound, "r+b") as f:
        f.truncate(100)

    b = stack.put(film(1))
    stack.check_ready(b, frames=30)
    assert reused(stack, b) == WORK - {"v0.0", "a0"}

    c = stack.put(film(1))
    stack.check_ready(c, frames=30)
    assert reused(stack, c) == WORK


def test_a_retry_does_what_is_missing(stack):
    def reload(status):
        n = stack.said().count("reloaded: ")
        stack.pipeline("late", FAILS % status)
        stack.workers[0].kill(signal.SIGHUP)
        wait_for(lambda: stack.said().count("reloaded: ") > n)

    wait_for(stack.said)        # main has begun: before, a HUP ends it
    reload(3)
    a = stack.put(clip(1, size="128x72"), pipeline="late")
    assert not stack.wait(a)["ready"]
    assert WORK <= begun(stack, a)

    reload(0)
    assert "code      CRASHED" in quarantine(stack, "show", a + ".1/late")
    assert quarantine(stack, "retry", a + ".1") == "queued %s.1\n" % a
    assert quarantine(stack) == "nothing is in quarantine\n"
    stack.wait(a, 2)
    stack.check_ready(a, frames=30)
    assert reused(stack, a, 2) == WORK
    assert begun(stack, a, 2) == {"inspect", "plan", "late", "publish"}


def test_what_was_copied_alone_is_a_ladders_top_too(stack):
    """by whatever task: v0.0 is the smallest rendition"""
    a = stack.put(film(3), pipeline="copy")
    stack.check_ready(a, frames=90)
    told = reelctl(stack, "status", a, "--key-id", KEY_ID)
    assert "\npictures   copied\n" in told
    b = stack.put(film(3), pipeline="top")
    ix = stack.check_ready(b, frames=90)
    assert list(ix["renditions"])[:2] == ["v90", "v64"]
    assert reused(stack, b) == WORK - {"v0.0"} | {"v0.1"}

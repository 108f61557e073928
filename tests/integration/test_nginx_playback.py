"""What workerd published, fetched through nginx and decoded."""

import os
import subprocess

import pytest

from reel import Stack, clip, count, wait_for


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        s.start_redis()
        s.start_nginx()
        s.start_workerd()
        yield s


def remux(stack, url, name):
    """the variant that ffmpeg takes, copied; what it complains of fails"""
    path = os.path.join(stack.dir, name)
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", url, "-map", "0:v", "-map",
         "0:a", "-c", "copy", path], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120)
    assert out.returncode == 0 and out.stderr == "", out.stderr
    return path


def test_hls_and_dash_decode_to_the_last_frame(stack):
    a = stack.put(clip(20))
    stack.check_ready(a, frames=600)
    base = "%s/play/%s/" % (stack.url, a)
    for name in "master.m3u8", "manifest.mpd":
        path = remux(stack, base + name, name + ".mkv")
        assert count(path, "v:0") == 600
        # 20 s of sound in units of 1024
        assert abs(count(path, "a:0") - 20 * 48000 / 1024) < 2


def test_playback_needs_neither_redis_nor_workerd(stack):
    a = stack.put(clip(14))
    stack.check_ready(a, frames=420)
    stack.stop_redis()
    for w in stack.workers:
        w.kill()
        w.wait()
    url = "%s/play/%s/master.m3u8" % (stack.url, a)
    assert count(remux(stack, url, "alone.mkv"), "v:0") == 420
    stack.start_redis()
    stack.start_workerd()
    wait_for(lambda: stack.said().count("connected") >= 2)

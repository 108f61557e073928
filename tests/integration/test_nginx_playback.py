"""What workerd published, fetched through nginx and decoded; and playback
while the parts around it come and go."""

import array
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

import reel_index
from client import Player, Watching, get, presign, put
from reel import SMALL, Stack, boxes, clip, count, wait_for

# so slow that a segment is under way for most of a second
SLOW = "location /slow/ { reel_play; limit_rate 100k; }"


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        s.start_redis()
        s.start_nginx(server=SLOW)
        s.start_workerd()
        yield s


def base(stack, asset, location="play"):
    return "%s/%s/%s/" % (stack.url, location, asset)


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
    for name in "master.m3u8", "manifest.mpd":
        path = remux(stack, base(stack, a) + name, name + ".mkv")
        assert count(path, "v:0") == 600
        # 20 s of sound in units of 1024
        assert abs(count(path, "a:0") - 20 * 48000 / 1024) < 2


SRT = """1
00:00:00,500 --> 00:00:01,500
first

2
00:00:05,000 --> 00:00:07,000
over the <i>edge</i>

3
00:00:11,000 --> 00:00:15,000
last

"""


def shades(stack):
    """12 s that become lighter every 2 s, at key frames, with subtitles"""
    srt, path = (os.path.join(stack.dir, n) for n in ("s.srt", "shades.mkv"))
    with open(srt, "w") as f:
        f.write(SRT)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         "color=black:s=320x180:r=25:d=12,geq=lum='16+floor(T/2)*36':cb=128"
         ":cr=128", "-i", srt, "-c:v", "libx264", "-g", "50", "-keyint_min",
         "50", "-sc_threshold", "0", "-c:s", "srt", "-metadata:s:s:0",
         "language=eng", path], check=True)
    return path


def shade(jpeg, crop="iw:ih:0:0"):
    """which of the six a picture has"""
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "mjpeg", "-i", "-", "-vf",
         "crop=" + crop, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        input=jpeg, capture_output=True, check=True).stdout
    mean = sum(out) // len(out)
    k, off = divmod(mean + 21, 42)
    assert abs(off - 21) < 8, mean
    return k


def test_pictures_and_subtitles(stack):
    a = stack.put(shades(stack))
    assert stack.wait(a)["ready"]
    url = base(stack, a)

    for at, k in (0, 0), (1.9, 0), (2, 1), (6.5, 3), (11.9, 5), (99, 5):
        assert shade(get(url + "thumb.jpg?time=%s&width=100" % at)) == k, at

    board = get(url + "storyboard.vtt").decode()
    cues = re.findall(r"^00:00:(\d+)\.000 --> .*\n(.*)#xywh=(.*)$", board,
                      re.M)
    assert len(cues) == 6
    for at, uri, place in cues:
        x, y, w, h = place.split(",")
        assert shade(get(url + uri), ":".join((w, h, x, y))) \
            == int(at) // 2

    master = get(url + "master.m3u8").decode()
    media = re.search(r'TYPE=SUBTITLES.*URI="([^"]+)"', master).group(1)
    folder = url + media.rsplit("/", 1)[0] + "/"
    said = [re.findall(r"^(?:first|over.*|last)$",
                       get(folder + "%d.vtt" % n).decode(), re.M)
            for n in (0, 1)]
    edge = "over the <i>edge</i>"
    assert said == [["first", edge], [edge, "last"]]
    whole = get(folder + "subtitles.vtt").decode()
    assert "00:00:05.000 --> 00:00:07.000\n" + edge in whole
    assert "00:00:11.000 --> 00:00:12.000\nlast" in whole      # the film ends


def pitch(stack, url):
    """hertz of a tone: how often it passes zero, of 4 s in the midst"""
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", url, "-ss", "2", "-t", "4", "-ac",
         "1", "-ar", "48000", "-f", "s16le", "-"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert out.returncode == 0 and out.stderr == b"", out.stderr
    samples = array.array("h", out.stdout)
    assert len(samples) == 4 * 48000
    passed = sum((a < 0) != (b < 0) for a, b in zip(samples, samples[1:]))
    return passed / 2 / 4


def test_each_language_has_its_own_sound(stack):
    path = os.path.join(stack.dir, "languages.mkv")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         "testsrc2=s=128x72:r=25:d=14", "-f", "lavfi", "-i",
         "sine=440:d=14", "-f", "lavfi", "-i", "sine=1000:d=14",
         "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264",
         "-preset", "ultrafast", "-g", "25", "-c:a", "flac",
         "-metadata:s:a:0", "language=eng", "-metadata:s:a:1",
         "language=fre", "-metadata:s:a:1", "title=Version doubl\u00e9e",
         "-disposition:a:0", "default", "-disposition:a:1", "dub", path],
        check=True)
    a = stack.put(path)
    ix = stack.check_ready(a, frames=350)
    assert [n for n in ix["renditions"] if n[0] == "a"] == ["a128",
                                                            "a128-fr"]
    url = base(stack, a)
    media = [m for m in get(url + "master.m3u8").decode().splitlines()
             if m.startswith("#EXT-X-MEDIA:TYPE=AUDIO")]
    assert len(media) == 2
    for line, lang, name, default, hertz in (
            (media[0], "en", None, "YES", 440),
            (media[1], "fr", "Version doubl\u00e9e", "NO", 1000)):
        assert 'LANGUAGE="%s"' % lang in line
        assert "DEFAULT=" + default in line
        assert name is None or 'NAME="%s"' % name in line
        uri = re.search('URI="([^"]+)"', line).group(1)
        assert abs(pitch(stack, url + uri) - hertz) < 5
    mpd = get(url + "manifest.mpd").decode()
    assert 'lang="en"' in mpd and 'lang="fr"' in mpd


def woven(stack, one, two, name, at):
    """`one`, whose rendition goes on with the objects of `two` from object
    `at` on, and with the header that those need"""
    ix, other = stack.index(one), stack.index(two)
    q, r = ix["renditions"][name], other["renditions"][name]
    k = sum(o["fragments"] for o in q["objects"][:at])
    assert k % 3 == 0, "a segment must not need two headers"
    assert k == sum(o["fragments"] for o in r["objects"][:at])
    assert q["durations"] == r["durations"]

    number = len(ix["headers"])
    ix["headers"].append(other["headers"][r["objects"][at]["header"]])
    q["objects"][at:] = [dict(o, header=number) for o in r["objects"][at:]]
    for key in "sizes", "samples", "iframes":
        q[key][k:] = r[key][k:]
    for o in r["objects"][at:]:
        shutil.copy(stack.path(two, name, o["name"]),
                    stack.path(one, name, o["name"]))
    path = stack.path(one, "index")
    stack.write(path + ".new", reel_index.write(ix))
    os.rename(path + ".new", path)
    return ix, number


def maps(url):
    """[URL of the header, URLs of its segments] in a media playlist"""
    out = []
    for line in get(url).decode().splitlines():
        m = re.fullmatch(r'#EXT-X-MAP:URI="(.*)"', line)
        if m:
            out.append((url.replace("media.m3u8", m.group(1)), []))
        elif line and line[0] != "#":
            out[-1][1].append(url.replace("media.m3u8", line))
    return out


def test_a_second_header_is_served_and_decodes(stack):
    """each EXT-X-MAP, the bytes behind it, and what they decode"""
    for name, preset in ("plain", "ultrafast"), ("dense", "veryfast"):
        stack.pipeline(name, SMALL.replace("ultrafast", preset).replace(
            "chunks: { ", "chunks: { first_s: 6, "))
    wait_for(lambda: "connected" in stack.said())
    stack.workers[-1].kill(signal.SIGHUP)
    wait_for(lambda: "reloaded: %d pipelines" % len(stack.pipeline_names())
             in stack.said())
    film = clip(24)
    one, two = (stack.put(film, pipeline=p) for p in ("plain", "dense"))
    for a in one, two:
        stack.check_ready(a, frames=720)
        with open(stack.path(a, "index"), "rb") as f:
            data = f.read()
        assert reel_index.write(reel_index.read(data)) == data
    ix, number = woven(stack, one, two, "v240", 2)
    headers = [ix["headers"][n] for n in
               (ix["renditions"]["v240"]["objects"][0]["header"], number)]
    assert headers[0] != headers[1]

    # the cached index is a second old at most
    url = base(stack, one)
    media = wait_for(lambda: [m for m in Player(url).media()
                              if "/v240~" in m and len(maps(m)) == 2], 5)[0]
    groups = maps(media)
    assert [g[0].rsplit("/", 1)[1] for g in groups] == [
        "init.mp4", "init-%d.mp4" % number]
    for n, (init, segments) in enumerate(groups):
        head = get(init)
        assert head == headers[n]
        assert [b[0] for b in boxes(head)] == ["ftyp", "moov"]
        assert get(re.sub("~[^/]*", "", init)) == head, "by its bare name"
        assert len(segments) == 2
        body = b"".join(map(get, segments))
        part = stack.write(os.path.join(stack.dir, "part.mp4"), head + body)
        assert count(part, "v:0") == 360
    # and not by the other one
    stack.write(part, headers[0] + body)
    with pytest.raises(AssertionError, match="h264"):
        count(part, "v:0")


def test_the_ladder_takes_over_from_the_source(stack):
    """who watches again and again from the first moment misses nothing"""
    a = stack.put(clip(14))
    url = base(stack, a)
    first = get(url + "master.m3u8").decode()
    assert first.count("#EXT-X-STREAM-INF") == 1
    old = Player(url)
    held = [list(old.lines(m)) for m in old.media()]
    viewer = Watching(Player(url))
    stack.check_ready(a, frames=420)
    wait_for(lambda: get(url + "master.m3u8").decode() != first)
    for urls in held:
        for u in urls:
            assert len(get(u))
    viewer.stop()
    for name in "master.m3u8", "manifest.mpd":
        assert count(remux(stack, url + name, name + ".2.mkv"), "v:0") == 420


def test_playback_needs_neither_redis_nor_workerd(stack):
    a = stack.put(clip(14))
    stack.check_ready(a, frames=420)
    stack.stop_redis()
    for w in stack.workers:
        w.kill()
        w.wait()
    url = base(stack, a) + "master.m3u8"
    assert count(remux(stack, url, "alone.mkv"), "v:0") == 420
    stack.start_redis()
    stack.start_workerd()
    wait_for(lambda: stack.said().count("connected") >= 2)


@pytest.mark.chaos
def test_redis_stopped_during_playback(stack):
    """For 12 s, which no timer outlives that has to do with it: nginx looks
    at an index after 1 s, waits 500 ms for Redis and asks it again after
    1 s; workerd asks again within 5 s, and beats every 10 s.  (lease_s is 3
    here; only a task's result is late then.)"""
    a = stack.put(clip(20))
    stack.check_ready(a, frames=600)
    viewers = [Watching(Player(base(stack, a))) for _ in range(2)]
    wait_for(lambda: all(v.fetched > 20 for v in viewers))

    stack.stop_redis()
    at = [v.fetched for v in viewers]
    with open(clip(10), "rb") as f:
        film = f.read()
    # uploads make nginx look for Redis, and be without it, all the time
    late, end = [], time.monotonic() + 12
    while time.monotonic() < end:
        late.append(put(presign(stack.url, "PUT", "/upload/video/late-%d"
                                % len(late)), film, seconds=1))
        time.sleep(2)
    assert len(late) > 2
    assert all(v.fetched > n + 100 for v, n in zip(viewers, at))
    stack.start_redis()
    for b in late:
        stack.check_ready(b, frames=300)
    for v in viewers:
        v.stop()


@pytest.mark.chaos
def test_nginx_reloaded_during_playback_and_upload(stack):
    a = stack.put(clip(20))
    stack.check_ready(a, frames=600)
    said = os.path.getsize(os.path.join(stack.dir, "nginx.log"))
    viewers = [Watching(Player(base(stack, a, "slow")), pause=0)
               for _ in range(2)] + [Watching(Player(base(stack, a)))]
    with open(clip(10), "rb") as f:
        film = f.read()
    sent = []
    uploads = [threading.Thread(target=lambda n: sent.append(
        put(presign(stack.url, "PUT", "/upload/video/r%d" % n), film,
            seconds=6)), args=(n,)) for n in range(2)]
    for u in uploads:
        u.start()
    wait_for(lambda: all(v.fetched for v in viewers))

    for _ in range(4):
        old = stack.nginx_workers()
        stack.nginx_proc.send_signal(signal.SIGHUP)
        wait_for(lambda: len(set(stack.nginx_workers()) - set(old)) == 2)
        time.sleep(1)
    before = [v.fetched for v in viewers]
    for u in uploads:
        u.join()
    wait_for(lambda: all(v.fetched > n for v, n in zip(viewers, before)))
    for v in viewers:
        v.stop()
    assert len(set(sent)) == 2
    for b in sent:
        stack.check_ready(b, frames=300)
    with open(os.path.join(stack.dir, "nginx.log")) as f:
        f.seek(said)
        assert not re.search(r"\[(error|crit|alert|emerg)\]", f.read())

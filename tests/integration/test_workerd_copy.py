"""Pictures and sounds of the source that stay as they are."""

import json
import os
import re
import subprocess

import pytest

from client import presign
from reel import BUILD, Stack, run

COPY = """
copy_max_kbps: 20000
gop_ms: 1000
audio: { copy_max_kbps: 320 }
chunks: { first_s: 1, min_s: 1, target_s: 1, max_s: 2 }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""

@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        both = COPY + "copy_codecs: [h264, hevc]\n"
        s.pipeline("copy", both)
        s.pipeline("bright", both + "hdr: keep\n")
        s.start_redis().start_nginx()
        s.worker = s.start_workerd()
        yield s


def packets(film, kind="v", how=("-c", "copy")):
    """of one track: time from the first one's and digest, in order"""
    said = run("ffmpeg", "-v", "error", "-i", film, "-map", "0:" + kind, *how,
               "-f", "framemd5", "-").stdout.decode()
    num, den = re.search(r"#tb 0: (\d+)/(\d+)", said).groups()
    rows = [[c.strip() for c in line.split(",")]
            for line in said.splitlines() if line[:1] != "#"]
    first = min(int(r[2]) for r in rows)
    return [(round((int(r[2]) - first) * int(num) * 1000 / int(den)), r[4],
             r[5]) for r in rows]


def broken(stack, asset, rules=()):
    """what players must have of it, and none of these rules, is there"""
    p = subprocess.run([os.path.join(BUILD, "bin", "reelctl"), "check",
                        "--full", "%s/play/%s/" % (stack.url, asset)],
                       capture_output=True, text=True)
    assert " MUST ok" in p.stdout, p.stderr
    assert set(re.findall(r"rule (\S+) MUST FAIL", p.stdout)) == set(rules), \
        p.stdout


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_packets_that_fit_are_copied(stack, tmp_path, suffix):
    film = str(tmp_path / ("film" + suffix))
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=160x90:r=30:d=3.2", "-f", "lavfi", "-i",
        "anoisesrc=c=pink:a=0.3:d=3.5", "-c:v", "libx264", "-g", "15",
        "-sc_threshold", "0", "-bf", "3", "-preset", "faster", "-c:a", "aac",
        "-ac", "2", film)
    a = stack.put(film, pipeline="copy")
    ix = stack.check_ready(a, frames=96)
    names = list(ix["renditions"])
    assert names[0] == "v90" and names[1][0] == "a"
    v = ix["renditions"]["v90"]
    assert v["samples"] == [30, 30, 30, 6] and len(v["objects"]) > 1
    was = packets(film)
    for now in (packets(stack.join(a, "v90")),
                packets("%s/play/%s/master.m3u8" % (stack.url, a))):
        assert [p[1:] for p in now] == [p[1:] for p in was]
        assert all(abs(p[0] - q[0]) <= 1 for p, q in zip(now, was))
    # the first unit is ahead of the pictures
    sound = [p[1:] for p in packets(stack.join(a, names[1]), "a")]
    was = [p[1:] for p in packets(film, "a")][1:]
    assert len(sound) > 140 and sound == was[:len(sound)]
    # the last picture stands for as long as nine: that is no lower rate
    broken(stack, a)
    r = stack.result(a)
    assert (r["pictures"], r["sound"]) == ("copied", "copied")
    said = stack.said()
    assert "pictures are copied" in said and "the sound is copied" in said


def test_packets_that_do_not_fit_are_encoded(stack, tmp_path):
    film = str(tmp_path / "open.mp4")
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=160x90:r=30:d=2", "-c:v", "libx264", "-g", "30",
        "-x264-params", "open-gop=1:scenecut=0", film)
    a = stack.put(film, pipeline="copy")
    stack.check_ready(a, frames=60)
    why = "encoded: its key frames are not its IDR pictures"
    assert stack.result(a)["pictures"] == why
    api = run("curl", "-sS", presign(stack.url, "GET", "/api/assets/" + a))
    assert json.loads(api.stdout)["pictures"] == why
    assert "pictures are " + why in stack.said()
    assert packets(stack.join(a, "v90")) != packets(film)


def x265(path, said, *more, seconds=3.2, at=0.0):
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=160x90:r=30:d=%g" % seconds, "-c:v", "libx265",
        "-preset", "fast", "-x265-params", "log-level=error:keyint=15:"
        "min-keyint=15:scenecut=0:" + said, *more, "-output_ts_offset",
        str(at), path)
    return path


CLOSED = "open-gop=0:bframes=4:b-pyramid=1"
PQ = ":colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=" \
    "900,300:master-display=G(13250,34500)B(7500,3000)R(34000,16000)" \
    "WP(15635,16450)L(10000000,50)"


@pytest.mark.parametrize("name, pipeline, said, more", [
    ("hvc1.mp4", "copy", CLOSED, ("-tag:v", "hvc1")),
    ("hev1.mp4", "copy", CLOSED + ":repeat-headers=1:slices=2:aud=1",
     ("-tag:v", "hev1")),
    ("ten.mkv", "copy", CLOSED, ("-pix_fmt", "yuv420p10")),
    ("cra.mp4", "copy", "open-gop=1:bframes=0", ()),
    ("pq.mp4", "bright", CLOSED + PQ, ("-pix_fmt", "yuv420p10")),
], ids=lambda v: v if v[-4:-3] == "." else "")
def test_hevc_that_fits_is_copied(stack, tmp_path, name, pipeline, said,
                                  more):
    film = x265(str(tmp_path / name), said, *more)
    a = stack.put(film, pipeline=pipeline)
    ix = stack.check_ready(a, frames=96)
    assert stack.result(a)["pictures"] == "copied"
    v = ix["renditions"]["h90"]
    assert v["codec"].startswith("hvc1.")
    assert v["samples"] == [30, 30, 30, 6] and len(v["objects"]) > 1
    joined, url = stack.join(a, "h90"), "%s/play/%s/" % (stack.url, a)
    for how in (), ("-c", "copy"):
        was = packets(film, how=how)
        for now in joined, url + "master.m3u8", url + "manifest.mpd":
            now = packets(now, how=how)
            assert len(now) == 96
            assert all(abs(p[0] - q[0]) <= 1 for p, q in zip(now, was)), now
            # sets and delimiters among the pictures are left out; x265 has
            # them there where it tells of light, too
            if name not in ("hev1.mp4", "pq.mp4") or how == ():
                assert [p[1:] for p in now] == [p[1:] for p in was]
    # it is alone: Apple wants SDR beside HDR
    broken(stack, a, ("1.24", "6.16") if name == "pq.mp4" else ())
    master = run("curl", "-sS", url + "master.m3u8").stdout.decode()
    assert ("VIDEO-RANGE=PQ" in master) == (name == "pq.mp4")
    light = run("ffprobe", "-v", "error", "-show_entries",
                "stream=color_transfer:stream_side_data", joined).stdout
    assert (b"max_content=900" in light) == (name == "pq.mp4")


def changing(folder):
    a = x265(folder + "/1.ts", CLOSED + ":sao=1", seconds=1)
    b = x265(folder + "/2.ts", CLOSED + ":sao=0", seconds=1, at=1)
    film = folder + "/changing.mp4"
    run("ffmpeg", "-v", "error", "-i", "concat:%s|%s" % (a, b), "-c", "copy",
        "-tag:v", "hev1", film)
    return film


@pytest.mark.parametrize("make, pipeline, why", [
    (lambda d: x265(d + "/open.mp4", "open-gop=1", seconds=2), "copy",
     "its GOPs are open: pictures lead a key frame"),
    (changing, "copy", "its parameter sets change"),
    (lambda d: x265(d + "/pq.mp4", CLOSED + PQ, "-pix_fmt", "yuv420p10",
                    seconds=2), "copy",
     "it is of high dynamic range, which is mapped"),
], ids=["open", "changing", "bright"])
def test_hevc_that_does_not_fit_is_encoded(stack, tmp_path, make, pipeline,
                                           why):
    a = stack.put(make(str(tmp_path)), pipeline=pipeline)
    ix = stack.check_ready(a)
    assert stack.result(a)["pictures"] == "encoded: " + why
    assert ix["renditions"]["v90"]["codec"].startswith("avc1.")

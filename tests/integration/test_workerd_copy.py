"""Pictures and sounds of the source that stay as they are: alone, and as the
top of a ladder."""

import json
import os
import re
import subprocess
import urllib.parse

import pytest

from client import get, presign
from reel import BUILD, Stack, run

COPY = """
copy_max_kbps: 20000
gop_ms: 1000
audio: { copy_max_kbps: 320 }
chunks: { first_s: 1, min_s: 1, target_s: 1, max_s: 2 }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""

# the first is larger than most films here, the last would have their rate
LADDER = """copy_as: top
renditions:
  - { short_side: 180, crf: 30, max_kbps: 900, buf_kbits: 1200 }
  - { short_side: 120, crf: 30, max_kbps: 300, buf_kbits: 400 }
  - { short_side: 90, crf: 30, max_kbps: 9000, buf_kbits: 9000 }
  - { short_side: 64, crf: 30, max_kbps: 100, buf_kbits: 150 }
"""


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        both = COPY + "copy_codecs: [h264, hevc]\n"
        s.pipeline("copy", both)
        s.pipeline("bright", both + "hdr: keep\n")
        s.pipeline("top", COPY + LADDER)
        s.pipeline("long", both.replace("gop_ms: 1000", "gop_ms: 2000"))
        s.pipeline("tall", (both + LADDER + "".join(
            "  - { short_side: 64, crf: 50, max_kbps: 100, buf_kbits: 400, "
            "codec: %s, preset: %s }\n" % r
            for r in (("hevc", "ultrafast"), ("av1", "12")))).replace(
                "gop_ms: 1000", "gop_ms: 2000"))
        s.pipeline("both", both + LADDER + "".join(
            "  - { short_side: %d, crf: 34, max_kbps: %d, buf_kbits: 400, "
            "codec: hevc, preset: ultrafast }\n" % r
            for r in ((180, 400), (64, 100))))
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


def film_of(path, seconds, sound, *how, rate=30):
    """320x180, with a key frame every half a second unless how says else"""
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=320x180:r=%d:d=%g" % (rate, seconds), "-f", "lavfi", "-i",
        "anoisesrc=c=pink:a=0.3:d=%g" % sound, "-c:v", "libx264", "-bf", "3",
        "-crf", "16", "-preset", "faster", "-sc_threshold", "0", "-g",
        str(rate // 2), "-c:a", "aac", "-ac", "2", *how, path)
    return path


def lines(url):
    return [line for line in get(url).decode().splitlines() if line]


def playlists(url):
    """of pictures: URL by name"""
    return {n.split("~")[0]: urllib.parse.urljoin(url, n)
            for n in lines(url) if n[0] != "#"}


def begins(playlist, folder):
    """of each segment, decoded alone behind its header, as after a switch:
    when its first picture is shown, ms, and how many come out of it"""
    out = []
    text = lines(playlist)
    head = [re.search('URI="([^"]+)"', m).group(1) for m in text
            if m.startswith("#EXT-X-MAP")]
    assert len(head) == 1
    head = get(urllib.parse.urljoin(playlist, head[0]))
    for name in (n for n in text if n[0] != "#"):
        path = os.path.join(folder, "segment.mp4")
        with open(path, "wb") as f:
            f.write(head + get(urllib.parse.urljoin(playlist, name)))
        said = run("ffprobe", "-v", "error", "-show_entries",
                   "frame=pts_time,key_frame", "-of", "csv=p=0",
                   path).stdout.decode().split()
        shown = sorted(float(n.split(",")[1]) for n in said)
        assert said[0].startswith("1,") and said[0].split(",")[1] \
            == "%f" % shown[0]
        out.append((round(shown[0] * 1000), len(shown)))
    return out


def test_the_top_of_a_ladder_is_copied(stack, tmp_path):
    film = film_of(str(tmp_path / "film.mp4"), 8.2, 8.5)
    a = stack.put(film, pipeline="top")
    ix = stack.check_ready(a)
    names = list(ix["renditions"])
    assert names[:3] == ["v180", "v120", "v64"] and len(names) == 4
    v = [ix["renditions"][n] for n in names[:3]]
    # GOPs of one length, held at the end: as one picture, and as nine more
    assert [r["durations"] for r in v] == [v[0]["durations"]] * 3
    assert [r["samples"] for r in v] == [[30] * 8 + [6]] + [
        [30] * 8 + [15]] * 2
    assert [len(r["objects"]) > 1 for r in v] == [True] * 3
    r = stack.result(a)
    assert (r["pictures"], r["sound"]) == ("copied as v180, 2 more encoded",
                                           "copied")
    rates = {q["name"]: q["peak"] for q in r["renditions"]}
    assert rates["v180"] > rates["v120"] > rates["v64"]
    said = stack.said()
    assert "pictures are copied as v180, 2 more encoded" in said
    assert re.search(r"the ladder: v120 \d+ kbit/s at most; no v90, v180 has "
                     r"\d+ kbit/s at most", said)

    url = "%s/play/%s/master.m3u8" % (stack.url, a)
    lists = playlists(url)
    assert sorted(lists) == ["v120", "v180", "v64"]
    was = packets(film)
    for now in stack.join(a, "v180"), lists["v180"]:
        assert [p[1:] for p in packets(now)] == [p[1:] for p in was]
    segments = {n: begins(lists[n], str(tmp_path)) for n in lists}
    assert segments["v180"] == [(0, 90), (3000, 90), (6000, 66)]
    for n in "v120", "v64":
        assert segments[n] == [(0, 90), (3000, 90), (6000, 75)]
    broken(stack, a)


@pytest.mark.parametrize("codec, rest, last", [
    ("h264", 0.005, 2), ("h264", 0.023, 2), ("h264", 0.3, 2.3),
    ("h264", 1.9, 3.9), ("h264", -0.005, 2), ("h264", -0.3, 2),
    ("h264", -1.9, 2), ("hevc", 0.05, 2.05), ("hevc", 0.7, 2.7),
    ("hevc", -0.7, 2)])
def test_sound_may_go_on_behind_the_last_gop(stack, tmp_path, codec, rest,
                                             last):
    """pictures of four GOPs of 2 s, sound of so much more: it becomes the
    end of the last one, in every rendition"""
    film = film_of(str(tmp_path / "film.mp4"), 8, 8 + rest, "-g", "60",
                   *(("-c:v", "libx265", "-preset", "fast", "-x265-params",
                      "log-level=error:keyint=60:min-keyint=60:scenecut=0:"
                      "open-gop=0") if codec == "hevc" else ()))
    was = packets(film, how=())
    for pipeline in "long", "tall":
        a = stack.put(film, pipeline=pipeline)
        ix = stack.check_ready(a)
        top = "v180" if codec == "h264" else "h180"
        told = stack.result(a)["pictures"]
        assert told.startswith("copied as %s, " % top
                               if pipeline == "tall" else "copied"), told
        # sounds end with a unit; the film with a picture's time
        end = ix["end_ts"] / ix["timescale"]
        assert abs(end - 6 - last) <= 0.035, end
        for n, r in ix["renditions"].items():
            d = [t / r["timescale"] for t in r["durations"]]
            assert len(d) == 4, (n, d)
            assert all(abs(t - 2) < 0.025 for t in d[:3]), (n, d)
            assert abs(d[3] - (end - 6)) < 0.025, (n, d)
        assert ix["renditions"][top]["samples"] == [60] * 4
        url = "%s/play/%s/" % (stack.url, a)
        lists = playlists(url + "master.m3u8")
        for now in [stack.join(a, top), lists[top]] + (
                [url + "manifest.mpd"] if pipeline == "long" else []):
            now = packets(now, how=())
            assert [p[1:] for p in now] == [p[1:] for p in was], a
        held = 60 + round((end - 8) * 30)
        for n in lists:
            assert begins(lists[n], str(tmp_path)) == [
                (0, 180), (6000, 60 if n == top else held)], n
        broken(stack, a)


def test_sound_that_goes_on_for_a_gop_encodes(stack, tmp_path):
    film = film_of(str(tmp_path / "film.mp4"), 8, 10.1, "-g", "60")
    a = stack.put(film, pipeline="long")
    ix = stack.check_ready(a)
    assert stack.result(a)["pictures"] == \
        "encoded: its sound goes on after its pictures"
    assert len(ix["renditions"]["v180"]["samples"]) == 6


@pytest.mark.parametrize("how, why", [
    (("-force_key_frames", "0,0.7,1.9,2.1", "-g", "300"),
     "there is no key frame where one is needed"),
    (("-g", "210"), "its key frames are too far apart"),
], ids=["irregular", "far"])
def test_a_ladder_is_encoded_whose_top_does_not_fit(stack, tmp_path, how,
                                                    why):
    film = film_of(str(tmp_path / "film.mp4"), 7.5, 7.5, *how)
    a = stack.put(film, pipeline="top")
    ix = stack.check_ready(a, frames=225, seconds=7.5)
    assert list(ix["renditions"])[:4] == ["v180", "v120", "v90", "v64"]
    assert stack.result(a)["pictures"] == "encoded: " + why
    assert packets(stack.join(a, "v180")) != packets(film)
    lists = playlists("%s/play/%s/master.m3u8" % (stack.url, a))
    for n in lists:
        assert begins(lists[n], str(tmp_path)) == [(0, 90), (3000, 90),
                                                   (6000, 45)]
    broken(stack, a)


def test_smaller_ones_have_every_second_picture(stack, tmp_path):
    film = film_of(str(tmp_path / "fast.mp4"), 4.2, 4.2, rate=60)
    a = stack.put(film, pipeline="top")
    ix = stack.check_ready(a)
    v = ix["renditions"]
    assert v["v180"]["samples"] == [60] * 4 + [12]
    assert v["v120"]["samples"] == v["v64"]["samples"] == [30] * 4 + [6]
    assert v["v180"]["durations"] == v["v120"]["durations"]
    lists = playlists("%s/play/%s/master.m3u8" % (stack.url, a))
    assert begins(lists["v180"], str(tmp_path)) == [(0, 180), (3000, 72)]
    assert begins(lists["v64"], str(tmp_path)) == [(0, 90), (3000, 36)]
    broken(stack, a)


def test_a_top_has_a_ladder_of_its_codec(stack, tmp_path):
    film = x265(str(tmp_path / "film.mp4"), CLOSED, "-s", "320x180")
    a = stack.put(film, pipeline="both")
    ix = stack.check_ready(a, frames=96)
    assert list(ix["renditions"]) == ["v180", "v120", "v90", "v64", "h180",
                                      "h64"]
    assert stack.result(a)["pictures"] == "copied as h180, 5 more encoded"
    assert packets(stack.join(a, "h180"))[0][1:] == packets(film)[0][1:]
    broken(stack, a)

    a = stack.put(film, pipeline="top")
    stack.check_ready(a, frames=96)
    assert stack.result(a)["pictures"] == \
        "encoded: copy_codecs has no hevc"

"""Graphs of the user's: programs, conditions, order, codecs."""

import array
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from client import get, presign
from reel import BUILD, ROOT, Stack, clip, run, wait_for

# what a program may see and do, line by line; it is sh, with python3 inside
LOOK = r"""#!/bin/sh
{
    echo "source $(wc -c < in/source)"
    grep -q '"video"' in/inspect.json && echo facts
    cat /etc/shadow >/dev/null 2>&1 && echo LEAK shadow
    ls ../.. >/dev/null 2>&1 && echo LEAK store
    echo x 2>/dev/null >> in/source && echo LEAK source
    echo x 2>/dev/null > ../x && echo LEAK scratch
    echo x 2>/dev/null > /tmp/reel-leak && echo LEAK tmp
    kill -0 $OUTSIDE 2>/dev/null && echo LEAK signal
    chmod 0 in/source && cp -p in/source tmp/film && echo copied
    /usr/bin/python3 - <<'EOF'
import os, socket
for family in socket.AF_INET, socket.AF_UNIX:
    try:
        socket.socket(family)
        print("LEAK socket")
    except PermissionError:
        print("no socket")
EOF
    env | grep -E '^(REDIS|REEL_REDIS)' && echo LEAK environment
    echo "$REEL_NUMBER $REEL_FROM_MS-$REEL_TO_MS $REEL_WIDTH x $REEL_HEIGHT"
    [ -w "$TMPDIR" ] && echo tmp
} > out/report.txt 2>&1
echo '{"progress": 500}' >&$REEL_CONTROL_FD
printf 0123456789 > out/raw.bin
"""

GRAPH = """
gop_ms: 1000
renditions:
  - { short_side: 80, crf: 40, max_kbps: 200, buf_kbits: 300,
      when: duration > 60 }
  - { short_side: 64, crf: 40, max_kbps: 200, buf_kbits: 300 }
  - { short_side: 64, crf: 40, max_kbps: 200, buf_kbits: 300, codec: hevc,
      preset: ultrafast }
  - { short_side: 64, crf: 60, max_kbps: 200, buf_kbits: 300, codec: av1,
      preset: 13 }
storyboard: { interval_s: 0 }
tasks:
  poster: { when: height > 1000 }
  light: { type: encode_video, codec: av1 }
  encode_audio: { after: look }
  look:
    type: exec
    command: %s
    inputs: [source, inspect]
    outputs: [report.txt, { name: raw.bin, keep: false }]
  each:
    type: exec
    command: [/bin/sh, -c, 'cat in/look/raw.bin > out/x;
        echo " $REEL_RENDITION" >> out/x']
    for_each: rendition
    inputs: look/raw.bin
    outputs: [x]
  broken:
    type: exec
    command: [/bin/sh, -c, 'echo cannot >&2; exit 3']
    outputs: [never]
    attempts: 1
    optional: true
  left-out:
    type: exec
    command: /bin/false
    when: duration > 60
"""

# a film of 50 pictures a second in PQ; the smaller rung has half of them
LIGHT = """
gop_ms: 500
hdr: keep
chunks: { first_s: 1, min_s: 1, target_s: 1, max_s: 2 }
renditions:
  - { short_side: 128, crf: 30, max_kbps: 400, buf_kbits: 600, codec: hevc,
      preset: ultrafast, when: hdr }
  - { short_side: 64, crf: 30, max_kbps: 200, buf_kbits: 300, codec: hevc,
      preset: ultrafast }
  - { short_side: 64, crf: 50, max_kbps: 200, buf_kbits: 300, codec: av1,
      preset: 13 }
  - { short_side: 96, crf: 30, max_kbps: 400, buf_kbits: 600, preset: ultrafast }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""

# nearly lossless, so that what changed shows
CLEAR = """
gop_ms: 1000
renditions: [{ short_side: 90, crf: 4, max_kbps: 20000, buf_kbits: 30000 }]
audio: { kbps: 0 }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""


REJECTS = r'''
gop_ms: 1000
renditions:
  - { short_side: 64, crf: 40, max_kbps: 200, buf_kbits: 300 }
tasks:
  look:
    type: exec
    command: [/bin/sh, -c, 'echo "{\"error\": {\"class\": \"fail\",
        \"code\": \"REJECTED\", \"stage\": \"rights\", \"detail\":
        \"This is ours\u0007, {DOTS}\"}}" >&$REEL_CONTROL_FD; exit 1']
    optional: true
'''


HALF = """
gop_ms: 1000
renditions:
  - { short_side: 64, crf: 40, max_kbps: 100, buf_kbits: 100,
      preset: ultrafast }
audio: { kbps: 0 }
storyboard: { interval_s: 0 }
tasks:
  poster: false
  half:
    type: exec
    command: [/bin/sh, -c, 'echo "{\\"progress\\": 500}" >&$REEL_CONTROL_FD;
              sleep 600']
    cost_s: 1000
"""

LONG = """
renditions:
  - { short_side: 64, crf: 40, max_kbps: 100, buf_kbits: 100,
      preset: ultrafast }
audio: { loudness_lufs: -20 }
storyboard: { interval_s: 0 }
tasks: { poster: false }
"""


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        # of all files in its folder a program sees its own
        look = os.path.join(s.dir, "look")
        with open(look, "w") as f:
            f.write(LOOK.replace("$OUTSIDE", str(os.getpid())))
        os.chmod(look, 0o755)
        s.pipeline("graph", GRAPH % look)
        s.pipeline("stubborn", "storyboard: { interval_s: 0 }\n"
                   "tasks:\n  wrong:\n    type: exec\n"
                   "    command: [/bin/sh, -c, 'ln -s /etc/passwd out/link;"
                   " sleep 1000 & exit 0']\n    outputs: [link]\n"
                   "    attempts: 1\n")
        s.pipeline("rejects", REJECTS.replace("{DOTS}", "…" * 120))
        s.pipeline("light", LIGHT)
        s.pipeline("plain", CLEAR)
        s.pipeline("marked", CLEAR.replace("poster: false", "poster: false, "
                   "wait: { type: exec, command: [/bin/sleep, '2'] }, "
                   "encode_video: { after: wait }")
                   + "watermark: { image: m.png, opacity: 100, width: 20, "
                   "position: bottom-left, margin: 10 }\n")
        shutil.copy(os.path.join(ROOT, "conf/pipelines/watermark.png"),
                    os.path.join(s.pipelines, "m.png"))
        s.pipeline("written", CLEAR + 'watermark: { text: "\\u00a9 reel", '
                   "width: 50, position: top-left, margin: 0, opacity: 100, "
                   "color: black }\n")
        for lufs in (-16, -23):
            s.pipeline("loud%d" % -lufs, "audio: { loudness_lufs: %d }\n"
                       "tasks: { encode_video: false }\n" % lufs)
        s.pipeline("titled", "gop_ms: 500\nrenditions:\n" + "".join(
            "  - { short_side: %d, crf: 20, max_kbps: 9000, buf_kbits: 9000 }"
            "\n" % side for side in (90, 64)) + "per_title: { ssim: 900 }\n"
            "audio: { kbps: 0 }\nstoryboard: { interval_s: 0 }\n"
            "tasks: { poster: false, complexity: { attempts: 1 } }\n")
        s.pipeline("half", HALF)
        s.pipeline("long", LONG)
        s.pipeline("opus", "gop_ms: 500\naudio: { codec: opus, kbps: 96 }\n"
                   "tasks: { encode_video: false }\n")
        s.start_redis().start_nginx()
        s.worker = s.start_workerd()
        yield s


def test_graph(stack):
    source = clip(2, size="160x90")
    a = stack.put(source, pipeline="graph")
    ix = stack.check_ready(a, frames=60, seconds=2)
    assert list(ix["renditions"]) == ["v64", "h64", "av64", "a128"]
    assert [ix["renditions"][n]["codec"][:4]
            for n in ("v64", "h64", "av64")] == ["avc1", "hvc1", "av01"]
    assert not ix["images"]
    assert set(stack.tasks(a)) == {
        "inspect", "plan", "v0.0", "v0.1", "v0.2", "a0", "look", "each.0",
        "each.1", "each.2", "broken", "publish"}
    assert set(stack.tasks(a).values()) == {"done"}
    assert re.search(r'task=broken msg="its program said: cannot\\n"',
                     stack.said())
    assert stack.task(a, "a0", "since") >= stack.task(a, "look", "since")

    files = {(f["task"], f["name"]): f for f in stack.result(a)["files"]}
    assert set(files) == {("look", "report.txt"), ("each.0", "x"),
                          ("each.1", "x"), ("each.2", "x")}

    def read(task, name):
        """as a user does"""
        text = get(presign(
            stack.url, "GET", "/api/assets/%s/files/%s/%s" % (a, task, name)))
        assert len(text) == files[task, name]["bytes"]
        return text.decode()

    report = read("look", "report.txt").splitlines()
    assert report == ["source %d" % os.path.getsize(source), "facts",
                      "copied", "no socket", "no socket",
                      "0 0-2000 160 x 90", "tmp"]
    assert os.stat(stack.path(a, "source")).st_mode & 0o400
    assert sorted(read("each.%d" % i, "x") for i in range(3)) == [
        "0123456789 av64\n", "0123456789 h64\n", "0123456789 v64\n"]

    # the folders of programs are gone, and so is the other one's file
    scratch = os.path.join(stack.store, "scratch", a + ".1")
    assert not [n for n in os.listdir(scratch) if n.endswith(".d")]


def loudness(path):
    said = run("ffmpeg", "-nostats", "-i", path, "-af", "ebur128", "-f",
               "null", "-").stderr.decode()
    return float(re.findall(r"I: +(-[0-9.]+) LUFS", said)[-1])


def test_a_sound_becomes_as_loud_as_asked(stack):
    source = clip(2, size="160x90")
    films = [(lufs, stack.put(source, pipeline="loud%d" % -lufs))
             for lufs in (-16, -23)]
    before = loudness(source)
    for lufs, a in films:
        stack.check_ready(a, seconds=2)
        # of a clip the encode measures
        assert set(stack.tasks(a)) == {"inspect", "plan", "a0", "publish"}
        assert abs(lufs - before) > 2
        assert abs(loudness(stack.join(a, "a128")) - lufs) < 1


def samples(path):
    raw = run("ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1",
              "-ar", "48000", "-").stdout
    return array.array("h", raw)


def test_opus_stands_where_the_sound_is(stack):
    source = clip(2, size="160x90")
    a = stack.put(source, pipeline="opus")
    ix = stack.check_ready(a, seconds=2)
    assert list(ix["renditions"]) == ["o96"]
    assert ix["renditions"]["o96"]["codec"] == "opus"
    assert len(ix["renditions"]["o96"]["durations"]) == 4
    film = stack.join(a, "o96")
    said = run("ffprobe", "-v", "error", "-show_entries",
               "stream=codec_name,sample_rate,channels,start_time", "-of",
               "csv=p=0", film).stdout.decode().strip()
    assert said == "opus,48000,2,0.000000"
    was, now = samples(source), samples(film)
    for at in (9600, 48000, 84000):
        best = max(range(-480, 481), key=lambda lag: sum(
            was[at + i] * now[at + i + lag] for i in range(0, 1500)))
        assert abs(best) <= 1, (at, best)


def test_a_program_counts_in_the_progress(stack):
    a = stack.put(clip(2, size="160x90"), pipeline="half")

    def half():
        p = json.loads(get(presign(stack.url, "GET", "/api/assets/" + a)))[
            "progress"]
        return p["renditions"] == {"v64": 100, "half": 50} and p

    p = wait_for(half, 60)
    assert 49 <= p["percent"] <= 51, p
    request = urllib.request.Request(
        presign(stack.url, "POST", "/api/assets/%s/cancel" % a),
        method="POST", data=b"")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 202
    wait_for(lambda: (stack.result(a) or {}).get("code") == "CANCELLED", 60)


def test_a_long_sound_is_made_in_stretches(stack):
    # times in Matroska are milliseconds, of units of 1024 / 48 each
    source = clip(200, size="96x64", rate="5", suffix=".mkv")
    a = stack.put(source, pipeline="long")
    stack.check_ready(a, frames=1000, seconds=200)
    assert {"loudness", "a0", "a1", "a2", "a3"} <= set(stack.tasks(a))
    assert min(stack.task(a, "a%d" % i, "since") for i in range(4)) \
        >= stack.task(a, "loudness", "since")
    film = stack.join(a, "a128")
    assert abs(loudness(film) + 20) < 1
    was, now = samples(source), samples(film)
    louder = 10 ** ((-20 - loudness(source)) / 20)

    def lag(at, among):
        return min(among, key=lambda lag: sum(
            abs(now[at + i + lag] - louder * was[at + i])
            for i in range(0, 1500, 3)))

    first = lag(48000, range(-2000, 2001))
    for at in range(2 * 48000, 198 * 48000, 7 * 48000):
        assert lag(at, range(first - 40, first + 41)) == first, at


def test_rates_are_the_films(stack):
    a = stack.put(clip(2, size="160x90"), pipeline="titled")
    ix = stack.check_ready(a, frames=60, seconds=2)
    assert list(ix["renditions"]) == ["v90", "v64"]
    assert set(stack.tasks(a)) == {"inspect", "plan", "complexity", "ladder",
                                   "v0.0", "v0.1", "publish"}
    assert set(stack.tasks(a).values()) == {"done"}
    for name in "v0.0", "v0.1":
        for rung in json.loads(stack.task(a, name, "payload"))["rungs"]:
            assert rung["crf"] == 26
            assert rung["max_kbps"] < 9000


def test_without_trials_the_ladder_is_the_written_one(stack):
    """that nothing could be tried costs no film: its only try is killed"""
    a = stack.put(clip(4, size="426x240"), pipeline="titled")

    def is_tried():
        if stack.tasks(a).get("complexity") == "running":
            for pid in stack.worker.children():
                os.kill(pid, signal.SIGKILL)
        return stack.tasks(a).get("ladder") == "done"

    wait_for(is_tried, every=0.005)
    stack.check_ready(a, frames=120, seconds=4)
    with open(os.path.join(stack.store, "scratch", a + ".1",
                           "complexity.json")) as f:
        assert "trials" not in json.load(f)
    for rung in json.loads(stack.task(a, "v0.1", "payload"))["rungs"]:
        assert (rung["crf"], rung["max_kbps"]) == (20, 9000)
    with open(stack.worker.log) as f:
        assert "the film goes without it" in f.read()


def luma(path):
    return run("ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo",
               "-pix_fmt", "gray", "-").stdout


def test_a_watermark_is_in_its_corner(stack):
    source = clip(1, size="160x90", audio=False)
    films = [stack.put(source, pipeline=p)
             for p in ("plain", "marked", "written")]

    # a film keeps the image that it was planned with
    wait_for(lambda: stack.task(films[1], "plan", "s") == "done", 60)
    os.remove(os.path.join(stack.pipelines, "m.png"))
    for a in films:
        stack.check_ready(a, frames=30)
    plain, marked, written = (luma(stack.join(a, "v90")) for a in films)
    assert len(plain) == len(marked) == len(written) == 30 * 160 * 90
    beyond, within = 0, 0
    for i, (p, m) in enumerate(zip(plain, marked)):
        x, y = i % 160, i // 160 % 90
        if 8 <= x < 40 and 48 <= y < 80:
            within += abs(p - m) > 24
        else:
            beyond = max(beyond, abs(p - m))
    assert within > 30 * 32 * 32 / 3
    assert beyond <= 12             # the encoder's

    # so is a text, which is less than half as high as wide
    beyond, within = 0, 0
    for i, (p, m) in enumerate(zip(plain, written)):
        if i % 160 < 80 and i // 160 % 90 < 40:
            within += p - m > 24
        else:
            beyond = max(beyond, abs(p - m))
    assert within > 30 * 80 * 10 / 3
    assert beyond <= 12


def stream_facts(path):
    out = run("ffprobe", "-v", "error", "-show_entries",
              "stream=pix_fmt,color_space,color_transfer,color_primaries,"
              "r_frame_rate:stream_side_data=side_data_type,max_content",
              "-of", "default=nw=1", path).stdout.decode()
    return dict(line.split("=", 1) for line in out.split("\n") if line)


def test_light_is_kept_where_it_can_be(stack, tmp_path):
    source = str(tmp_path / "pq.mp4")
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=256x128:r=50:d=1.7", "-c:v", "libx265", "-preset",
        "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params",
        "log-level=error:colorprim=9:transfer=16:colormatrix=9:master-display"
        "=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
        "L(10000000,50):max-cll=800,300", source)
    a = stack.put(source, pipeline="light")
    ix = stack.check_ready(a)
    n = {q: sum(r["samples"]) for q, r in ix["renditions"].items()}
    assert n == {"h128": 85, "h64": 43, "av64": 85, "v96": 85}
    durations = [r["durations"] for r in ix["renditions"].values()]
    assert durations.count(durations[0]) == 4

    for name, pix in ("h128", "yuv420p10le"), ("av64", "yuv420p10le"), (
            "h64", "yuv420p10le"), ("v96", "yuv420p"):
        facts = stream_facts(stack.join(a, name))
        assert facts["pix_fmt"] == pix
        assert facts["color_transfer"] == ("bt709" if name == "v96"
                                           else "smpte2084"), name
        assert facts.get("max_content") == (None if name == "v96" else "800")
        assert facts["r_frame_rate"] == ("25/1" if name == "h64" else "50/1")

    url = "%s/play/%s/" % (stack.url, a)
    master = run("curl", "-sf", url + "master.m3u8").stdout.decode()
    lines = [m for m in master.split("\n") if m.startswith("#EXT-X-STREAM")]
    assert len(lines) == 4
    for m in lines:
        sdr = "avc1." in m
        assert ("VIDEO-RANGE=SDR" in m) == sdr
        assert ("VIDEO-RANGE=PQ" in m) != sdr
        assert sdr or '"hvc1.2.4.' in m or '.10.0.110.09.16.09.0"' in m
        assert ("FRAME-RATE=25.000" in m) == ("RESOLUTION=128x64" in m
                                              and "hvc1" in m)
    mpd = run("curl", "-sf", url + "manifest.mpd").stdout.decode()
    assert mpd.count('EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:'
                     'TransferCharacteristics" value="16"') == 2
    assert mpd.count('frameRate="25"') == 1
    assert mpd.count('frameRate="50"') == 3
    assert mpd.count('contentType="video"') == 3


def test_an_output_is_a_file_and_nothing_is_left_running(stack):
    a = stack.put(clip(2, size="160x90"), pipeline="stubborn")
    r = stack.wait(a)
    assert not r["ready"] and r["stage"] == "wrong"
    assert "made no file out/link" in stack.said()
    wait_for(lambda: os.popen("pgrep -f 'sleep 100[0]'").read() == "", 10)


def test_a_program_rejects_a_film_in_its_own_words(stack):
    a = stack.put(clip(1, size="160x90"), pipeline="rejects")
    r = stack.wait(a)
    assert (r["ready"], r["code"], r["stage"], r["retryable"]) \
        == (False, "REJECTED", "look", False), r
    # at most 255 bytes, no half of a character, nothing for a terminal
    assert r["detail"] == "This is ours , " + "…" * 80, r["detail"]
    assert stack.task(a, "look", "n") == "1"
    out = subprocess.run(
        [os.path.join(BUILD, "bin", "reelctl"), "status", a, "--server",
         stack.url, "--keys", os.path.join(stack.dir, "keys.json")],
        capture_output=True, text=True)
    assert "REJECTED" in out.stdout + out.stderr
    assert "This is ours , …" in out.stdout + out.stderr


def test_a_pipeline_that_is_wrong_is_refused_at_the_border():
    with Stack() as s:
        s.pipeline("loop", "tasks:\n  poster: { after: storyboard }\n"
                   "  storyboard: { after: poster }\n")
        s.write_conf()
        p = s.start_workerd("-t")
        assert p.wait(30) == 1
        assert "loop.yaml:3:24: storyboard: \"storyboard\" and \"poster\"" \
            in s.said()


def test_a_program_that_fills_its_folder_is_ended():
    with Stack() as s:
        s.pipeline("fills", CLEAR.replace("poster: false", "poster: false, "
                   "fill: { type: exec, attempts: 1, outputs: [{ name: x, "
                   "max_mib: 1 }], command: [/bin/sh, -c, 'for i in 1 2 3 4; "
                   "do head -c 9000000 /dev/zero > tmp/$i; done; "
                   "sleep 1000'] }"))
        s.start_redis().start_workerd(limits={"folder_mib": 16})
        a = s.put(clip(2, size="160x90"), pipeline="fills")
        r = s.wait(a)
        assert (r["ready"], r["code"], r["stage"]) \
            == (False, "BAD_PIPELINE", "fill"), r
        assert "more than 17 MiB" in s.task(a, "fill", "err")


def test_a_program_has_the_devices_that_the_worker_says():
    command = ("/bin/sh, -c, '{ head -c 1 /dev/zero > /dev/full; } "
               "2> out/said; true'")
    with Stack() as s:
        s.pipeline("device", CLEAR.replace(
            "poster: false", "poster: false, try: { type: exec, attempts: 1, "
            "outputs: [said], command: [%s] }" % command))
        s.start_redis()
        film = clip(1, size="96x64", audio=False)
        for devices, want in ([], "Permission denied"), (
                ["/dev/full", "/dev/reel-none"], "No space left"):
            w = s.start_workerd(devices=devices)
            a = s.put(film, pipeline="device")
            s.check_ready(a)
            name = s.result(a)["files"][0]["object"]
            with open(s.path(a, "file", name)) as f:
                assert want in f.read()
            w.kill(signal.SIGTERM)
            assert w.wait() == 0
        assert "programs have no /dev/reel-none: No such file" in s.said()
        assert "programs have no /dev/full" not in s.said()


def test_the_example_of_the_docs_runs():
    with open(os.path.join(ROOT, "docs", "pipelines.md")) as f:
        text = f.read().split("### An example")[1]
    python, yaml = (re.search("```%s\n(.*?)```" % kind, text, re.S).group(1)
                    for kind in ("python", "yaml"))
    with Stack() as s:
        program = os.path.join(s.dir, "make-captions")
        with open(program, "w") as f:
            f.write(python)
        os.chmod(program, 0o755)
        assert "/usr/local/bin/make-captions" in yaml
        s.pipeline("example", CLEAR.split("audio:")[0] + yaml.replace(
            "/usr/local/bin/make-captions", program))
        s.start_redis().start_workerd()
        a = s.put(clip(12, size="96x64"), pipeline="example")
        s.check_ready(a)
        [f] = s.result(a)["files"]
        assert (f["task"], f["name"]) == ("captions", "captions.vtt")
        captions = re.compile(r"WEBVTT\n\n00:00:00\.000 --> 00:00:10\.000\n"
                              r"00:00:00\.000 to 00:00:10\.000\n\n"
                              r"00:00:10\.000 --> (00:00:12\.0\d\d)\n"
                              r"00:00:10\.000 to \1\n")
        with open(s.path(a, "file", f["object"])) as f:
            assert captions.fullmatch(f.read())
        assert not s.result(a).get("warnings")

        # by hand
        at = os.path.join(s.dir, "try")
        for name in "in", "out", "tmp":
            os.makedirs(os.path.join(at, name))
        shutil.copy(clip(12, size="96x64"), os.path.join(at, "in", "source"))
        p = run(program, cwd=at, env={**os.environ, "REEL_CONTROL_FD": "1"})
        said = [json.loads(line)["progress"] for line in p.stdout.split(b"\n")
                if line]
        assert len(said) == 2 and said[1] == 1000
        with open(os.path.join(at, "out", "captions.vtt")) as f:
            assert captions.fullmatch(f.read())

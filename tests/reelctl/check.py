"""reelctl check against a film that keeps every rule, and against the same
film with one defect planted: the rule must be named, and the rules that have
nothing to do with it stay as they were."""

import json
import os
import re
import shutil
import struct
import subprocess

import stream
from case import FAILED, OK, USAGE, Case

RULES = 7                       # exit code: a MUST does not hold

MASTER, MPD = "master.m3u8", "manifest.mpd"
V, A, T = "v360/media.m3u8", "a-en/media.m3u8", "t-en/media.m3u8"
I = "v360/iframes.m3u8"


def text(path, old, new, count=1):
    """replaces in a playlist or manifest; the text must be there"""
    def do(files):
        kind, body = files[path]
        s = body.decode()
        changed = re.sub(old, new, s, count=count, flags=re.M)
        assert changed != s, (path, old)
        files[path] = kind, changed.encode()
    return do


def data(path, change):
    def do(files):
        kind, body = files[path]
        changed = change(body)
        assert changed != body
        files[path] = kind, changed
    return do


def swap(old, new, count=1):
    return lambda b: b.replace(old, new, count)


def kind(path, value):
    def do(files):
        files[path] = value, files[path][1]
    return do


def drop(path):
    return lambda files: files.pop(path)


def header(name, handler, entry, scale, track, **more):
    def do(files):
        files[name + "/init.mp4"] = files[name + "/init.mp4"][0], \
            stream.header(handler, entry, scale, track, **more)
    return do


def video(name="v360", w=640, h=360, kind="avc1", config=None, **more):
    unit = stream.sps(w, h, **more)
    return header(name, b"vide", stream.video_entry(
        w, h, stream.avcc(unit) if config is None else config, kind),
        stream.VSCALE, 1)


def sound(entry, extra=stream.LUDT):
    return header("a-en", b"soun", entry, stream.ASCALE, 2, extra=extra)


def tfdt_off(body):
    at = body.index(b"tfdt") + 8
    return body[:at] + struct.pack(">Q", struct.unpack(
        ">Q", body[at:at + 8])[0] + 3000) + body[at + 8:]


def traf_twice(body):
    """the same traf again in the first moof"""
    at = body.index(b"traf") - 4
    size = struct.unpack(">I", body[at:at + 4])[0]
    moof = struct.unpack(">I", body[:4])[0] + size
    return struct.pack(">I", moof) + body[4:at + size] \
        + body[at:at + size] + body[at + size:]


def not_sync(body):
    at = body.index(b"trun") + 16
    return body[:at] + struct.pack(">I", 0x01010000) + body[at + 4:]


def many(*steps):
    def do(files):
        for s in steps:
            s(files)
    return do


def all_segments(name, change):
    return many(*(data("%s/%d.m4s" % (name, n), change)
                  for n in range(len(stream.SEGMENTS))))


def hevc(level=120, tier=0):
    return stream.box("hvcC", bytes([1, tier << 5 | 2, 0x20, 0, 0, 0, 0x90, 0,
                                     0, 0, 0, 0, level, 0xf0, 0, 0xfc, 0xfd,
                                     0xfa, 0xfa, 0, 0, 0x0f, 0]))


def tenc(scheme, crypt, skip):
    return stream.box(
        "sinf", stream.box("frma", b"avc1"),
        stream.full("schm", 0, 0, scheme, struct.pack(">I", 0x10000)),
        stream.box("schi", stream.full("tenc", 1, 0, bytes(
            [0, crypt << 4 | skip, 1, 8]) + bytes(range(16)))))


def encrypted(scheme=b"cbcs", crypt=1, skip=9):
    unit = stream.sps(640, 360)
    return header("v360", b"vide", stream.video_entry(
        640, 360, stream.avcc(unit) + tenc(scheme, crypt, skip), "encv"),
        stream.VSCALE, 1)


KEY = '#EXT-X-KEY:METHOD=%s,URI="skd://k",KEYFORMAT="%s"\n#EXT-X-MAP'
FPS = "com.apple.streamingkeydelivery"

# the rule that must fail, and what is done to the film
DEFECTS = (
    ("R.1", text(V, "#EXTM3U\n", "")),
    ("R.1", text(V, "^#EXT-X-TARGETDURATION.*\n", "")),
    ("R.1", text(V, "#EXTINF:6.000000,", "#EXTINF:six,")),
    ("R.1", text(V, "#EXTINF:6.000000,", "#EXTINF:6.000000")),
    ("R.1", text(MASTER, 'GROUP-ID="a"', 'GROUP-ID=a')),
    ("R.1", text(MASTER, 'NAME="Deutsch"', 'NAME="Deutsch')),
    ("R.1", text(MASTER, "(BANDWIDTH=[0-9]+)", r"\1,\1")),
    ("R.1", text(MASTER, "^#EXT-X-VERSION.*\n", r"\g<0>\g<0>")),
    ("R.1", text(MASTER, "#EXT-X-VERSION:6", "#EXT-X-VERSION:six")),
    ("R.1", text(MASTER, "^#EXT-X-INDEPENDENT.*\n", r"\g<0>#EXTINF:1,\nx\n")),
    ("R.1", data(V, swap(b"#EXT-X-ENDLIST", b"\xff\x00\n#EXT-X-ENDLIST"))),
    ("R.2", text(V, "VERSION:6", "VERSION:3")),
    ("R.3", text(V, "TARGETDURATION:6", "TARGETDURATION:5")),
    ("R.4", drop("v360/1.m4s")),
    ("R.4", drop("v360/init.mp4")),
    ("R.4", drop(A)),
    ("R.5", text(MASTER, 'AUDIO="a"', 'AUDIO="b"')),
    ("R.5", text(MASTER, 'NAME="Deutsch"', 'NAME="English"')),
    ("R.5", text(MASTER, "DEFAULT=NO", "DEFAULT=YES")),
    ("R.6", text(V, "#EXT-X-MAP", "#EXT-X-KEY:METHOD=ROT13,URI=\"x\"\n#EXT-X-MAP")),
    ("R.6", text(V, "#EXT-X-MAP", '#EXT-X-KEY:METHOD=AES-128\n#EXT-X-MAP')),
    ("R.6", text(V, "#EXT-X-MAP", '#EXT-X-KEY:METHOD=AES-128,URI="k",'
                 'IV=0x12\n#EXT-X-MAP')),
    ("R.6", text(MASTER, "^#EXT-X-MEDIA", '#EXT-X-SESSION-KEY:METHOD=AES-128,'
                 'URI="k"\n#EXT-X-MEDIA')),
    ("R.6", many(text(V, "#EXT-X-MAP", '#EXT-X-KEY:METHOD=AES-128,URI="k"\n'
                      '#EXT-X-MAP'),
                 text(MASTER, "^#EXT-X-MEDIA", '#EXT-X-SESSION-KEY:METHOD='
                      'AES-128,URI="k"\n#EXT-X-MEDIA'))),
    ("1.1", video(kind="mp4v")),
    ("1.3a", many(*(video(n, w, h, level=50) for n, w, h, _, _ in
                    stream.VIDEO))),
    ("1.3b", video(profile=122)),
    ("1.6b", video(kind="hvc1", config=hevc(level=180))),
    ("1.7", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=30.000,"
                 "VIDEO-RANGE=PQ")),
    ("1.10", video(kind="avc3")),
    ("1.13", all_segments("v360", swap(b"\x02\0\0\0", b"\1\1\0\0", 9))),
    ("1.14", video(progressive=0)),
    ("1.18", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=31.400")),
    ("1.19", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=120.000")),
    ("1.24", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=30.000,"
                  "VIDEO-RANGE=PQ", 0)),
    ("1.26", text(MASTER, "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=9")),
    ("1.27", text(MASTER, ":BANDWIDTH=", ":BANDWIDTH=9")),
    ("1.30", data("v360/1.m4s", lambda b: b + stream.box(
        "free", bytes(9000000)))),
    ("1.32", text(MASTER, r"(#EXT-X-STREAM-INF(?:.|\n)*?)"
                  r"(#EXT-X-STREAM-INF.*\nv234/.*\n)", r"\2\1")),
    ("1.33", text(MASTER, "RESOLUTION=416x234", "RESOLUTION=416x416")),
    ("2.3", many(*(header(n, b"soun", stream.audio_entry(6, b"\x11\xb0"),
                          stream.ASCALE, 2, extra=stream.LUDT)
                   for n in ("a-en", "a-de")))),
    ("2.4", sound(stream.audio_entry(2, b"\x2b\x11\x88\x00"))),
    ("2.9", many(*(data("a-en/%d.m4s" % n, lambda b: b + stream.box(
        "free", bytes(90000))) for n in range(3)))),
    ("2.12-2.15", text(MASTER, 'AUTOSELECT=YES,CHANNELS', 'CHARACTERISTICS='
                       '"public.accessibility.describes-video",CHANNELS')),
    ("2.18-2.23", sound(stream.audio_entry(), b"")),
    ("4.4", text(MASTER, 'NAME="t-en",LANGUAGE="en"', 'NAME="t-en"')),
    ("4.5", text(MASTER, 'NAME="t-en"', 'NAME="English SDH"')),
    ("5.2", data("t-en/0.vtt", swap(b"WEBVTT", b"WEBVT"))),
    ("5.2", data("t-en/0.vtt", swap(b"00:00:00.000 -->", b"00:00:09.000 -->"))),
    ("5.3", data("t-en/0.vtt", swap(b"X-TIMESTAMP-MAP", b"NOTE"))),
    ("5.5", text(T, "#EXTINF:2.000000,\n2.vtt\n", "")),
    ("5.8", text(MASTER, 'NAME="t-en",LANGUAGE="en"',
                 'NAME="t-en",LANGUAGE="fr"')),
    ("6.1", text(MASTER, "^#EXT-X-I-FRAME.*\n", "")),
    ("6.1", text(I, "^#EXT-X-I-FRAMES-ONLY\n", "")),
    ("6.2", text(I, "#EXTINF:1.000000", "#EXTINF:5.000000", 0)),
    ("6.10", text(I, "EXT-X-BYTERANGE:([0-9]+)@0", "EXT-X-BYTERANGE:900@0")),
    ("6.10", text(I, r"@0\n0", r"@8\n0")),
    ("6.16", text(MASTER, "BANDWIDTH=60000", "BANDWIDTH=60000,"
                  "VIDEO-RANGE=PQ")),
    ("7.3", data("v360/1.m4s", tfdt_off)),
    ("7.4", data("v360/1.m4s", swap(b"\x65\x55", b"\x41\x55"))),
    ("7.5", text(V, "TARGETDURATION:6", "TARGETDURATION:7")),
    ("7.6", text(V, "#EXTINF:6.000000", "#EXTINF:5.500000", 0)),
    ("7.7", text(V, "#EXTINF:6.000000", "#EXTINF:6.600000")),
    ("8.1", text(V, "#EXTINF:6.000000", "#EXTINF:5.900000")),
    ("8.2", text(A, "TARGETDURATION:6", "TARGETDURATION:7")),
    ("8.3", text(A, r"#EXTINF:[0-9.]+,\n2.m4s\n", "")),
    ("8.6", text(V, "^#EXT-X-PLAYLIST-TYPE:VOD\n", "")),
    ("8.10", text(MASTER, ',LANGUAGE="de"', "")),
    ("8.15", text(V, "#EXTINF:2", "#EXT-X-DISCONTINUITY\n#EXTINF:2")),
    ("8.20", text(V, "^#EXT-X-MAP.*\n", "")),
    ("8.22", text(V, "#EXTINF:2.000000,\n2.m4s\n", "")),
    ("9.1", text(MASTER, "avc1.4d401f,mp4a.40.2", "avc1.64001f,mp4a.40.2")),
    ("9.1", text(MASTER, "avc1.4d401f,mp4a.40.2", "avc1.4d401f")),
    ("9.1", text(MASTER, ',CODECS="avc1.4d401f,mp4a.40.2"', "")),
    ("9.2", text(MASTER, "RESOLUTION=640x360,FRAME", "FRAME")),
    ("9.2", text(MASTER, "RESOLUTION=640x360", "RESOLUTION=642x360")),
    ("9.3", text(MASTER, ',CODECS="avc1.4d401f",RES', ",RES")),
    ("9.4", text(MASTER, ',RESOLUTION=640x360,URI', ",URI")),
    ("9.9", text(MASTER, r"^#EXT-X-STREAM-INF.*\nv(720b|234)/.*\n", "", 0)),
    ("9.10", text(MASTER, r"^#EXT-X-STREAM-INF.*\nv720b/.*\n", "")),
    ("9.11", text(MASTER, "^#EXT-X-INDEPENDENT.*\n", "")),
    ("9.12", many(text(MASTER, "^#EXT-X-INDEPENDENT.*\n", ""),
                  text(V, "^#EXT-X-INDEPENDENT.*\n", ""))),
    ("9.13", text(MASTER, ":BANDWIDTH=[0-9]+", ":BANDWIDTH=100000")),
    ("9.14", text(MASTER, "AVERAGE-BANDWIDTH=[0-9]+,", "")),
    ("9.15", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=25.000")),
    ("9.15", text(MASTER, "FRAME-RATE=30.000,", "")),
    ("9.16", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=30.000,"
                  "VIDEO-RANGE=HLG")),
    ("9.19", text(MASTER, "FRAME-RATE=30.000", "FRAME-RATE=30.000,SCORE=1.5")),
    ("9.21", text(MASTER, r"^#EXT-X-STREAM-INF.*\nv234/.*\n", "")),
    ("tvOS", text(MASTER, "^#EXT-X-STREAM-INF", '#EXT-X-STREAM-INF:'
                  'BANDWIDTH=102000,CODECS="mp4a.40.2",AUDIO="a"\n'
                  'a-en/media.m3u8\n#EXT-X-STREAM-INF')),
    ("10.4", kind(V, "text/plain")),
    ("10.4", kind("v360/0.m4s", "application/octet-stream")),
    ("13.2", text(V, "#EXT-X-MAP", KEY % ("AES-128", FPS))),
    ("13.5-13.6", text(MASTER, "^#EXT-X-MEDIA", '#EXT-X-SESSION-KEY:METHOD='
                       'SAMPLE-AES,URI="skd://k",KEYFORMAT="%s"\n'
                       '#EXT-X-MEDIA' % FPS)),
    ("13.7", encrypted(crypt=5, skip=5)),
    ("13.11", text(V, "#EXT-X-MAP", KEY % ("SAMPLE-AES-CTR", FPS))),
    ("AirPlay", encrypted()),
    ("C.1", data("v360/init.mp4", lambda b: b[:60])),
    ("C.1", data("v360/init.mp4", swap(b"avcC", b"avcX"))),
    ("C.2", data("v360/init.mp4", swap(b"cmf2", b"isom", 2))),
    ("C.3", data("v360/init.mp4", swap(b"mvex", b"trak"))),
    ("C.4", data("v360/init.mp4", swap(b"mvex", b"free"))),
    ("C.5", data("v360/0.m4s", traf_twice)),
    ("C.5", data("v360/0.m4s", swap(b"tfhd\x00\x02", b"tfhd\x00\x00"))),
    ("C.5", data("v360/0.m4s", swap(b"tfdt", b"free"))),
    ("C.5", data("v360/0.m4s", lambda b: b[:-100])),
    ("C.6", data("v360/0.m4s", not_sync)),
    ("D.1", text(MPD, "schema:mpd:2011", "schema:mpd:2012")),
    ("D.2", text(MPD, ' minBufferTime="PT6S"', "")),
    ("D.2", text(MPD, ' bandwidth="[0-9]+"', "")),
    ("D.2", text(MPD, ' frameRate="30"', "")),
    ("D.2", text(MPD, "<AudioChannelConfiguration.*\n", "")),
    ("D.3", text(MPD, 'start="PT0S"', 'start="PT1S"')),
    ("D.4", text(MPD, 'start="PT0S" duration="PT14S"', 'start="PT0S"')),
    ("D.5", text(MPD, 'mediaPresentationDuration="PT14S"',
                 'mediaPresentationDuration="PT15S"')),
    ("D.6", text(MPD, "</Period>", '</Period>\n<Period id="1" start="PT14S" '
                 'duration="PT0S"/>')),
    ("D.7", text(MPD, '<SegmentTemplate timescale="30000"', r'\g<0> '
                 'duration="180000"')),
    ("D.8", text(MPD, '<S t="0"', '<S n="0" t="0"')),
    ("D.9", text(MPD, r'(<S t="0" d="180000"/>\n)<S d', r'\1<S t="180001" d')),
    ("D.10", text(MPD, r'<S d="60000"/>\n', "")),
    ("D.11", text(MPD, '<S d="60000"/>', '<S d="63000"/>')),
    ("D.12", text(MPD, r"<SegmentTemplate timescale=\"30000\"((?:.|\n)*?)>\n"
                  r"<SegmentTimeline>(?:.|\n)*?</SegmentTimeline>",
                  r'<SegmentTemplate timescale="30000" duration="120000"'
                  r"\1>")),
    ("D.13", text(MPD, 'id="v720b"', 'id="v720"')),
    ("D.14", text(MPD, "avc1.4d401f", "avc1.42001f")),
    ("D.15", text(MPD, 'width="640"', 'width="638"')),
    ("D.15", text(MPD, 'audioSamplingRate="48000"',
                  'audioSamplingRate="44100"')),
    ("D.16", data("v360/1.m4s", tfdt_off)),
    ("D.17", drop("tiles/1.jpg")),
    ("D.17", text(MPD, 'startNumber="0"', 'startNumber="1"')),
    ("D.18", text(MPD, 'bandwidth="[0-9]+" codecs="avc1',
                  'bandwidth="100000" codecs="avc1')),
    ("D.19", text(MPD, 'type="static"', 'type="dynamic" availabilityStartTime='
                  '"2026-01-01T00:00:00Z" publishTime="2026-01-01T00:00:00Z"')),
    ("D.20", kind(MPD, "text/xml")),
    ("D.21", text(MPD, ' lang="de"', "")),
    ("D.22", encrypted()),
    ("D.23", text(MPD, '<S t="0"', '<S t="9007199254740992"')),
    ("D.24", text(MPD, 'duration="PT14S"', 'duration="P1M"')),
    ("D.25", text(MPD, r'<Representation id="text"', '<SegmentTemplate '
                  r'presentationTimeOffset="5"/>\g<0>')),
    ("D.26", text(MPD, "thumbnail_tile", "thumbs")),
    ("D.27", text(MPD, "</AdaptationSet>", "<Label>x</Label></AdaptationSet>")),
    ("D.27", text(MPD, "</AdaptationSet>", "<Rule/></AdaptationSet>")),
)

# rules that no defect above can be planted for in that film, and why
BESIDE = {
    "1.2": "a header of H.264 without mvex is C.4's",
    "1.5": "HEVC in a transport stream: test_transport_streams",
    "1.6a": "a level of HEVC: test_hevc",
    "1.34": "UHD: test_uhd", "1.37": "a level of AV1 above 6.2: test_av1",
    "2.11": "a second header of sound: test_second_header",
    "2.17": "sound twice in a transport stream: test_transport_streams",
    "6.5": "test_heavy_iframes", "6.7": "test_heavy_iframes",
    "8.18": "test_delivery", "9.5": "test_transport_streams",
    "10.1": "test_delivery", "12.1": "wants a certificate",
    "T.1": "test_transport_streams", "T.2": "test_transport_streams",
}


class Check(Case):

    @classmethod
    def setUpClass(cls):
        cls.good = stream.site()
        cls.site = stream.Site()
        cls.addClassCleanup(cls.site.close)

    def check(self, *args, code=RULES, files=None, url=""):
        """results by rule, of the film with what files has changed"""
        self.site.files = self.good if files is None else files
        p = self.run_ctl("check", self.site.url + url, "--full", "--json",
                         *args, code=code)
        out = json.loads(p.stdout)
        return {r["rule"]: r for r in out["rules"]}, out

    def changed(self, change):
        files = dict(self.good)
        change(files)
        return files

    def test_the_good_film_keeps_every_rule(self):
        rules, out = self.check("--profile=tv", code=OK)
        self.assertEqual([r for r in rules.values() if r["result"] == "fail"
                          or r["faults"]], [])
        self.assertTrue(out["conforms"])
        self.assertTrue(all(d["plays"] for d in out["devices"]))
        p = self.run_ctl("check", self.site.url)
        self.assertIn("rule 9.14 MUST ok: variants have AVERAGE-BANDWIDTH\n",
                      p.stdout)
        self.assertIn("rule 13.7 MUST n/a: ", p.stdout)

    def test_planted_defects(self):
        rules, _ = self.check(code=OK)
        for number, change in DEFECTS:
            with self.subTest(number):
                files = self.changed(change)
                self.site.files = files
                p = self.run_ctl_any("check", self.site.url + (
                    MPD if number[0] == "D" else MASTER), "--full", "--json")
                got = {r["rule"]: r for r in json.loads(p.stdout)["rules"]}
                self.assertEqual(got[number]["result"], "FAIL",
                                 [r["rule"] for r in got.values()
                                  if r["result"] == "FAIL"])
                must = [r for r in got.values() if r["result"] == "FAIL"
                        and r["level"] == "MUST"]
                self.assertEqual(p.returncode, RULES if must else OK)
        print("%d planted defects" % len(DEFECTS))

    def run_ctl_any(self, *args):
        import case
        return subprocess.run([case.REELCTL, *args], text=True,
                              env=self.environment(), capture_output=True,
                              timeout=60)

    def test_keys_are_meant_from_their_playlist(self):
        for here, there in (("../k/0.key", "k/0.key"), ("skd://k", "skd://k")):
            files = self.changed(many(
                text(V, "#EXT-X-MAP", '#EXT-X-KEY:METHOD=AES-128,URI="%s"\n'
                     '#EXT-X-MAP' % here),
                text(MASTER, "^#EXT-X-MEDIA", '#EXT-X-SESSION-KEY:METHOD='
                     'AES-128,URI="%s"\n#EXT-X-MEDIA' % there)))
            self.site.files = files
            p = self.run_ctl_any("check", self.site.url, "--full", "--json")
            got = {r["rule"]: r for r in json.loads(p.stdout)["rules"]}
            self.assertEqual(got["R.6"]["result"], "ok", got["R.6"])

    def test_every_rule_has_a_defect(self):
        out = json.loads(self.run_ctl("check", "--rules", "--json").stdout)
        every = {r["rule"] for r in out}
        planted = {n for n, _ in DEFECTS} | set(BESIDE)
        self.assertEqual(every - planted, set())
        self.assertEqual(planted - every, set())

    def fails(self, number, change, *args):
        files = self.changed(change)
        self.site.files = files
        p = self.run_ctl_any("check", self.site.url, "--full", "--json", *args)
        got = {r["rule"]: r for r in json.loads(p.stdout)["rules"]}
        self.assertEqual(got[number]["result"], "FAIL")
        return got

    def test_hevc(self):
        self.fails("1.6a", video(kind="hvc1", config=hevc(level=123)))
        self.fails("1.6a", video(kind="hvc1", config=hevc(tier=1)))
        self.fails("1.10", video(kind="hev1", config=hevc()))

    def test_av1(self):
        got = self.fails("1.37", video(kind="av01", config=stream.box(
            "av1C", b"\x81\x13\x00\x00")))
        self.assertIn("av01.0.19M.08", got["9.1"]["faults"][0])

    def test_uhd(self):
        self.fails("1.34", text(MASTER, ":BANDWIDTH=[0-9]+(.*)1280x720",
                                r":BANDWIDTH=16000000\g<1>3840x2160"))

    def test_heavy_iframes(self):
        files = dict(self.good)
        idr = 20000
        found = []
        for n, (a, b) in enumerate(stream.SEGMENTS):
            body, frames = stream.video_segment(a, b, idr, 1400)
            files["v360/%d.m4s" % n] = "video/mp4", body
            found.append(frames)
        files[I] = stream.M3U8, stream.iframes("v360", found).encode()
        self.site.files = files
        p = self.run_ctl_any("check", self.site.url, "--full", "--json")
        got = {r["rule"]: r for r in json.loads(p.stdout)["rules"]}
        self.assertEqual((got["6.5"]["result"], got["6.7"]["result"]),
                         ("FAIL", "FAIL"))
        self.assertEqual(got["6.10"]["result"], "ok")

    def test_second_header(self):
        def change(files):
            files["a-en/init-1.mp4"] = "audio/mp4", stream.header(
                b"soun", stream.audio_entry(6, b"\x11\xb0"), stream.ASCALE, 2,
                stream.LUDT)
            text(A, r"(0.m4s\n)", r'\1#EXT-X-MAP:URI="init-1.mp4"\n')(files)
        self.fails("2.11", change)

    def test_delivery(self):
        self.site.moved = "v360/1.m4s"
        self.addCleanup(setattr, self.site, "moved", None)
        rules, _ = self.check(code=OK)
        self.assertEqual(rules["8.18"]["result"], "FAIL")
        self.assertIn("moved/v360/1.m4s", rules["8.18"]["faults"][0])
        self.site.moved = None
        self.site.plain = True
        self.addCleanup(setattr, self.site, "plain", False)
        rules, _ = self.check()
        self.assertEqual(rules["10.1"]["result"], "FAIL")

    def test_without_full_the_sizes_are_asked_for(self):
        self.site.files = self.good
        out = json.loads(self.run_ctl("check", self.site.url, "--json").stdout)
        self.assertEqual(out["must_failed"], 0)

    def test_one_playlist_or_one_format(self):
        for url in V, A, T, I, MASTER, MPD:
            rules, out = self.check(code=OK, url=url)
            self.assertEqual(rules["R.1"]["result"],
                             "n/a" if url == MPD else "ok")
            self.assertEqual(rules["D.1"]["result"],
                             "ok" if url == MPD else "n/a")

    def test_devices(self):
        def of(change, *args):
            self.site.files = self.changed(change)
            p = self.run_ctl_any("check", self.site.url, "--json", *args)
            out = json.loads(p.stdout)
            self.assertEqual(p.returncode, OK if out["conforms"] else RULES)
            return {d["device"] for d in out["devices"] if not d["plays"]}
        high = many(*(video(n, w, h, level=50)
                      for n, w, h, _, _ in stream.VIDEO))
        self.assertEqual(of(high, "--profile=tv"), {"HbbTV", "Chromecast"})
        self.assertEqual(of(high, "--profile=mobile"), set())
        self.assertEqual(of(encrypted(b"cenc", 0, 0), "--profile=mobile"),
                         {"AVPlayer"})
        opus = many(*(header(n, b"soun", stream.box(
            "Opus", bytes(6), b"\0\1", bytes(8), b"\0\2\0\x10\0\0\0\0",
            b"\xbb\x80\0\0", stream.box("dOps", b"\0\2", bytes(9))),
            stream.ASCALE, 2) for n in ("a-en", "a-de")))
        self.assertEqual(of(opus, "--profile=tv"),
                         {"AVPlayer", "Tizen", "Roku", "HbbTV"})
        self.assertEqual(of(opus, "--profile=web"), set())
        self.site.cors = False
        self.addCleanup(setattr, self.site, "cors", True)
        self.assertEqual(of(lambda f: None, "--profile=web"),
                         {"Chromecast", "Browsers"})
        few = text(MASTER, r"^#EXT-X-STREAM-INF.*\nv(360|234)/.*\n", "", 0)
        self.site.files = self.changed(few)
        p = self.run_ctl_any("check", self.site.url + MASTER, "--json",
                             "--profile=tv")
        refused = [d["device"] for d in json.loads(p.stdout)["devices"]
                   if not d["plays"]]
        self.assertEqual(refused, ["Roku", "HbbTV", "Chromecast"])

    def test_usage(self):
        for args in (["check"], ["check", "x"], ["check", "ftp://h/"],
                     ["check", "http://h/", "--profile=radio"]):
            self.run_ctl(*args, code=USAGE)
        self.site.files = {}
        self.assertIn("HTTP 404", self.run_ctl(
            "check", self.site.url, code=FAILED).stderr)
        self.assertIn("reelctl: ", self.run_ctl(
            "check", "http://127.0.0.1:1/", code=FAILED).stderr)

    def test_hostile_files(self):
        """nothing but a fault comes of them"""
        for path, body in ((MASTER, b"#EXTM3U\n" * 100000),
                           (MASTER, b"\x00" * 5000), (V, b""),
                           (MPD, b"<MPD" * 1000), (MPD, b""),
                           ("v360/init.mp4", b"\0\0\0\x08ftyp" * 3),
                           ("v360/0.m4s", b"\xff" * 999)):
            files = dict(self.good)
            files[path] = files[path][0], body
            self.site.files = files
            p = self.run_ctl_any("check", self.site.url, "--full")
            self.assertIn(p.returncode, (FAILED, RULES), (path, p.stderr))

    def test_hostile_times_and_names(self):
        """what is absurd is a fault and no overflow, and is told whole"""
        huge = b"9" * 18
        rules, out = self.check(files=self.changed(many(
            text(V, r"^#EXTINF:.*$", "#EXTINF:9000000000000,", 0),
            text(MPD, r'<S ', '<S t="18446744073709551615" '),
            text(MPD, r'mediaPresentationDuration="[^"]*"',
                 'mediaPresentationDuration="PT%sS"' % huge.decode()[:12]))))
        self.assertEqual(rules["R.3"]["result"], "FAIL")
        self.assertFalse(out["conforms"])

        def rename(files):
            kind, body = files[V]
            at = body.index(b"0.m4s")
            files[V] = kind, body[:at] + b"http://[x/\xff\n" \
                + body[at + 6:]
        rules, _ = self.check(files=self.changed(rename))
        self.assertEqual(rules["R.4"]["result"], "FAIL")
        self.assertTrue(any("invalid:http://[x/" in f and "\\xff" in f
                            for f in rules["R.4"]["faults"]),
                        rules["R.4"]["faults"])

    def test_bounds_of_a_run(self):
        """beyond them there is no verdict, and a line says why"""
        def told(files, why, *args):
            self.site.files = files
            p = self.run_ctl_any("check", self.site.url, *args)
            self.assertEqual(p.returncode, FAILED, p.stdout)
            self.assertEqual(p.stdout, "")
            self.assertIn(why, p.stderr)

        def endless(files):
            kind, body = files[V]
            at = body.index(b"#EXTINF")
            files[V] = kind, body[:at] + b"#EXTINF:6,\n0.m4s\n" * 100001
        told(self.changed(endless), "more than 100000 segments")
        self.site.slow = 0.4
        try:
            told(self.good, "it took too long", "--timeout=1")
        finally:
            self.site.slow = 0

    def test_transport_streams(self):
        if shutil.which("ffmpeg") is None:
            self.skipTest("no ffmpeg")
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
             "testsrc2=s=320x180:r=25:d=10", "-f", "lavfi", "-i",
             "sine=f=440:r=48000:d=10", "-map", "0:v", "-c:v", "libx264",
             "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p",
             "-hls_time", "6", "-hls_playlist_type", "vod", "-hls_flags",
             "independent_segments", self.path("v.m3u8"), "-map", "0:v",
             "-map", "1:a", "-map", "1:a", "-c:v", "libx264", "-preset",
             "ultrafast", "-g", "50", "-c:a", "aac", "-hls_time", "6",
             "-hls_playlist_type", "vod", self.path("av.m3u8")],
            check=True, stdin=subprocess.DEVNULL)
        ts = {}
        for name in os.listdir(self.dir):
            if name.endswith((".ts", ".m3u8")):
                with open(self.path(name), "rb") as f:
                    ts[name] = (stream.M3U8 if name.endswith(".m3u8")
                                else "video/mp2t", f.read())

        def run(changed, url="v.m3u8"):
            self.site.files = {**ts, **changed}
            p = self.run_ctl_any("check", self.site.url + url, "--full",
                                 "--json")
            return {r["rule"]: r for r in json.loads(p.stdout)["rules"]}

        clean = run({})
        self.assertEqual([r for r in clean.values() if r["result"] == "FAIL"
                          and r["level"] == "MUST"], [])
        for n in "T.1", "T.2", "7.4", "8.1", "1.1":
            self.assertEqual(clean[n]["result"], "ok", clean[n])
        one = ts["v1.ts"][1]
        cut = one.find(b"\0\0\1\x65")
        for number, body in (
                ("T.1", b"\0" + one[1:]), ("T.1", one[:-7]),
                ("T.1", one[:188 * 9] + one[188 * 10:]),
                ("T.1", one[188 * 3:]),
                ("7.4", one[:cut + 3] + b"\x41" + one[cut + 4:]),
                ("T.2", ts["v0.ts"][1])):
            got = run({"v1.ts": ("video/mp2t", body)})
            self.assertEqual(got[number]["result"], "FAIL", number)
        both = run({}, "av.m3u8")
        self.assertEqual(both["2.17"]["result"], "FAIL")
        self.site.files = {**ts, "m.m3u8": (stream.M3U8, b"#EXTM3U\n"
            b"#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.42c00c,"
            b"mp4a.40.2\",RESOLUTION=320x180\nav.m3u8\n")}
        p = self.run_ctl_any("check", self.site.url + "m.m3u8", "--json")
        got = {r["rule"]: r for r in json.loads(p.stdout)["rules"]}
        self.assertEqual(got["9.5"]["result"], "FAIL")
        hevc = re.sub(rb"\x1b\xe1\x00", b"\x24\xe1\x00", one)
        self.assertNotEqual(hevc, one)
        got = run({"v0.ts": ("video/mp2t", re.sub(
            rb"\x1b\xe1\x00", b"\x24\xe1\x00", ts["v0.ts"][1]))})
        self.assertEqual(got["1.5"]["result"], "FAIL")

"""A film as a packager would hand it out, made here byte by byte: HLS and
DASH that keep every rule of reelctl check.  site() is a dict of path ->
(type, bytes); a test changes what it wants to be found."""

import gzip
import http.server
import re
import struct
import threading
import time

FPS, SECONDS, GOP_S, SEG_S = 30, 14, 1, 6
VSCALE, ASCALE = 30000, 48000
SEGMENTS = [(n * SEG_S, min(SECONDS, (n + 1) * SEG_S))
            for n in range(-(-SECONDS // SEG_S))]

# name, width, height, bytes of an IDR and of the other pictures
VIDEO = (("v720", 1280, 720, 12000, 5600), ("v720b", 1280, 720, 14000, 9000),
         ("v360", 640, 360, 4500, 1400), ("v234", 416, 234, 1500, 200))
SOUND = (("a-en", "en", "English", 250), ("a-de", "de", "Deutsch", 250))


# --- boxes ---------------------------------------------------------------

def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind.encode()) + body


def full(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def bits(*fields):
    """(value, width) or a number as ue(v), to bytes with a stop bit"""
    out = ""
    for f in fields:
        if isinstance(f, tuple):
            out += format(f[0], "0%db" % f[1])
        else:
            code = format(f + 1, "b")
            out += "0" * (len(code) - 1) + code
    out += "1"
    out += "0" * (-len(out) % 8)
    return bytes(int(out[i:i + 8], 2) for i in range(0, len(out), 8))


def sps(width, height, profile=77, level=31, progressive=1):
    w, h = -(-width // 16), -(-height // 16)
    crop = (w * 16 - width) // 2, (h * 16 - height) // 2
    cropping = [(1, 1), 0, crop[0], 0, crop[1]] if any(crop) else [(0, 1)]
    return bytes([0x67, profile, 0x40, level]) + bits(
        0, 0, 2, 1, (0, 1), w - 1, h - 1, (progressive, 1), (1, 1),
        *cropping, (0, 1))


def avcc(unit):
    pps = bytes([0x68, 0xce, 0x38, 0x80])
    return box("avcC", bytes([1, *unit[1:4], 0xff, 0xe1]),
               struct.pack(">H", len(unit)), unit, b"\x01",
               struct.pack(">H", len(pps)), pps)


def header(handler, entry, scale, track, extra=b"", brand=b"cmf2",
           language="und"):
    lang = 0
    for c in language:
        lang = lang << 5 | ord(c) - 0x60
    stbl = box("stbl", full("stsd", 0, 0, struct.pack(">I", 1), entry),
               full("stts", 0, 0, bytes(4)), full("stsc", 0, 0, bytes(4)),
               full("stsz", 0, 0, bytes(8)), full("stco", 0, 0, bytes(4)))
    mdia = box("mdia", full("mdhd", 0, 0, struct.pack(
        ">IIIIHH", 0, 0, scale, 0, lang, 0)),
        full("hdlr", 0, 0, bytes(4), handler, bytes(13)),
        box("minf", stbl))
    return box("ftyp", brand, bytes(4), b"iso6", brand) + box(
        "moov", full("mvhd", 0, 0, bytes(96)), box(
            "trak", full("tkhd", 0, 7, struct.pack(">III", 0, 0, track),
                         bytes(68)), mdia, extra),
        box("mvex", full("trex", 0, 0, struct.pack(
            ">IIIII", track, 1, 0, 0, 0))))


def video_entry(width, height, config, kind="avc1"):
    return box(kind, bytes(6), struct.pack(">H", 1), bytes(16),
               struct.pack(">HHII", width, height, 72 << 16, 72 << 16),
               bytes(4), struct.pack(">H", 1), bytes(32),
               struct.pack(">HH", 24, 0xffff), config)


def audio_entry(channels=2, asc=b"\x11\x90"):
    esds = full("esds", 0, 0, bytes([3, 23 + len(asc), 0, 0, 0,
                                     4, 15 + len(asc), 0x40, 0x15]),
                bytes(11), bytes([5, len(asc)]), asc, b"\x06\x01\x02")
    return box("mp4a", bytes(6), struct.pack(">H", 1), bytes(8),
               struct.pack(">HHI", channels, 16, 0),
               struct.pack(">I", ASCALE << 16), esds)


LUDT = box("udta", box("ludt", full("tlou", 0, 0, bytes(8))))


def fragment(track, number, dts, ticks, sizes, data, first_sync=True,
             all_sync=False):
    sync, not_sync = 0x02000000, 0x01010000
    flags = 0x1 | 0x4 | 0x100 | 0x200
    def moof(offset):
        return box("moof", full("mfhd", 0, 0, struct.pack(">I", number)), box(
            "traf", full("tfhd", 0, 0x020020, struct.pack(
                ">II", track, sync if all_sync else not_sync)),
            full("tfdt", 1, 0, struct.pack(">Q", dts)),
            full("trun", 0, flags, struct.pack(
                ">III", len(sizes), offset,
                sync if first_sync else not_sync),
                b"".join(struct.pack(">II", ticks, s) for s in sizes))))
    return moof(len(moof(0)) + 8) + box("mdat", data)


def picture(kind, size):
    return struct.pack(">IB", size - 4, kind) + b"\x55" * (size - 5)


def video_segment(first, last, idr, other):
    """bytes, and (offset, size) of each I-frame with its moof"""
    out, frames = b"", []
    for s in range(first, last, GOP_S):
        data = [picture(0x65, idr)]
        data += [picture(0x41, other)] * (FPS * GOP_S - 1)
        f = fragment(1, s + 1, s * VSCALE, VSCALE // FPS,
                     [len(d) for d in data], b"".join(data))
        frames.append((len(out), f.index(b"mdat") + 4 + idr))
        out += f
    return out, frames


def units_before(second):
    return -(-second * ASCALE // 1024)


def audio_segment(first, last, size):
    out = b""
    for s in range(first, last, 2):
        a, b = units_before(s), units_before(min(s + 2, last))
        out += fragment(2, s // 2 + 1, a * 1024, 1024, [size] * (b - a),
                        b"\x33" * size * (b - a), all_sync=True)
    return out


# --- playlists -----------------------------------------------------------

HEAD = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n" \
       "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n" \
       "#EXT-X-INDEPENDENT-SEGMENTS\n"


def us(ticks, scale):
    return (ticks * 2000000 + scale) // (2 * scale)


def extinf(a, b):
    return "#EXTINF:%d.%06d,\n" % divmod(b - a, 1000000)


def times(kind):
    """the boundaries of segments, ticks"""
    if kind == "audio":
        return ASCALE, [units_before(s) * 1024 for s, _ in SEGMENTS] \
            + [units_before(SECONDS) * 1024]
    return VSCALE, [s * VSCALE for s, _ in SEGMENTS] + [SECONDS * VSCALE]


def media(kind, ext="m4s", init=True):
    scale, at = times(kind)
    out = HEAD + ('#EXT-X-MAP:URI="init.mp4"\n' if init else "")
    for n in range(len(SEGMENTS)):
        out += extinf(us(at[n], scale), us(at[n + 1], scale))
        out += "%d.%s\n" % (n, ext)
    return out + "#EXT-X-ENDLIST\n"


def iframes(name, found):
    out = HEAD.replace("INDEPENDENT-SEGMENTS", "I-FRAMES-ONLY")
    out = out.replace("TARGETDURATION:6", "TARGETDURATION:1")
    out += '#EXT-X-MAP:URI="init.mp4"\n'
    for n, (first, _) in enumerate(SEGMENTS):
        for offset, size in found[n]:
            out += "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:%d@%d\n%d.m4s\n" % (
                size, offset, n)
    return out + "#EXT-X-ENDLIST\n"


def rates(files):
    """peak of a whole segment, and average"""
    sizes = [len(f) for f in files]
    lengths = [b - a for a, b in SEGMENTS]
    return max(8 * s // n for s, n in zip(sizes, lengths)) + 8, \
        8 * sum(sizes) // SECONDS


def vtt(first, last, forced=False):
    text = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
    if not forced:
        text += "00:00:%02d.000 --> 00:00:%02d.500\nHello.\n\n" % (first,
                                                                  first + 1)
    return text.encode()


def add_text(site, name, forced=False):
    for n, (a, b) in enumerate(SEGMENTS):
        site["%s/%d.vtt" % (name, n)] = "text/vtt", vtt(a, b, forced)
    site[name + "/media.m3u8"] = M3U8, media("video", "vtt", False).encode()


M3U8 = "application/vnd.apple.mpegurl"


def site():
    files, audio, lines = {}, [], []
    master = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    sets = ""
    for name, lang, label, size in SOUND:
        files[name + "/init.mp4"] = "audio/mp4", header(
            b"soun", audio_entry(), ASCALE, 2, LUDT)
        data = [audio_segment(a, b, size) for a, b in SEGMENTS]
        for n, d in enumerate(data):
            files["%s/%d.m4s" % (name, n)] = "audio/mp4", d
        files[name + "/media.m3u8"] = M3U8, media("audio").encode()
        audio.append(rates(data))
        master += '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="%s",' \
            'LANGUAGE="%s",DEFAULT=%s,AUTOSELECT=YES,CHANNELS="2",' \
            'URI="%s/media.m3u8"\n' % (label, lang, "YES" if lang == "en"
                                       else "NO", name)
        sets += mpd_audio(name, lang, audio[-1][0] * 11 // 10)
    for name, extra in ("t-en", ""), ("t-forced", ",FORCED=YES"):
        add_text(files, name, bool(extra))
        master += '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="%s",' \
            'LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES%s,' \
            'URI="%s/media.m3u8"\n' % (name, extra, name)
    worst = max(a for a, _ in audio), max(a for _, a in audio)
    reps = ""
    for name, w, h, idr, other in VIDEO:
        unit = sps(w, h)
        files[name + "/init.mp4"] = "video/mp4", header(
            b"vide", video_entry(w, h, avcc(unit)), VSCALE, 1)
        data, found = zip(*(video_segment(a, b, idr, other)
                            for a, b in SEGMENTS))
        for n, d in enumerate(data):
            files["%s/%d.m4s" % (name, n)] = "video/mp4", d
        files[name + "/media.m3u8"] = M3U8, media("video").encode()
        codec = "avc1.%02x%02x%02x" % tuple(unit[1:4])
        peak, mean = rates(data)
        lines.append(
            '#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS="%s,'
            'mp4a.40.2",RESOLUTION=%dx%d,FRAME-RATE=30.000,AUDIO="a",'
            'SUBTITLES="t",CLOSED-CAPTIONS=NONE\n%s/media.m3u8\n' % (
                peak + worst[0], mean + worst[1], codec, w, h, name))
        reps += '<Representation id="%s" bandwidth="%d" codecs="%s" ' \
            'width="%d" height="%d" frameRate="30"/>\n' % (
                name, peak * 11 // 10, codec, w, h)
        if name == "v360":
            files["v360/iframes.m3u8"] = M3U8, iframes(name, found).encode()
            lines.append('#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=60000,'
                         'CODECS="%s",RESOLUTION=%dx%d,'
                         'URI="v360/iframes.m3u8"\n' % (codec, w, h))
    files["master.m3u8"] = M3U8, (master + "".join(lines)).encode()
    files["tiles/1.jpg"] = "image/jpeg", b"\xff\xd8\xff\xe0" + bytes(100)
    files["text.vtt"] = "text/vtt", vtt(0, SECONDS)
    files["manifest.mpd"] = "application/dash+xml", mpd(reps, sets).encode()
    return files


def timeline(kind):
    scale, at = times(kind)
    out, t = "", ' t="0"'
    for n in range(len(SEGMENTS)):
        out += '<S%s d="%d"/>\n' % (t, at[n + 1] - at[n])
        t = ""
    return '<SegmentTemplate timescale="%d" startNumber="0" ' \
        'initialization="$RepresentationID$/init.mp4" ' \
        'media="$RepresentationID$/$Number$.m4s">\n<SegmentTimeline>\n%s' \
        '</SegmentTimeline>\n</SegmentTemplate>\n' % (scale, out)


def mpd_audio(name, lang, rate):
    return '<AdaptationSet contentType="audio" mimeType="audio/mp4" ' \
        'lang="%s" segmentAlignment="true">\n%s<Representation id="%s" ' \
        'bandwidth="%d" codecs="mp4a.40.2" audioSamplingRate="48000">\n' \
        '<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:' \
        'audio_channel_configuration:2011" value="2"/>\n</Representation>\n' \
        '</AdaptationSet>\n' % (lang, timeline("audio"), name, rate)


def mpd(reps, sets):
    return """<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \
profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" \
mediaPresentationDuration="PT%dS" minBufferTime="PT6S">
<Period id="0" start="PT0S" duration="PT%dS">
<AdaptationSet id="1" contentType="video" mimeType="video/mp4" \
segmentAlignment="true">
%s%s</AdaptationSet>
%s<AdaptationSet contentType="text" mimeType="text/vtt" lang="en">
<Representation id="text" bandwidth="256"><BaseURL>text.vtt</BaseURL>\
</Representation>
</AdaptationSet>
<AdaptationSet contentType="image" mimeType="image/jpeg">
<SegmentTemplate media="$RepresentationID$/$Number$.jpg" duration="%d"/>
<Representation id="tiles" bandwidth="4000" width="1600" height="900">
<EssentialProperty schemeIdUri="http://dashif.org/thumbnail_tile" \
value="5x5"/>
</Representation>
</AdaptationSet>
</Period>
</MPD>
""" % (SECONDS, SECONDS, timeline("video"), reps, sets, SECONDS)


# --- the server ----------------------------------------------------------

class Site:
    """Serves a dict of files; `plain` sends playlists as they are, `moved`
    is a path that is redirected."""

    def __init__(self):
        self.files, self.plain, self.moved = {}, False, None
        self.slow = 0           # seconds before each answer
        self.cors = True
        site_ = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16          # head and body in one segment

            def log_message(self, *args):
                pass

            def do_GET(self):
                site_.answer(self)

            do_HEAD = do_GET

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                     Handler)
        self.url = "http://127.0.0.1:%d/" % self.httpd.server_address[1]
        threading.Thread(target=self.httpd.serve_forever,
                         daemon=True).start()

    def answer(self, h):
        time.sleep(self.slow)
        path = h.path[1:]
        if path == self.moved:
            h.send_response(302)
            h.send_header("Location", "/moved/" + path)
            h.send_header("Content-Length", "0")
            h.end_headers()
            return
        path = path.replace("moved/", "")
        if path not in self.files:
            h.send_response(404)
            h.send_header("Content-Length", "0")
            h.end_headers()
            return
        kind, body = self.files[path]
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", h.headers.get("Range", ""))
        if part:
            a, b = int(part.group(1)), int(part.group(2))
            body = body[a:b + 1]
        zipped = not self.plain and kind == M3U8 \
            and "gzip" in h.headers.get("Accept-Encoding", "")
        if zipped:
            body = gzip.compress(body, 1)
        h.send_response(206 if part else 200)
        h.send_header("Content-Type", kind)
        h.send_header("Content-Length", str(len(body)))
        if zipped:
            h.send_header("Content-Encoding", "gzip")
        if self.cors:
            h.send_header("Access-Control-Allow-Origin", "*")
        h.end_headers()
        if h.command == "GET":
            h.wfile.write(body)

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()

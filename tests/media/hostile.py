"""Files that would have a reader open another file or an address."""

import struct

import families

TARGET = b"/etc/passwd"
ADDRESS = b"127.0.0.1:9"

HLS = (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://" + TARGET
       + b"\n#EXT-X-ENDLIST\n")
HLS_KEY = (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,"
           b'URI="file://' + TARGET + b'"\n#EXT-X-MAP:URI="http://' + ADDRESS
           + b'/i.mp4"\n#EXTINF:9,\nhttp://' + ADDRESS
           + b"/a.ts\n#EXT-X-ENDLIST\n")
DASH = (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"'
        b' type="static"><Period><AdaptationSet mimeType="video/mp4">'
        b"<Representation><BaseURL>http://" + ADDRESS + b"/a.mp4</BaseURL>"
        b"</Representation></AdaptationSet></Period></MPD>\n")
CONCAT = b"ffconcat version 1.0\nfile " + TARGET + b"\n"
CONCAT_NAME = b"ffconcat version 1.0\nfile neighbour.mp4\n"
SESSION = (b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
           b"m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
RTSP = b"rtsp://" + ADDRESS + b"/stream\n"
HTTP = b"http://" + ADDRESS + b"/film.mp4\n"
DRAWING = (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://'
           + TARGET + b'"/></svg>\n')
REDIRECTION = b"[Reference]\nRef1=http://" + ADDRESS + b"/a.asf\n"

TEXTS = {"hls": HLS, "hls-key": HLS_KEY, "dash": DASH, "concat": CONCAT,
         "concat-name": CONCAT_NAME, "session": SESSION, "rtsp": RTSP,
         "http": HTTP, "drawing": DRAWING, "redirection": REDIRECTION}

PARENTS = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]


def _box(kind, body):
    return struct.pack(">I", 8 + len(body)) + kind + body


def url_reference():
    return _box(b"url ", bytes(4) + b"file://" + TARGET + b"\0")


def alias_reference():
    """a Macintosh alias record with the absolute path (type 2)"""
    name = TARGET.rsplit(b"/", 1)[1]
    body = bytes(4) + bytes(10)
    body += bytes([4]) + b"disk".ljust(27, b"\0") + bytes(12)
    body += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    body += struct.pack(">HH", 1, 1) + bytes(16)
    path = b"disk:" + TARGET[1:].replace(b"/", b":")
    for kind, value in (0, b"etc"), (2, path), (18, TARGET):
        body += struct.pack(">HH", kind, len(value))
        body += value + bytes(len(value) % 2)
    return _box(b"alis", body + struct.pack(">HH", 0xffff, 0))


def _replaced(data, path, body):
    """the boxes of data, those at the end of the path replaced"""
    out, at = b"", 0
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        kind, inner = data[at + 4:at + 8], data[at + 8:at + size]
        if kind == path[0]:
            if len(path) == 1:
                inner = bytes(4) + struct.pack(">I", 1) + body
            else:
                inner = _replaced(inner, path[1:], body)
        out += _box(kind, inner)
        at += size
    return out


def with_reference(reference):
    """a movie whose samples are said to lie elsewhere; its index stands at
    the end, so that no offset of a sample moves"""
    def make(path):
        families.plain(path)
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(_replaced(data, PARENTS, reference()))
    return make


def linked_subtitles(path):
    """an AVI with a subtitle chunk (GAB2) that is a playlist"""
    families.encoded("-c:v", "mpeg4", "-c:a", "mp3")(path)
    text = b"GAB2\0\2\0\0\0\0\0\4\0" + struct.pack("<I", len(HLS)) + HLS
    with open(path, "rb") as f:
        data = f.read()
    at = data.index(b"movi") + 4
    chunk = b"02tx" + struct.pack("<I", len(text)) + text
    with open(path, "wb") as f:
        f.write(data[:at] + chunk + bytes(len(chunk) % 2) + data[at:])

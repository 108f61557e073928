"""A reader and a writer of docs/index-format.md, written from that page
alone."""

import re
import struct


PICTURES = "width", "height", "columns", "rows", "interval_ms", "count"


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise ValueError("index: %d bytes at %d" % (n, self.at))
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        v = shift = 0
        while True:
            b = self.take(1)[0]
            v |= (b & 127) << shift
            if b < 128:
                return v
            shift += 7

    def bytes(self):
        return self.take(self.varint())

    def text(self):
        return self.bytes().decode()

    def more(self):
        return self.at < len(self.data)


def runs(data, n):
    r, out = Reader(data), []
    while len(out) < n:
        v = r.varint()
        out += [v] * r.varint()
    if len(out) != n or r.more():
        raise ValueError("index: runs")
    return out


def varints(data, n):
    r = Reader(data)
    out = [r.varint() for _ in range(n)]
    if r.more():
        raise ValueError("index: varints")
    return out


def object_list(r):
    out = []
    for _ in range(r.varint()):
        name = r.text()
        if not name:
            chunk, fence = r.varint(), r.varint()
            name = "%d-%d-%s.mp4" % (chunk, fence, r.take(8).hex())
        out.append((name, r.varint()))
    return out


def rendition(r, lists, fragments):
    q = {"name": r.text(), "kind": r.varint(), "set": r.varint(),
         "codec": r.text(), "language": r.text(), "label": r.text(),
         "timescale": r.varint(), "width": r.varint(),
         "height": r.varint(), "rate": (r.varint(), r.varint()),
         "channels": r.varint(), "sample_rate": r.varint()}
    names = lists[r.varint()]
    headers = runs(r.bytes(), len(names))
    bases = runs(r.bytes(), len(names))
    q["sizes"] = varints(r.bytes(), fragments)
    q["durations"] = runs(r.bytes(), fragments)
    q["samples"] = runs(r.bytes(), fragments)
    q["iframes"] = varints(r.bytes(), fragments) if q["kind"] == 1 else []
    q["video_range"], q["roles"] = \
        (r.varint(), r.varint()) if r.more() else (0, 0)
    q["objects"] = [
        {"name": n, "fragments": f, "header": h, "base": b}
        for (n, f), h, b in zip(names, headers, bases)]
    return q


def pictures(r):
    p = {"object": r.text()}
    for k in PICTURES:
        p[k] = r.varint()
    tiles = p["columns"] * p["rows"]
    p["sizes"] = varints(r.bytes(), -(-p["count"] // tiles))
    return p


def read(data):
    if data[:8] != b"\x89REELIX\n":
        raise ValueError("index: magic")
    version, readable, flags, publication = struct.unpack("<HHII", data[8:20])
    ix = {"version": version, "growing": bool(flags & 1),
          "publication": publication, "salt": data[20:36],
          "master_key": struct.unpack("<I", data[36:40])[0],
          "created_ms": struct.unpack("<q", data[40:48])[0],
          "headers": [], "renditions": {}, "images": [], "pictures": []}
    r, lists = Reader(data[48:-4]), []
    while r.more():
        kind = r.varint()
        s = Reader(r.bytes())
        if kind == 1:
            for k in "timescale", "gop_ts", "fragments", "end_ts", "flags":
                ix[k] = s.varint()
        elif kind == 2:
            ix["headers"].append(s.data)
        elif kind == 3:
            lists.append(object_list(s))
        elif kind == 4:
            q = rendition(s, lists, ix["fragments"])
            ix["renditions"][q["name"]] = q
        elif kind == 5:
            ix["images"].append({"kind": s.varint(), "object": s.text(),
                                 "width": s.varint(), "height": s.varint(),
                                 "size": s.varint()})
        elif kind == 6:
            ix["pictures"].append(pictures(s))
    return ix


def crc32c(data):
    crc = 0xffffffff
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def varint(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def string(data):
    data = data.encode() if isinstance(data, str) else data
    return varint(len(data)) + data


def pack(values):
    return string(b"".join(map(varint, values)))


def pack_runs(values):
    out = []
    for v in values:
        if out and out[-2] == v:
            out[-1] += 1
        else:
            out += [v, 1]
    return pack(out)


def pack_name(name):
    m = re.fullmatch(r"(0|[1-9]\d*)-(0|[1-9]\d*)-([0-9a-f]{16})\.mp4", name)
    if not m:
        return string(name)
    return b"\0" + varint(int(m[1])) + varint(int(m[2])) \
        + bytes.fromhex(m[3])


def pack_objects(objects):
    return varint(len(objects)) + b"".join(
        pack_name(o["name"]) + varint(o["fragments"]) for o in objects)


def pack_rendition(q, number):
    out = string(q["name"]) + varint(q["kind"]) + varint(q["set"])
    out += b"".join(string(q[k]) for k in ("codec", "language", "label"))
    out += b"".join(varint(v) for v in (
        q["timescale"], q["width"], q["height"], *q["rate"], q["channels"],
        q["sample_rate"], number))
    out += pack_runs([o["header"] for o in q["objects"]])
    out += pack_runs([o["base"] for o in q["objects"]])
    out += pack(q["sizes"]) + pack_runs(q["durations"])
    out += pack_runs(q["samples"])
    out += pack(q["iframes"]) if q["kind"] == 1 else b""
    return out + varint(q["video_range"]) + varint(q["roles"])


def write(ix):
    """the file that read() makes this of"""
    sections = [(1, b"".join(varint(ix[k]) for k in (
        "timescale", "gop_ts", "fragments", "end_ts", "flags")))]
    sections += [(2, h) for h in ix["headers"]]
    lists = []
    for q in ix["renditions"].values():
        packed = pack_objects(q["objects"])
        if packed not in lists:
            lists.append(packed)
    sections += [(3, packed) for packed in lists]
    sections += [(4, pack_rendition(q, lists.index(
        pack_objects(q["objects"])))) for q in ix["renditions"].values()]
    sections += [(5, varint(i["kind"]) + string(i["object"]) + b"".join(
        varint(i[k]) for k in ("width", "height", "size")))
        for i in ix["images"]]
    sections += [(6, string(p["object"]) + b"".join(
        varint(p[k]) for k in PICTURES) + pack(p["sizes"]))
        for p in ix["pictures"]]
    out = b"\x89REELIX\n" + struct.pack(
        "<HHII", ix["version"], 1, int(ix["growing"]), ix["publication"])
    out += ix["salt"] + struct.pack("<Iq", ix["master_key"],
                                    ix["created_ms"])
    out += b"".join(varint(kind) + string(data) for kind, data in sections)
    return out + struct.pack("<I", crc32c(out))

"""A reader of docs/index-format.md, written from that page alone."""

import struct


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
    q["objects"] = [
        {"name": n, "fragments": f, "header": h, "base": b}
        for (n, f), h, b in zip(names, headers, bases)]
    return q


def read(data):
    if data[:8] != b"\x89REELIX\n":
        raise ValueError("index: magic")
    version, readable, flags, publication = struct.unpack("<HHII", data[8:20])
    ix = {"version": version, "growing": bool(flags & 1),
          "publication": publication, "salt": data[20:36],
          "created_ms": struct.unpack("<q", data[40:48])[0],
          "headers": [], "renditions": {}, "images": []}
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
    return ix

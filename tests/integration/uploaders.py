"""Uploads that go on until they are done, each as its protocol says: over
connections that the server, or they themselves, cut.  What the server may not
do stands in `failed`; what a cut cost in `resent` and `delays`."""

import concurrent.futures
import hashlib
import re
import threading
import time

from client import presign
from wire import Broken, Early, Wire

STEP = 64 << 10
PART = 5 << 20
MIB = 1 << 20
PATIENCE_S = 300


class Source:
    """a view of random bytes, another one for each number"""

    def __init__(self, random_bytes, size, number=0):
        at = number * 65537 % (len(random_bytes) - size + 1)
        self.data = memoryview(random_bytes)[at:at + size]
        self.sha256 = hashlib.sha256(self.data).hexdigest()

    def __len__(self):
        return len(self.data)


class Wrong(Exception):
    """the server answered what it may not"""


class Server:
    """address may change while uploads run: a name that leads elsewhere"""

    def __init__(self, address):
        self.address = address
        self.host = "%s:%d" % address

    def sign(self, method, path, **query):
        url = presign("http://" + self.host, method, path, **query)
        return url.partition(self.host)[2]


class Uploader(threading.Thread):
    """
    One source by one door, its body stretched to so many seconds.  cut: how
    likely a body is cut by this end.  At its end `asset` is set, or `failed`
    says why not.
    """

    STREAMS = 1

    def __init__(self, server, source, rnd, name, seconds=0, cut=0):
        super().__init__(daemon=True)
        self.server, self.source, self.rnd = server, source, rnd
        self.path, self.seconds, self.cut_share = name, seconds, cut
        self.asset, self.failed = None, []
        self.resent, self.delays = [], []
        self.cuts = 0               # bodies that did not arrive, for any cause
        self.lost = 0               # creations of which nobody knows
        self.left = []              # connections that hang
        self.over = time.monotonic() + PATIENCE_S

    def run(self):
        try:
            while self.asset is None:
                self.upload()
            self.again()
        except Exception as e:
            self.failed.append("%s %s: %r" % (type(self).__name__, self.path,
                                              e))
        for wire in self.left:
            wire.close()

    def open(self):
        """a connection, as soon as there is a server"""
        while True:
            try:
                return Wire(self.server.address, self.server.host)
            except Broken:
                if time.monotonic() > self.over:
                    raise
                time.sleep(0.05)

    def ask(self, method, target, headers=None, body=b""):
        """one exchange; its body is small"""
        wire = self.open()
        try:
            wire.head(method, target, {"Content-Length": len(body),
                                       **(headers or {})})
            if body:
                wire.send(body)
        except Early:
            pass
        return wire.answer()

    def until(self, ask):
        """the answer to ask(), in spite of cuts"""
        while True:
            try:
                return ask()
            except Broken:
                if time.monotonic() > self.over:
                    raise
                time.sleep(0.02)

    def send(self, wire, at, end):
        """bytes [at, end) of the source; self.sent is how far they went"""
        stop, how = end, None
        if self.rnd.random() < self.cut_share:
            stop = self.rnd.randrange(at, end + 1)
            how = self.rnd.choice(("close", "reset", "hang"))
        rate = 0
        if self.seconds:
            rate = len(self.source) / self.seconds / self.STREAMS
        begun, first = time.monotonic(), at
        self.sent = max(self.sent, at)
        while at < stop:
            wire.send(self.source.data[at:min(at + STEP, stop)])
            at = min(at + STEP, stop)
            self.sent = max(self.sent, at)
            wire.sent = at - first
            wire.check()
            if rate:
                time.sleep(max(0, begun + (at - first) / rate
                               - time.monotonic()))
        if how is None:
            return
        if how == "hang":
            self.left.append(wire)
        else:
            getattr(wire, how)()
        raise Broken("cut on purpose")

    def expect(self, answer, *statuses):
        if answer.status not in statuses:
            raise Wrong("%s, not %s" % (answer, statuses))
        return answer

    def done(self, answer):
        asset = answer.headers.get("reel-asset")
        if not asset or self.asset not in (None, asset):
            raise Wrong("%s where asset %s is" % (answer, self.asset))
        self.asset = asset

    def again(self):
        """the end may be repeated"""


class Put(Uploader):
    def upload(self):
        target = self.server.sign("PUT", "/upload/video/" + self.path)
        self.done(self.until(lambda: self.put(target)))
        self.target = target

    def put(self, target):
        wire, self.sent = self.open(), 0
        try:
            wire.head("PUT", target, {"Content-Length": len(self.source)})
            self.send(wire, 0, len(self.source))
            answer = wire.answer()
        except Early:
            answer = wire.answer()
        except Broken:
            self.cuts += 1
            self.lost += 1
            self.resent.append(wire.sent)
            raise
        return self.expect(answer, 200)

    def again(self):
        self.cut_share = 0
        self.done(self.until(lambda: self.put(self.target)))


class Multipart(Uploader):
    STREAMS = 2

    @staticmethod
    def part_size(size):
        return max(PART, size // 8)

    def upload(self):
        path = "/upload/video/" + self.path
        self.sent = 0

        def create():
            self.lost += 1
            return self.expect(self.ask("POST", self.server.sign(
                "POST", path, uploads="")), 200)
        said = self.until(create).body.decode()
        self.lost -= 1
        ident = re.search("<UploadId>(.*)</UploadId>", said)[1]
        size = self.part_size(len(self.source))
        parts = [(n, at, min(at + size, len(self.source))) for n, at in
                 enumerate(range(0, len(self.source), size), 1)]
        order = self.rnd.sample(parts, len(parts))
        with concurrent.futures.ThreadPoolExecutor(self.STREAMS) as pool:
            tags = sorted(pool.map(lambda p: self.until(
                lambda: self.part(path, ident, *p)), order))
        self.end = self.server.sign("POST", path, uploadId=ident), (
            "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(
                "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>" % t
                for t in tags)).encode()
        self.again()

    def part(self, path, ident, number, at, end):
        wire = self.open()
        try:
            wire.head("PUT", self.server.sign(
                "PUT", path, uploadId=ident, partNumber=str(number)),
                {"Content-Length": end - at})
            self.send(wire, at, end)
            answer = wire.answer()
        except Early:
            answer = wire.answer()
        except Broken:
            self.cuts += 1
            self.resent.append(wire.sent)
            raise
        return number, self.expect(answer, 200).headers["etag"]

    def again(self):
        answer = self.until(lambda: self.ask("POST", self.end[0],
                                             body=self.end[1]))
        self.expect(answer, 200)
        if b"<Error>" in answer.body:
            raise Wrong(answer)
        self.done(answer)


class Resumable(Uploader):
    """what tus and the IETF's protocol have in common"""

    HEAD = {}

    def upload(self):
        self.sent = self.told = 0
        self.url = None
        self.create()
        while self.asset is None:
            wire = self.open()
            try:
                self.patch(wire)
            except Broken:
                self.cut()

    def cut(self):
        """the body did not arrive: how far did it come?"""
        if time.monotonic() > self.over:
            raise Broken("no end")
        self.cuts += 1
        offset = self.until(self.offset)
        self.resent.append(self.sent - offset)

    def offset(self):
        wire = self.open()
        wire.head("HEAD", self.url, self.HEAD)
        answer = self.expect(wire.answer(), 200, 204)
        self.delays.append(time.monotonic() - wire.begun)
        return self.at(answer)

    def at(self, answer):
        """where it stands; what was once told stays"""
        offset = int(answer.headers["upload-offset"])
        if not self.told <= offset <= self.sent:
            raise Wrong("%s, told before: %d, sent: %d"
                        % (answer, self.told, self.sent))
        self.told = offset
        return offset

    def patch(self, wire):
        """all that is missing"""
        at, end = self.told, len(self.source)
        wire.head("PATCH", self.url, {
            **self.FIELDS, "Upload-Offset": at, "Content-Length": end - at,
            **({"Expect": "100-continue"} if at < end else {})})
        try:
            if at < end:
                if not wire.wait(100, 30):
                    raise Wrong("PATCH is not taken for 30 s")
                self.delays.append(time.monotonic() - wire.begun)
                self.send(wire, at, end)
            answer = wire.answer()
        except Early:
            answer = wire.answer()
        finally:
            for interim in wire.interim:
                if "upload-offset" in interim.headers:
                    self.at(interim)
        self.expect(answer, 200, 204)
        self.done(answer)

    def again(self):
        self.told = len(self.source)

        def end():
            self.patch(self.open())
        self.until(end)


class Tus(Resumable):
    HEAD = {"Tus-Resumable": "1.0.0"}
    FIELDS = {**HEAD, "Content-Type": "application/offset+octet-stream"}

    def create(self):
        def create():
            self.lost += 1
            return self.expect(self.ask("POST", self.server.sign(
                "POST", "/upload/video/"), {
                    **self.HEAD, "Upload-Length": len(self.source)}), 201)
        self.url = self.until(create).headers["location"]
        self.lost -= 1


class Ietf(Resumable):
    VERSION = 8

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.HEAD = {"Upload-Draft-Interop-Version": self.VERSION}
        self.FIELDS = {**self.HEAD, "Upload-Complete": "?1",
                       "Content-Type": "application/partial-upload"}

    def create(self):
        """careful, or with all of the body: then a 104 tells of the URL"""
        careful = self.rnd.random() < 0.5
        while self.url is None and self.asset is None:
            self.lost += 1
            wire = self.open()
            try:
                wire.head("POST", self.server.sign("POST", "/upload/video/"), {
                    **self.HEAD, "Upload-Complete": "?0" if careful else "?1",
                    "Content-Length": 0 if careful else len(self.source)})
                answer = self.whole(wire, careful)
            except Broken:
                self.look(wire)
                if self.url:
                    self.cut()
                continue
            self.look(wire)
            self.url = self.url or answer.headers["location"]
            if careful:
                self.expect(answer, 201)
            else:
                self.done(self.expect(answer, 200, 201))
        self.lost -= 1

    def whole(self, wire, careful):
        try:
            if not careful:
                wire.wait(104, 30)
                self.send(wire, 0, len(self.source))
        except Early:
            pass
        return wire.answer()

    def look(self, wire):
        """what the interim answers said"""
        for interim in wire.interim:
            self.url = interim.headers.get("location", self.url)
            if "upload-offset" in interim.headers:
                self.at(interim)


class Ietf6(Ietf):
    VERSION = 6


DOORS = Put, Multipart, Tus, Ietf, Tus, Multipart, Ietf6, Tus

"""One file, sent to an nginx in the ways that are compared.  The bytes go by
sendfile, so the sender is not what is measured."""

import http.client
import os
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "..", "integration"))

from client import presign                                      # noqa: E402

PARTS = 128
STREAMS = 8


class Connection:
    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port)
        self.http.connect()
        self.http.sock.settimeout(None)         # sendfile must block

    def close(self):
        self.http.close()

    def ask(self, method, url, headers=(), body=None, file=None):
        """-> the answer and its body; file: descriptor, offset, length"""
        path = re.sub("^http://[^/]*", "", url)
        length = file[2] if file else len(body or b"")
        self.http.putrequest(method, path, skip_accept_encoding=True)
        self.http.putheader("Content-Length", str(length))
        for name, value in headers:
            self.http.putheader(name, value)
        self.http.endheaders(body)
        if file:
            self.sendfile(*file)
        answer = self.http.getresponse()
        said = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError("%s %s: %d %s" % (method, path, answer.status,
                                                 said[:300]))
        return answer, said.decode()

    def sendfile(self, fd, at, left):
        while left:
            n = os.sendfile(self.http.sock.fileno(), fd, at, left)
            if n == 0:
                raise RuntimeError("the source ends early")
            at += n
            left -= n


class Sender:
    """to one server; each method sends the whole file and returns
    (seconds, assets, seconds of the last step)"""

    def __init__(self, port, path, digest):
        self.port, self.digest = port, digest
        self.url = "http://127.0.0.1:%d" % port
        self.fd = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.fd).st_size
        self.all = (self.fd, 0, self.size)
        self.count = 0

    def name(self):
        self.count += 1
        return "film-%d.mp4" % self.count

    def one(self, method, url, headers=()):
        begun = time.monotonic()
        c = Connection(self.port)
        answer, _ = c.ask(method, url, headers, file=self.all)
        took = time.monotonic() - begun
        c.close()
        return took, answer.headers["reel-asset"], 0

    def put(self):
        return self.one("PUT", presign(self.url, "PUT", "/upload/video/"
                                       + self.name()))

    def put_sha256(self):
        return self.one("PUT", presign(
            self.url, "PUT", "/upload/video/" + self.name(),
            **{"X-Amz-Content-Sha256": self.digest}))

    def tus(self):
        version = ("Tus-Resumable", "1.0.0")
        c = Connection(self.port)
        answer, _ = c.ask("POST", presign(self.url, "POST", "/upload/video/"),
                          (version, ("Upload-Length", str(self.size))))
        c.close()
        return self.one("PATCH", answer.headers["Location"], (
            version, ("Upload-Offset", "0"),
            ("Content-Type", "application/offset+octet-stream")))

    def ranges(self):
        """PARTS of them, but none below S3's least"""
        size = max(-(-self.size // PARTS), 5 << 20)
        return [(n, at, min(size, self.size - at)) for n, at in
                enumerate(range(0, self.size, size), 1)]

    def parallel(self, send):
        """send(connection, number, at, length) of each range, by STREAMS"""
        left, failed = self.ranges()[::-1], []

        def run():
            c = Connection(self.port)
            try:
                while True:
                    try:
                        part = left.pop()
                    except IndexError:
                        return
                    send(c, *part)
            except Exception as e:
                failed.append(e)
            finally:
                c.close()
        threads = [threading.Thread(target=run) for _ in range(STREAMS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if failed:
            raise failed[0]

    def parts(self):
        path = "/upload/video/" + self.name()
        c = Connection(self.port)
        begun = time.monotonic()
        said = c.ask("POST", presign(self.url, "POST", path, uploads=""))[1]
        ident = re.search("<UploadId>(.*)</UploadId>", said)[1]
        tags = {}

        def send(part, number, at, length):
            url = presign(self.url, "PUT", path, uploadId=ident,
                          partNumber=str(number))
            answer, _ = part.ask("PUT", url, file=(self.fd, at, length))
            tags[number] = answer.headers["ETag"]
        self.parallel(send)
        body = "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" \
            % "".join("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>"
                      % tag for tag in sorted(tags.items()))
        url = presign(self.url, "POST", path, uploadId=ident)
        last = time.monotonic()
        said = c.ask("POST", url, body=body.encode())[1]
        end = time.monotonic()
        c.close()
        tag = re.search("<ETag>(?:&quot;|\")(.*?)-", said)
        return end - begun, tag[1], end - last


class Dav(Sender):
    """nginx's own PUT below `folder`, and then the sync that it has not.
    Its ways give, in place of the last step's time, the CPU s of the syncs."""

    def __init__(self, port, path, location, folder):
        super().__init__(port, path, "")
        self.location, self.folder = location, folder

    def sync(self, name):
        """-> CPU s"""
        begun = time.thread_time()
        fd = os.open(os.path.join(self.folder, name), os.O_RDONLY)
        os.fdatasync(fd)
        os.close(fd)
        return time.thread_time() - begun

    def put(self):
        name = self.name()
        begun = time.monotonic()
        c = Connection(self.port)
        c.ask("PUT", self.location + name, file=self.all)
        cpu = self.sync(name)
        c.close()
        return time.monotonic() - begun, None, cpu

    def parts(self):
        name = self.name()
        begun = time.monotonic()
        cpu = []

        def send(c, number, at, length):
            part = "%s.%d" % (name, number)
            c.ask("PUT", self.location + part, file=(self.fd, at, length))
            cpu.append(self.sync(part))
        self.parallel(send)
        return time.monotonic() - begun, None, sum(cpu)

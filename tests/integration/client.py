"""A client that takes nothing on trust: presigned PUTs, sent slowly if asked
to, and a player of HLS that fetches every rendition and compares every byte
that it was promised would not change."""

import hashlib
import hmac
import http.client
import re
import threading
import time
import urllib.parse

from reel import KEY_ID, SECRET

TIMEOUT_S = 60


class Refused(Exception):
    """an answer that is none of 200"""

    def __init__(self, url, status, body):
        super().__init__("%d %s: %s" % (status, url, body[:300]))
        self.status = status


# what a client sees of a server that dies
BROKEN = (OSError, http.client.HTTPException)


def _open(url):
    u = urllib.parse.urlsplit(url)
    path = u.path + ("?" + u.query if u.query else "")
    return http.client.HTTPConnection(u.hostname, u.port,
                                      timeout=TIMEOUT_S), path


def _answer(url, conn):
    r = conn.getresponse()
    body = r.read()                     # IncompleteRead when it is cut
    if r.status != 200:
        raise Refused(url, r.status, body)
    return r, body


def get(url):
    """the body of a 200, over a connection of its own"""
    conn, path = _open(url)
    try:
        conn.request("GET", path, headers={"Connection": "close"})
        return _answer(url, conn)[1]
    finally:
        conn.close()


def _quote(s):
    return urllib.parse.quote(s, safe="-_.~")


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def presign(base, method, path, expires=3600, **query):
    """AWS SigV4 in the query, the payload unsigned unless it is told"""
    host = urllib.parse.urlsplit(base).netloc
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = "%s/us-east-1/s3/aws4_request" % stamp[:8]
    query.update({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "%s/%s" % (KEY_ID, scope), "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires), "X-Amz-SignedHeaders": "host"})
    line = "&".join("%s=%s" % (_quote(k), _quote(v))
                    for k, v in sorted(query.items()))
    request = "\n".join((method, path, line, "host:" + host, "", "host",
                         query.get("X-Amz-Content-Sha256",
                                   "UNSIGNED-PAYLOAD")))
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(request.encode()).hexdigest()))
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return "%s%s?%s&X-Amz-Signature=%s" % (base, path, line,
                                           _mac(key, text).hex())


def put(url, data, seconds=0, cut=None):
    """the asset that the bytes became; sent within so many seconds, or hung
    up after `cut` of the bytes (a share)"""
    conn, path = _open(url)
    steps = max(1, int(seconds / 0.05))
    size = -(-len(data) // steps)
    stop = len(data) if cut is None else int(cut * len(data))
    try:
        conn.putrequest("PUT", path)
        conn.putheader("Content-Length", str(len(data)))
        conn.putheader("Connection", "close")
        conn.endheaders()
        for at in range(0, stop, size):
            conn.send(data[at:min(at + size, stop)])
            time.sleep(seconds / steps)
        if cut is not None:
            raise ConnectionAbortedError("hung up on purpose")
        return _answer(url, conn)[0].headers["reel-asset"]
    finally:
        conn.close()


class Player:
    """base: …/play/<id>/; `seen` keeps what versioned names held"""

    def __init__(self, base, fetch=get):
        self.base, self.fetch = base, fetch
        self.seen = {}

    def read(self, url):
        body = self.fetch(url)
        if "~" in url and not url.endswith(".m3u8"):
            digest = hashlib.sha256(body).digest()
            if self.seen.setdefault(url, digest) != digest:
                raise AssertionError("%s has changed" % url)
        return body

    def lines(self, url):
        """absolute URLs of a playlist: of its tags, and its own lines"""
        for line in self.read(url).decode().splitlines():
            m = re.search(r'URI="([^"]*)"', line)
            if m or (line and line[0] != "#"):
                yield urllib.parse.urljoin(url, m.group(1) if m else line)

    def media(self):
        return list(self.lines(self.base + "master.m3u8"))

    def play(self, between=lambda: None):
        """every segment of every rendition, in the order of time"""
        lists = [list(self.lines(m)) for m in self.media()]
        for n in range(max(map(len, lists))):
            for urls in lists:
                if n < len(urls):
                    self.read(urls[n])
                    between()
        return sum(map(len, lists))


class Over(Exception):
    pass


class Watching(threading.Thread):
    """plays again and again until stop(); `failed` says what went wrong"""

    def __init__(self, player, pause=0.02):
        super().__init__(daemon=True)
        self.player, self.pause = player, pause
        self.fetched, self.failed = 0, []
        self.over = threading.Event()
        self.start()

    def step(self):
        self.fetched += 1
        if self.over.wait(self.pause):
            raise Over

    def run(self):
        while not self.over.is_set():
            try:
                self.player.play(self.step)
            except Over:
                return
            except Exception as e:
                self.failed.append("%s: %r" % (time.strftime("%X"), e))
                self.over.wait(0.2)

    def stop(self):
        """what was fetched; nothing may have failed"""
        self.over.set()
        self.join(TIMEOUT_S + 5)
        assert not self.failed, self.failed
        return self.fetched

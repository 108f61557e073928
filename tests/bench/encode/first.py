"""From the end of an upload to the first picture: what nginx takes to serve
what a player asks for, and what is seen by somebody whose page asks for the
playlist every 50 ms."""

import http.client
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "../../.."))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))

from client import get, presign                                 # noqa: E402
from reel import BUILD, K, Stack, ulid, wait_for                # noqa: E402

MODULE = os.path.join(BUILD, "ngx_http_reel_module.so")
HLS = os.path.join(TOP, "web/node_modules/hls.js/dist/hls.min.js")
PLAYWRIGHT = os.path.join(TOP, "tests/browser/node_modules/playwright-core")
FLOOR = 0.3                     # first_playable_source_s
# what a player has asked for when it shows its first picture, and more
STATIC_S = 30
# the part of an upload that waits until the page has come to rest
LAST = 64 << 10

HTTP = """
    types { text/html html; application/javascript js;
            application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; }
    client_max_body_size 0;
"""


def figure(name, value, unit):
    print("FIGURE %s %s %s" % (name, value, unit), flush=True)


def say(text):
    print("# " + text, flush=True)


def spread(values):
    return "%.3f (%.3f to %.3f)" % (statistics.median(values), min(values),
                                    max(values))


def missing(browser):
    """what is not here that a figure needs"""
    files = (MODULE, HLS, PLAYWRIGHT) if browser else (MODULE,)
    commands = ("nginx", "node", "chromium") if browser else ("nginx",)
    return [f for f in files if not os.path.exists(f)] \
        + [c for c in commands if shutil.which(c) is None]


def left_out(name, browser=True):
    lacks = missing(browser)
    if lacks:
        say("%s left out, missing: %s" % (name, ", ".join(lacks)))
    return bool(lacks)


# films

def make_sources(folder, clip):
    """20 s; two hours; and two hours in 5 GiB, most of which is a hole"""
    made = {"20 s": clip}
    for name in "two hours", "5 GiB":
        made[name] = path = os.path.join(
            folder, "source-%s.mp4" % name.replace(" ", "-"))
        if os.path.exists(path):
            continue
        say("making " + os.path.basename(path))
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "359",
             "-i", clip, "-c", "copy", path], check=True)
        if name == "5 GiB":
            # a box that readers pass over
            size, end = os.path.getsize(path), 5 << 30
            with open(path, "ab") as f:
                f.write(struct.pack(">I4sQ", 1, b"free", end - size))
                f.truncate(end)
    return made


# what nginx serves

def start(s):
    """plays the stack's store, takes uploads, has the page and static/"""
    os.chmod(s.dir, 0o755)
    web = os.path.join(s.dir, "web")
    os.makedirs(os.path.join(web, "static"))
    for path in (os.path.join(HERE, "first.html"),
                 os.path.join(TOP, "web/player.js")):
        shutil.copy(path, web)
    if os.path.exists(HLS):
        shutil.copy(HLS, os.path.join(web, "hls.js"))
    s.start_nginx(server="root %s;" % web, http=HTTP)


def first_segment(s, asset):
    """what a player asks for until it has pictures, one behind the other"""
    base = "%s/play/%s/" % (s.url, asset)
    media = base + re.search(r"^[^#\n].*", get(base + "master.m3u8")
                             .decode(), re.M).group(0)
    lines = get(media).decode()
    folder = media.rsplit("/", 1)[0] + "/"
    get(folder + re.search(r'MAP:URI="([^"]+)"', lines).group(1))
    return get(folder + re.search(r"^[^#\n].*", lines, re.M).group(0))


def store_static(s, asset):
    """what that asset's playlists name, as files -> their folder; of the
    segments those of the first STATIC_S"""
    base = "%s/play/%s/" % (s.url, asset)
    folder = os.path.join(s.dir, "static")

    def keep(path):
        body = get(base + path)
        s.write(os.path.join(folder, path), body)
        return body.decode() if path.endswith(".m3u8") else None
    master = keep("master.m3u8")
    for media in re.findall(r"^[^#\n].*\.m3u8|(?<=URI=\")[^\"]*media\.m3u8",
                            master, re.M):
        lines, at = keep(media), 0.0
        here = os.path.dirname(media) + "/"
        keep(here + re.search(r'MAP:URI="([^"]+)"', lines).group(1))
        for seconds, name in re.findall(r"^#EXTINF:([\d.]+).*\n([^#\n].*)",
                                        lines, re.M):
            if at < STATIC_S:
                keep(here + name)
            at += float(seconds)
    return folder


class Film:
    """a source on its way into the store: all but its end is there"""

    def __init__(self, s, path):
        self.s, self.fd = s, os.open(path, os.O_RDONLY)
        self.http = http.client.HTTPConnection(s.url.split("/")[2])
        self.at, self.size, self.asset = 0, os.path.getsize(path), ulid()
        self.location = self.ask("POST", presign(
            s.url, "POST", "/upload/video/", **{"reel-asset": self.asset}),
            {"Upload-Length": str(self.size)}).headers["Location"]
        self.patch(self.size - LAST)
        # a viewer is elsewhere: not on the cores that write 5 GiB to a disk
        subprocess.run(["sync", "-f", s.store], check=True)
        self.url = "/play/%s/master.m3u8" % self.asset

    def ask(self, method, url, headers, length=0):
        """sends so many bytes of the film and takes the answer"""
        path = re.sub("^http://[^/]*", "", url)
        self.http.putrequest(method, path)
        for kv in {"Tus-Resumable": "1.0.0", "Content-Length": str(length),
                   **headers}.items():
            self.http.putheader(*kv)
        self.http.endheaders()
        end = self.at + length
        while self.at < end:
            self.at += os.sendfile(self.http.sock.fileno(), self.fd, self.at,
                                   end - self.at)
        self.sent = time.time()
        r = self.http.getresponse()
        body = r.read()
        if r.status // 100 != 2:
            raise SystemExit("%s: %d %s" % (method, r.status, body[:300]))
        return r

    def patch(self, length):
        self.ask("PATCH", self.location, {
            "Upload-Offset": str(self.at),
            "Content-Type": "application/offset+octet-stream"}, length)

    def complete(self):
        """-> when the last byte was sent, when the answer came"""
        self.patch(self.size - self.at)
        answered = time.time()
        os.close(self.fd)
        self.http.close()
        return self.sent, answered

    def remove(self):
        shutil.rmtree(self.s.folder(self.asset))


class Linked:
    """an asset without its source, which one link completes"""

    def __init__(self, s, path):
        self.s, self.path = s, path
        self.asset = s.put_source(b"", "default", size=os.path.getsize(path))
        os.unlink(s.path(self.asset, "source"))
        self.url = "/play/%s/master.m3u8" % self.asset

    def complete(self):
        now = time.time()
        os.link(self.path, self.s.path(self.asset, "source"))
        self.s.put_pending(self.asset)
        return now, now

    def remove(self):
        shutil.rmtree(self.s.folder(self.asset))
        os.unlink(self.s.pending(self.asset))


class Copy:
    """a copy of the same, which static files serve"""

    def __init__(self, s, folder):
        name = ulid()
        self.there = os.path.join(s.dir, "web", "static", name)
        shutil.copytree(folder, self.there + ".new", copy_function=os.link)
        self.url = "/static/%s/master.m3u8" % name

    def complete(self):
        now = time.time()
        os.rename(self.there + ".new", self.there)
        return now, now

    def remove(self):
        shutil.rmtree(self.there)


class Browser:
    """with Browser(s) as b: …; a Chromium with the page"""

    def __init__(self, s):
        self.page = subprocess.Popen(
            ["node", os.path.join(HERE, "first.js"), PLAYWRIGHT,
             s.url + "/first.html"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.page.stdin.close()
        self.page.wait()

    def answer(self):
        line = self.page.stdout.readline()
        if not line:
            raise SystemExit("no picture in the browser")
        return line.strip()

    def ask(self, line, answer):
        self.page.stdin.write(line + "\n")
        self.page.stdin.flush()
        assert self.answer() == answer

    def new(self):
        self.ask("new", "new")

    def play(self, film):
        """-> s from the answer to the upload to each step; `sent`, the last
        byte, is less than nothing"""
        self.ask(film.url, "waiting")
        time.sleep(0.5)                 # what the page began has come to rest
        sent, answered = film.complete()
        steps = json.loads(self.answer())
        return {"sent": sent - answered, **{
            k: v / 1000 - answered for k, v in steps.items()}}


# figures

def first_of_source(sources, runs):
    """from the source's completion to its first segment, without a worker"""
    if left_out("first_segment_source_s", browser=False):
        return
    worst = 0.0
    with Stack() as s:
        s.start_redis()
        start(s)
        for name, path in sources.items():
            took = []
            for _ in range(runs):
                film = Linked(s, path)
                begun = time.monotonic()
                film.complete()
                assert len(first_segment(s, film.asset)) > 10000
                took.append(time.monotonic() - begun)
            say("first segment of %s (%.1f MiB): %s" % (
                name, os.path.getsize(path) / 2 ** 20, spread(took)))
            worst = max(worst, statistics.median(took))
    figure("first_segment_source_s", "%.3f" % worst, "s")


class Plays:
    """what each play of one film took"""

    def __init__(self):
        self.took = {}

    def add(self, what, steps):
        self.took.setdefault(what, []).append(steps)

    def column(self, what, step):
        return [row[step] for row in self.took[what]]

    def median(self, what, step="shown"):
        return statistics.median(self.column(what, step))

    def over(self):
        """of each pair, both in new browsers"""
        return statistics.median(a / b for a, b in zip(
            self.column("reel, cold", "shown"),
            self.column("static, cold", "shown")))

    def print(self, film):
        for what, rows in self.took.items():
            say("%s, %s: shown %s; medians, ms: %s" % (
                film, what, spread(self.column(what, "shown")), ", ".join(
                    "%s %.0f" % (step, 1000 * at) for at, step in sorted(
                        (self.median(what, step), step) for step in
                        set.intersection(*(set(row) for row in rows))))))


def play_both(s, browser, path, folder, plays):
    """the film and the copy in `folder`, each in a browser that has played
    nothing, the film by a real upload, and in one that has"""
    def copy(*_):
        return Copy(s, folder)
    for cold, make_cold, warm, make_warm in (
            ("reel", Film, "static", copy), ("static", copy, "reel", Linked)):
        browser.new()
        for what, make in (cold + ", cold", make_cold), (warm + ", warm",
                                                         make_warm):
            film = make(s, path)
            plays.add(what, browser.play(film))
            film.remove()


def playable_of_source(sources, runs):
    """from an upload's end to a picture, without a worker; beside it what
    the same page takes for static files -> that it is soon enough"""
    if left_out("first_playable_source_s"):
        return True
    films = {}
    with Stack() as s:
        s.start_redis()
        start(s)
        with Browser(s) as browser:
            for name, path in sources.items():
                film = Linked(s, path)
                film.complete()
                folder = store_static(s, film.asset)
                films[name] = plays = Plays()
                for _ in range(runs):
                    play_both(s, browser, path, folder, plays)
                plays.print(name)
                shutil.rmtree(folder)

    def worst(of):
        return max(of(p) for p in films.values())
    for name, what in (("source", "reel, cold"), ("source_warm", "reel, warm"),
                       ("static", "static, cold"),
                       ("static_warm", "static, warm")):
        figure("first_playable_%s_s" % name,
               "%.3f" % worst(lambda p: p.median(what)), "s")
    figure("first_playable_source_vs_static", "%.2f" % worst(Plays.over),
           "ratio")
    figure("first_answer_source_s", "%.3f" % worst(
        lambda p: -p.median("reel, cold", "sent")), "s")
    return worst(lambda p: p.median("reel, cold")) <= FLOOR


def playable(clip, slots, runs):
    """from the completion of a film that players do not take, by workerd"""
    if left_out("first_playable_s"):
        return
    took = []
    for _ in range(runs):
        with Stack(slots=slots, poll_ms=100, outbox_s=1) as s:
            s.start_redis()
            w = s.start_workerd()
            wait_for(lambda: s.redis("ZCARD", K + "workers") == 1)
            start(s)
            with Browser(s) as browser:
                browser.new()
                took.append(browser.play(Linked(s, clip)))
                w.kill()
    say("from a completion to each step, medians: " + ", ".join(
        "%s %.2f" % (step, statistics.median(row[step] for row in took))
        for step in ("listed", "master", "media", "loaded main", "shown")))
    say("first_playable_s: " + spread([row["shown"] for row in took]))
    figure("first_playable_s", "%.2f" % statistics.median(
        row["shown"] for row in took), "s")

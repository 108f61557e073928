"""What goes on while parts die: films come in, are watched, and each asset's
end is looked for.  Whatever a client may not see stands in `failed`."""

import os
import random
import threading
import time

from client import BROKEN, Player, Refused, get, presign, put
from reel import ulid

# assets that are under way at once
UNDER_WAY = 4
# how long a client tries again
PATIENCE_S = 120


class Film:
    def __init__(self, path, frames, seconds):
        with open(path, "rb") as f:
            self.data = f.read()
        self.frames, self.seconds = frames, seconds


class Traffic:
    def __init__(self, stack, films, seed, hang_up=False):
        self.stack, self.films, self.hang_up = stack, films, hang_up
        self.assets = {}                # id: film, as it was accepted
        self.results = {}               # id: the result.json seen, as files
        self.ready, self.errored, self.failed = [], {}, []
        self.started = self.fetched = self.cut = 0
        self.outages = []               # [from, to]: no nginx, or less of it
        self.over = threading.Event()
        self.calm = threading.Event()   # nothing more comes in
        self.threads = [threading.Thread(target=self.guarded, daemon=True,
                                         args=(main, random.Random(
                                             "%s %d" % (seed, n))))
                        for n, main in enumerate((
                            self.upload, self.upload, self.watch, self.watch,
                            self.look))]

    def start(self):
        for t in self.threads:
            t.start()

    def join(self, threads):
        for t in threads:
            t.join(PATIENCE_S + 10)
            if t.is_alive():
                self.fail("a client hangs")

    def finish_uploads(self):
        """what is on its way comes in, and no more"""
        self.calm.set()
        self.join(self.threads[:2])

    def stop(self):
        self.over.set()
        self.join(self.threads)

    def fail(self, what):
        self.failed.append("%s %s" % (time.strftime("%X"), what))

    def guarded(self, main, rnd):
        try:
            main(rnd)
        except Exception as e:
            self.fail("%s: %r" % (main.__name__, e))

    # what a client may not see but for a while after nginx was killed

    def outage(self):
        span = [time.monotonic(), None]
        self.outages.append(span)
        return span

    def excused(self, begun):
        now = time.monotonic()
        return any(a <= now and (b is None or b >= begun - 0.5)
                   for a, b in self.outages)

    def again(self, begun, error, end):
        """returns when the client may try again, raises otherwise"""
        busy = isinstance(error, Refused) and error.status == 409
        if (not busy and not self.excused(begun)) or time.monotonic() > end:
            raise error
        time.sleep(0.2)

    # films come in

    def unfinished(self):
        return len(self.assets) - len(self.results)

    def upload(self, rnd):
        while not self.calm.is_set():
            if self.unfinished() >= UNDER_WAY:
                time.sleep(0.1)
                continue
            self.started += 1
            film = rnd.choice(self.films)
            query = {"reel-pipeline": "chaos"}
            if rnd.random() < 0.5:
                query["reel-asset"] = ulid()
            url = presign(self.stack.url, "PUT", "/upload/video/%d-%d"
                          % (self.started, rnd.getrandbits(32)), **query)
            asset = self.send(url, film, rnd)
            if asset in self.assets \
                    or query.get("reel-asset", asset) != asset:
                self.fail("%s answered %s" % (query, asset))
            self.assets[asset] = film

    def send(self, url, film, rnd):
        """as any client does it: the same URL until it is told 200"""
        end = time.monotonic() + PATIENCE_S
        seconds = rnd.choice((0, 0.5, 3))
        while self.hang_up and rnd.random() < 0.4:
            try:
                put(url, film.data, seconds, cut=rnd.random())
                raise AssertionError("half a film was taken")
            except BROKEN:
                self.cut += 1
            except Refused as e:        # the last try is being cleaned up
                if e.status != 409:
                    raise
        while True:
            begun = time.monotonic()
            try:
                return put(url, film.data, seconds)
            except (Refused, *BROKEN) as e:
                self.again(begun, e, end)

    # and are watched

    def fetch(self, url):
        end = time.monotonic() + PATIENCE_S
        while True:
            begun = time.monotonic()
            try:
                body = get(url)
                self.fetched += 1
                return body
            except BROKEN as e:
                self.again(begun, e, end)

    def watch(self, rnd):
        players = {}
        while not self.over.is_set():
            if not self.ready:
                time.sleep(0.1)
                continue
            asset = rnd.choice(self.ready)
            player = players.setdefault(asset, Player(
                "%s/play/%s/" % (self.stack.url, asset), self.fetch))
            player.play(lambda: time.sleep(0.05))

    # and end, once

    def look(self, rnd):
        while not self.over.is_set():
            for asset in list(self.assets):
                self.look_at(asset)
            time.sleep(0.1)

    def look_at(self, asset):
        try:
            st = os.stat(self.stack.path(asset, "result.json"))
        except FileNotFoundError:
            return
        seen = self.results.setdefault(asset, set())
        seen.add((st.st_ino, st.st_mtime_ns))
        if asset in self.ready or asset in self.errored:
            return
        r = self.stack.result(asset)
        if r["ready"]:
            self.ready.append(asset)
        else:
            self.errored[asset] = r
            self.fail("%s ended %s: %s" % (asset, r["code"], r["log"]))

    def double_publications(self):
        return sum(len(seen) - 1 for seen in self.results.values())

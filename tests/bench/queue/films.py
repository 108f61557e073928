"""How long a clip waits behind films: the real plans, the real scripts, in
simulated time.

Two cores run no-ops of the time that the plan expects.  Ten films of an
hour are in the queue, of a shipped pipeline's tasks: their chunks, sound and
storyboards; clips of 10 s come at random moments, all of one project.  Tasks
that hardly need a core have a slot of their own, and are left out."""

import heapq
import itertools
import json
import os
import random
import statistics
import subprocess
import tempfile

from job_queue import TOP, Queue, task

CORES = 2
FILMS, CLIPS = 10, 150
REELCTL = os.path.join(TOP, os.environ.get("BUILD", "build"), "bin/reelctl")


def film(seconds):
    """inspect.json of a film in 1080p with a key frame each 2 s, in stereo"""
    at = {"tb": [1, 1000], "first_pts": 0}
    return {
        "format": "matroska,webm", "bytes": seconds << 20,
        "video": {**at, "stream": 0, "codec": "h264",
                  "last_pts": seconds * 1000 - 40, "last_dur": 40,
                  "frames": seconds * 25, "constant_rate": True,
                  "rate": [25, 1], "width": 1920, "height": 1080,
                  "rotation": 0, "hflip": False, "vflip": False,
                  "interlaced": False,
                  "keyframes": [0] + [2000] * (seconds // 2 - 1)},
        "audio": {**at, "stream": 1, "codec": "aac",
                  "end_pts": seconds * 1000, "sample_rate": 48000,
                  "channels": 2, "language": "en"},
        "texts": [],
    }


def plan(pipeline, seconds):
    """its tasks that need a core, as `pipeline show` has them"""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(film(seconds), f)
        f.flush()
        shown = subprocess.run(
            [REELCTL, "pipeline", "show", "--format", "json", "--source",
             f.name, os.path.join(TOP, "conf/pipelines",
                                  pipeline + ".yaml")],
            check=True, capture_output=True, text=True)
    return [t for t in json.loads(shown.stdout)["tasks"] if t["slots"] > 0]


def as_tasks(tasks):
    names = {t["name"] for t in tasks}
    return [task(t["name"], cost=t["cost_ms"], slots=t["slots"],
                 type=t["type"], priority=t["priority"],
                 deps=" ".join(d for d in t["after"] if d in names))
            for t in tasks]


class Cores:
    """who runs what, in simulated milliseconds"""

    def __init__(self, redis):
        redis("FLUSHALL")
        self.q = Queue(redis)
        self.free = CORES
        self.tasks, self.clips = {}, {}     # of each job
        self.events = []
        self.turn = itertools.count()       # of equal times the earlier

    def at(self, now, what, c):
        heapq.heappush(self.events, (now, next(self.turn), what, c))

    def planned(self, job, tasks):
        self.tasks[job] = {t["name"]: t for t in tasks}
        self.q.planned(job, *as_tasks(tasks))

    def look(self, now):
        while self.free > 0:
            c = self.q.claim(free=self.free, slots=CORES, lights=0,
                             lease=10 ** 9)
            if c is None:
                return
            t = self.tasks[c.job][c.task]
            self.free -= t["slots"]
            if c.job in self.clips:
                self.clips[c.job].begins(now)
            self.at(now + t["cost_ms"], "done", c)

    def done(self, now, c):
        self.free += self.tasks[c.job][c.task]["slots"]
        if c.job in self.clips:
            self.clips[c.job].ends(now)
        self.q.complete(c)


class Clip:
    """when none of its tasks ran"""

    def __init__(self, now, tasks):
        self.left, self.running = len(tasks), 0
        self.since, self.waited = now, 0

    def begins(self, now):
        if self.running == 0:
            self.waited += now - self.since
        self.running += 1

    def ends(self, now):
        self.running -= 1
        self.left -= 1
        self.since = now


def clip_waits(redis, pipeline="default", seed=7):
    """for each clip: the time in which it only waited, in chunks"""
    clip, long = plan(pipeline, 10), plan(pipeline, 3600)
    chunk = statistics.median(t["cost_ms"] for t in long
                              if t["type"] == "encode_video")
    cores, rnd = Cores(redis), random.Random(seed)
    waits, at = [], 0

    for n in range(FILMS):
        cores.planned("01jf%022d.1" % n, long)
    for n in range(CLIPS):
        # an eighth of the cores' time is theirs
        at += rnd.expovariate(1 / 4 / sum(t["cost_ms"] for t in clip))
        cores.at(at, "clip", n)

    cores.look(0)
    while len(waits) < CLIPS:
        now, _, what, c = heapq.heappop(cores.events)
        if what == "clip":
            job = "01jk%022d.1" % c
            cores.clips[job] = Clip(now, clip)
            cores.planned(job, clip)
        else:
            cores.done(now, c)
            if c.job in cores.clips and cores.clips[c.job].left == 0:
                waits.append(cores.clips[c.job].waited / chunk)
        cores.look(now)
    return sorted(waits)

"""How long a clip waits behind films: the real scripts, in simulated time.

Two cores run no-ops of the time that the plan expects.  Ten films of an
hour are in the queue, of 300 chunks each; clips of 10 s (two tasks: the
lowest rung, the others) come at random moments, all of one project."""

import heapq
import itertools
import random

from job_queue import Queue, task

CORES = 2
CHUNK_MS = 12000
FILMS, CHUNKS, CLIPS = 10, 300, 150


def clip_waits(redis, seed=7):
    """for each clip: the part of its time that it only waited, in chunks"""
    redis("FLUSHALL")
    q = Queue(redis)
    rnd = random.Random(seed)
    events, began, waits, free = [], {}, [], CORES
    turn = itertools.count()        # of equal times the earlier

    for n in range(FILMS):
        q.planned("01jf%022d.1" % n,
                  *[task("v%d.0" % i, cost=CHUNK_MS) for i in range(CHUNKS)])

    at = 0
    for n in range(CLIPS):
        at += rnd.expovariate(1 / 40000.0)
        heapq.heappush(events, (at, next(turn), "clip", n))

    def look(now):
        nonlocal free
        while free > 0:
            c = q.claim(free=free, slots=CORES, lights=0, lease=10 ** 9)
            if c is None:
                return
            free -= 1
            cost = int(q.field(c.job, c.task + ":spec").split()[2])
            heapq.heappush(events, (now + cost, next(turn), "done", c))

    look(0)
    while events and len(waits) < CLIPS:
        now, _, what, c = heapq.heappop(events)
        if what == "clip":
            job = "01jk%022d.1" % c
            q.planned(job, task("v0.0", cost=2000), task("v0.1", cost=8000))
            began[job] = [now, 2]
        else:
            free += 1
            q.complete(c)
            if c.job in began:
                began[c.job][1] -= 1
                if began[c.job][1] == 0:
                    waits.append((now - began[c.job][0] - 8000) / CHUNK_MS)
        look(now)
    return sorted(waits)

#!/usr/bin/env python3
"""A step of many tasks does what as many steps of one do."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_queue import ASSET, K, task                           # noqa: E402
from redis_server import RedisError                            # noqa: E402
from test_transitions import A, B, Case                        # noqa: E402

JOBS = [ASSET % c + ".1" for c in "abcdef"]
MOST = 16


class Room:
    """of a worker, as it counts itself"""

    def __init__(self):
        self.running = []

    def left(self):
        slots, memory, lights = 8, 8000, 9
        for c in self.running:
            s, m, _ = c.queue.split(":")
            slots, memory = slots - int(s), memory - int(m)
            lights -= s == "0"
        return {"free": max(0, slots), "room": max(0, memory),
                "places": lights, "memory": 8000}


class Same(Case):
    """one by one, and many at once"""

    def film(self, rng):
        tasks = [task("t%02d" % i, slots=rng.choice((0, 1, 1, 1, 2, 4)),
                      memory=rng.choice((0, 0, 500, 2000)),
                      cost=rng.choice((100, 1000, 40000)),
                      priority=rng.choice((4, 4, 4, 6))) for i in range(14)]
        for i in range(14, 20):
            tasks.append(task("t%02d" % i, cls="light", deps=" ".join(
                sorted(rng.sample(["t%02d" % j for j in range(14)], 2)))))
        return tasks

    def plans(self):
        out = []
        for n, job in enumerate(JOBS):
            self.q.submit(job, project="p%d" % (n % 3))
            out.append(self.q.step(self.q.claim(free=0), free=0)[1])
        return out

    def prepare(self, seed):
        self.redis("FLUSHALL")
        self.redis("HSET", K + "vtime", "fence", 100)
        rng = random.Random(seed)
        for plan in self.plans():
            self.q.expand(plan, *self.film(rng))
        # some have waited so long that room is made for them
        for job in JOBS[::2]:
            for t in ("t03", "t07"):
                since = int(self.q.field(job, t + ":since"))
                self.q.put(job, task=t, since=since - 25000)
        # some come again, now
        for _ in range(5):
            self.q.fail(self.q.claim(lights=0))
        return rng

    def singly(self, room, done, claims):
        said, got = [], []
        for c in done:
            said += self.q.steps([c], 0)[0]
            room.running.remove(c)
        for _ in range(claims):
            one = self.q.steps(**room.left())[1]
            got += one
            room.running += one
            if not one:
                break
        return said, got, self.q.reserved

    def at_once(self, room, done, claims):
        for c in done:
            room.running.remove(c)
        said, got = self.q.steps(done, claims, **room.left())
        room.running += got
        return said, got, self.q.reserved

    def run_all(self, seed, how):
        rng, room, told = self.prepare(seed), Room(), []
        for _ in range(400):
            done = rng.sample(room.running,
                              rng.randrange(1 + min(MOST,
                                                    len(room.running))))
            said, got, reserved = how(room, done, rng.randint(
                max(1, len(done)), MOST))
            told.append((said, [(c.job, c.task, c.attempt,
                                 c.token.split("-")[0]) for c in got],
                         reserved))
            if not room.running and not got:
                break
        clocks = self.redis("HGETALL", K + "vtime")
        self.assertEqual([self.q.state(j) for j in JOBS],
                         ["done"] * len(JOBS))
        return told, dict(zip(clocks[::2], clocks[1::2]))

    def test_the_order_is_the_same(self):
        several = reserved = 0
        for seed in range(8):
            alone, clocks = self.run_all(seed, self.singly)
            together, clocks2 = self.run_all(seed, self.at_once)
            self.assertEqual(alone, together)
            self.assertEqual(clocks, clocks2)
            several += sum(len(got) > 1 for _, got, _ in alone)
            reserved += sum(len(got) > 0 for _, got, r in alone if r)
        # or it would say nothing
        self.assertGreater(several, 50)
        self.assertGreater(reserved, 4)


class Completions(Case):
    def running(self, n, *more, job=A):
        self.q.planned(job, *[task("t%02d" % i) for i in range(n)], *more)
        return self.q.steps(claims=n, free=n, slots=n)[1]

    def test_each_has_its_own_outcome(self):
        a, b, c, d, e = self.running(5)
        self.assertEqual(self.q.complete(b), "ok")      # its answer was lost
        c.token = "1-" + "0" * 16
        self.q.fail(d, cls="release", backoff=60000)
        self.assertEqual(self.q.steps([a, b, c, d, e], 0)[0],
                         ["ok", "ok", "stale", "stale", "ok"])
        self.assertEqual([self.q.state(A, "t%02d" % i) for i in range(5)],
                         ["done", "done", "running", "delayed", "done"])
        self.left_consistent(A)
        self.assertEqual(self.redis("ZRANGE", K + "lease", 0, -1),
                         [A + "/t02"])

    def test_of_a_job_that_ended(self):
        a, b = self.running(2)
        self.q.cancel(A)
        c, d = self.running(2, job=B)
        self.assertEqual(self.q.steps([a, c, b, d], 0)[0],
                         ["stale", "ok", "stale", "ok"])
        self.assertEqual(self.q.state(B), "done")
        self.assertEqual(self.q.count("lease"), 0)

    def test_the_same_twice_counts_once(self):
        a, b = self.running(2)
        self.assertEqual(self.q.steps([a, a], 0)[0], ["ok", "ok"])
        self.left_consistent(A)
        self.assertEqual(self.q.steps([b], 0)[0], ["ok"])
        self.assertEqual([x["state"] for x in self.q.done()], ["done"])

    def test_what_waited_for_all_is_claimed_with_them(self):
        both = self.running(2, task("show", deps="t00 t01", cls="light"),
                            task("next", deps="t01"))
        ear = self.server.connect()
        self.addCleanup(ear.close)
        ear("SUBSCRIBE", K + "wake")
        said, got = self.q.steps(both, 2)
        self.assertEqual(said, ["ok", "ok"])
        self.assertEqual([c.task for c in got], ["show", "next"])
        self.assertEqual(sorted(ear._read()[2] for _ in range(2)),
                         ["0:0:", "1:0:"])

    def test_a_second_run(self):
        a, b = self.running(2)
        for c in (a, b):
            self.q.put(A, task=c.task, since=int(self.q.field(
                A, c.task + ":since")) - 100000)
        second = self.q.second()
        first = a if a.task == second.task else b
        self.assertEqual(self.q.steps([second, first], 0)[0],
                         ["ok", "stale"])
        self.left_consistent(A)

    def test_as_many_as_are_allowed(self):
        c = self.running(MOST)
        self.assertEqual(len(c), MOST)
        self.assertEqual(self.q.steps(c, 1)[0], ["ok"] * MOST)
        self.assertEqual(self.q.state(A), "done")
        with self.assertRaisesRegex(RedisError, "bad argument"):
            self.q.steps(c + c[:1], 0)

    def test_what_is_wrong_writes_nothing(self):
        a, b = self.running(2)
        before = self.q.hash(A)
        b.job = ""
        with self.assertRaisesRegex(RedisError, "bad argument"):
            self.q.steps([a, b], 0)
        for bad in ({"claims": MOST + 1}, {"free": -1}, {"places": "x"}):
            with self.assertRaisesRegex(RedisError, "bad room"):
                self.q.steps([a], **bad)
        self.assertEqual(self.q.hash(A), before)
        self.assertEqual(self.q.count("lease"), 2)


class Claims(Case):
    def names(self, n, **kw):
        return [c.task for c in self.q.steps(claims=n, **kw)[1]]

    def old(self, *names, ms=20001):
        for t in names:
            since = int(self.q.field(A, t + ":since"))
            self.q.put(A, task=t, since=since - ms)

    def test_no_more_than_are_asked_for(self):
        self.q.planned(A, *[task("t%d" % i) for i in range(9)])
        self.assertEqual(self.names(3), ["t0", "t1", "t2"])
        self.assertEqual(self.names(1), ["t3"])
        self.assertEqual(self.names(MOST), ["t4", "t5", "t6", "t7", "t8"])
        self.assertEqual(self.names(MOST), [])

    def test_each_has_its_own_token(self):
        self.q.planned(A, *[task("t%d" % i) for i in range(3)])
        claims = self.q.steps(claims=3)[1]
        self.assertEqual(len({c.token for c in claims}), 3)
        for c in claims:
            self.assertEqual(self.q.field(A, c.task + ":token"), c.token)
            self.assertEqual(self.q.state(A, c.task), "running")
        self.assertEqual(self.q.count("lease"), 3)

    def test_cores_and_memory_are_counted_down(self):
        self.q.planned(A, task("a", slots=2, memory=300),
                       task("b", memory=300), task("c", memory=300),
                       task("d", memory=100), task("e", memory=100))
        self.assertEqual(self.names(9, free=3, room=5000), ["a", "b"])
        self.assertEqual(self.names(9, free=8, room=450), ["c", "d"])
        self.assertEqual(self.names(9, free=1, room=450), ["e"])

    def test_light_tasks_first_one_then_what_is_left(self):
        lights = [task("l%d" % i, cls="light") for i in range(4)]
        self.q.planned(A, *lights, task("a"), task("b"), task("c"))
        self.assertEqual(self.names(9, free=2, places=9),
                         ["l0", "a", "b", "l1", "l2", "l3"])
        self.q.planned(B, *lights, task("a"))
        self.assertEqual(self.names(9, free=2, places=2),
                         ["a", "c", "l0", "l1"])
        self.assertEqual(self.names(9, free=2, places=0), [])
        # the only one that there is
        self.assertEqual(self.names(9, free=2, places=1, places_all=1),
                         ["l2"])

    def test_room_is_made_after_others_were_claimed(self):
        self.q.planned(A, task("w0", slots=4), task("w1", slots=4),
                       task("a"), task("l", cls="light"))
        self.old("w0", "w1")
        self.assertEqual(self.names(9, free=5), ["l", "w0"])
        self.assertTrue(self.q.reserved)
        self.assertEqual(self.names(9, free=5), ["w1", "a"])
        self.assertFalse(self.q.reserved)
        self.assertEqual(self.redis("KEYS", K + "reserved:*"), [])

    def test_one_larger_than_the_worker_leaves_nothing(self):
        self.q.planned(A, task("wide", slots=99, memory=1 << 20), task("a"),
                       task("l", cls="light"), task("m", cls="light",
                                                    memory=1))
        self.old("wide")
        self.assertEqual(self.names(9, places=8), ["wide", "l"])
        self.assertEqual(self.names(9), ["m", "a"])

    def test_those_that_are_due_when_nothing_else_is(self):
        # with every eighth claim they are looked for anyway
        self.redis("HSET", K + "vtime", "fence", 800)
        self.q.planned(A, *[task("t%d" % i) for i in range(3)],
                       task("m", memory=5))
        for c in self.q.steps(claims=3)[1]:
            self.assertEqual(self.q.fail(c), "delayed")
        # their queue is gone, and comes back
        self.assertEqual(self.names(9), ["m", "t0", "t1", "t2"])
        self.assertEqual(self.redis("SMEMBERS", K + "queues"), [])

    def test_those_that_are_due_with_every_eighth(self):
        self.redis("HSET", K + "vtime", "fence", 800)
        self.q.planned(A, task("due", memory=5),
                       *[task("t%d" % i) for i in range(9)])
        self.assertEqual(self.q.fail(self.q.claim()), "delayed")
        # the 804th to the 808th, and then what comes again goes first
        self.assertEqual(self.names(7), ["t0", "t1", "t2", "t3", "t4", "due",
                                         "t5"])


if __name__ == "__main__":
    unittest.main()

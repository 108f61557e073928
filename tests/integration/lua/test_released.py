#!/usr/bin/env python3
"""What a project is charged for claims that brought nothing: a twin is waited
for, a disk is full, a worker is stopped, or lacks the pipeline."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_queue import ASSET, K, task                           # noqa: E402
from test_transitions import Case                              # noqa: E402

A = ASSET % "a" + ".1"
B = ASSET % "b" + ".1"
CHUNK_MS = 6000


class Released(Case):
    def films(self, *more, n=60, **kw):
        for job, project in ((A, "p1"), (B, "p2")):
            self.q.planned(job, *(more if job == A else ()),
                           *[task("v%02d" % i, cost=CHUNK_MS, **kw)
                             for i in range(n)], project=project)

    def served(self, waits=(), chunks=20, cls="release", every=1, **kw):
        """How many chunks of each project one core did; tasks of A that are
        in waits come back each time, after so many chunks."""
        got, away = {"p1": 0, "p2": 0}, {}
        while sum(got.values()) < chunks:
            for t in [t for t, at in away.items()
                      if at <= sum(got.values())]:
                self.redis("ZADD", K + "delay", "XX", 1, A + "/" + t)
                del away[t]
            self.q.sweep()
            c = self.q.claim(**kw)
            if c.job == A and c.task in waits:
                self.assertEqual(self.q.fail(c, cls, "TWIN", backoff=60000),
                                 "delayed")
                away[c.task] = sum(got.values()) + every
            else:
                got[c.project] += 1
                self.q.complete(c)
        return got

    def tag(self, project, queue="1:0:"):
        return int(self.redis("ZSCORE", K + "ready:" + queue, project)) \
            % 2 ** 49

    def test_chunks_of_a_twin_cost_no_share(self):
        for waits in (0, 4, 8):
            with self.subTest(waits=waits):
                self.setUp()
                self.films()
                got = self.served(["v%02d" % i for i in range(waits)])
                self.assertEqual(got, {"p1": 10, "p2": 10})

    def test_nor_does_what_a_worker_lacks(self):
        self.films(task("x", cost=10 * CHUNK_MS))
        self.assertEqual(self.served(["x"], 60, "lacks"),
                         {"p1": 30, "p2": 30})

    def test_nor_among_light_tasks(self):
        self.films(cls="light", priority=3)
        self.assertEqual(self.served(["v00", "v01", "v02"], free=0),
                         {"p1": 10, "p2": 10})

    def test_a_try_that_counts_is_charged(self):
        self.films()
        got = self.served(["v00", "v01"], 8, "retry", every=99)
        self.assertEqual(got, {"p1": 3, "p2": 5})

    def test_it_counts_in_all_queues(self):
        """the place in one that was looked at meanwhile, too"""
        self.films(*[task(t, cost=CHUNK_MS, memory=7) for t in "wxyz"])
        c = self.q.claim()
        self.assertEqual((c.project, c.task), ("p1", "w"))
        self.assertEqual(self.tag("p1"), 0)
        for _ in range(3):
            self.q.claim()
        before = {q: self.tag("p1", q) for q in ("1:0:", "1:7:")}
        self.assertGreater(before["1:0:"], 0)
        finish = int(self.redis("HGET", K + "vtime", "finish:p1"))
        self.q.fail(c, "release", backoff=60000)
        after = int(self.redis("HGET", K + "vtime", "finish:p1"))
        self.assertEqual(after, finish - CHUNK_MS)
        for q in before:
            self.assertEqual(self.tag("p1", q), min(before[q], after))

    def test_who_was_away_gets_no_credit(self):
        """the clock went on, and nobody goes back behind it"""
        self.q.planned(A, task("x", cost=100 * CHUNK_MS), project="p1")
        x = self.q.claim()
        self.q.planned(B, *[task("v%02d" % i, cost=CHUNK_MS)
                            for i in range(60)], project="p2")
        for _ in range(30):
            self.q.complete(self.q.claim())
        self.q.planned(ASSET % "c" + ".1", *[
            task("w%02d" % i, cost=CHUNK_MS) for i in range(60)],
            project="p1")
        self.q.fail(x, "release", "SHUTDOWN", backoff=60000)
        now = int(self.redis("HGET", K + "vtime", "all"))
        self.assertEqual(self.redis("HGET", K + "vtime", "finish:p1"),
                         str(now))
        self.assertIn(self.served()["p1"], (10, 11))

    def test_whose_charge_is_past_is_left(self):
        self.q.planned(A, task("x", cost=CHUNK_MS), project="p1")
        x = self.q.claim()
        self.q.planned(B, *[task("v%02d" % i, cost=CHUNK_MS)
                            for i in range(9)], project="p2")
        for _ in range(9):
            self.q.complete(self.q.claim())
        self.q.fail(x, "release", "SHUTDOWN")
        self.assertEqual(self.redis("HGET", K + "vtime", "finish:p1"),
                         str(CHUNK_MS))

    def test_room_is_seldom_made_for_who_waits_for_a_twin(self):
        """its worker lets cores idle for it each time: 10 s after it is
        ready again, then after as long as it has waited"""
        self.q.planned(A, task("wide", slots=4), *[
            task("t%02d" % i) for i in range(40)])
        now = int(self.redis("TIME")[0]) * 1000

        def ready(waits_ms, twin_ms):
            self.redis("ZADD", K + "delay", "XX", 1, A + "/wide")
            self.q.sweep()
            self.q.put(A, task="wide", since=now - waits_ms)
            if twin_ms:
                self.redis("HSET", K + "job:" + A, "wide:twin",
                           now - twin_ms)

        def reserved():
            self.q.claim(free=2, lights=0)
            self.redis("DEL", K + "reserved:4:0:")
            return self.q.reserved

        def behind(code, cls="release"):
            c = self.q.claim(free=4)
            self.assertEqual(c.task, "wide")
            self.q.fail(c, cls, code, backoff=60000)

        ready(11000, None)
        self.assertTrue(reserved())
        behind("TWIN")
        self.assertIsNotNone(self.q.field(A, "wide:twin"))
        ready(11000, 12000)
        self.assertTrue(reserved())
        behind("TWIN")
        for waits_ms, twin_ms, room in ((30000, 70000, False),
                                        (41000, 70000, True),
                                        (299000, 3600000, False),
                                        (302000, 3600000, True)):
            ready(waits_ms, twin_ms)
            self.assertEqual(reserved(), room, waits_ms)
        # it was begun at last
        behind("IO", "retry")
        self.assertIsNone(self.q.field(A, "wide:twin"))
        ready(11000, None)
        self.assertTrue(reserved())


if __name__ == "__main__":
    unittest.main()

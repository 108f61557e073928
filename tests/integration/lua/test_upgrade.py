#!/usr/bin/env python3
"""Jobs that a worker of the version before left behind go on."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_hash import JOB, TASK, words                             # noqa: E402
from job_queue import ASSET, K, task                              # noqa: E402
from test_transitions import Case                                 # noqa: E402

A = ASSET % "a" + ".1"


class Upgrade(Case):
    def half_done(self):
        """v0 runs and is half done, v1 runs twice, v2 is delayed,
        the others wait"""
        self.q.planned(A, *[task(name, rend="v720", work=1000)
                            for name in ("v0", "v1", "v2")],
                       task("join", deps="v0 v1 v2"),
                       task("publish", deps="v0 v1 v2 join", cls="light"))
        self.v0, self.v1, v2 = (self.q.claim() for _ in range(3))
        self.q.renew((self.v0, 500))
        self.assertEqual(self.q.fail(v2, backoff=60000), "delayed")
        self.q.put(A, task="v1",
                   since=int(self.q.field(A, "v1:since")) - 3600000,
                   spec=self.q.field(A, "v1:spec").replace(" 600 ", " 9999 "))
        self.again = self.q.second()
        self.assertEqual(self.again.task, "v1")
        return self.q.hash(A)

    def downgrade(self):
        """the same job as version 2 had it: a field for each of these"""
        now = self.q.hash(A)
        job = words(now.pop("v"), JOB)
        old = dict(now, v="2", **{name: job[name] for name in JOB[1:]})
        for name in now["names"].split():
            t = words(old.pop(name + ":s"), TASK)
            for word in ("second", "succ"):
                t[word] = t[word].replace(",", " ")
            for word, value in t.items():
                if value and (word, value) not in (("n", "0"),
                                                   ("credit", "0")):
                    old[name + ":" + word] = value
        self.redis("DEL", K + "job:" + A)
        self.redis("HSET", K + "job:" + A,
                   *[x for pair in old.items() for x in pair])

    def finish(self):
        self.redis("ZADD", K + "delay", "XX", 1, A + "/v2")
        self.q.sweep()
        names = []
        while True:
            c = self.q.claim()
            if c is None:
                return names
            names.append(c.task)
            self.assertEqual(self.q.complete(c), "ok")

    def test_nothing_is_lost(self):
        before = self.half_done()
        self.downgrade()
        self.assertNotEqual(self.q.hash(A), before)
        self.assertEqual(self.q.renew((self.v0, 500), (self.v1, 0),
                                      (self.again, 0)), ["ok"] * 3)
        self.assertEqual(self.q.hash(A), before)

    def test_whoever_touches_it_first(self):
        ready = [self.finish, lambda: self.q.complete(self.v0),
                 lambda: self.q.complete(self.again),
                 lambda: self.q.fail(self.v1),
                 lambda: self.q.second("w3")]
        for touch in ready:
            with self.subTest(touch=touch):
                self.setUp()
                self.half_done()
                self.downgrade()
                touch()
                self.assertEqual(self.q.complete(self.v0), "ok")
                self.assertEqual(self.q.complete(self.again), "ok")
                self.finish()
                self.assertEqual(self.q.complete(self.v1), "stale")
                self.left_consistent(A)
                self.assertEqual(self.q.state(A), "done")
                self.assertEqual(self.q.progress(A)["done"], "3000")
                self.assertEqual(len(self.q.done()), 1)

    def test_a_ready_task_is_claimed(self):
        self.q.planned(A, task("a"), task("b", deps="a", cls="light"))
        self.downgrade()
        self.assertEqual(self.q.claim().task, "a")

    def test_cancelled(self):
        self.half_done()
        self.downgrade()
        self.assertEqual(self.q.cancel(A), "ok")
        self.assertEqual(self.q.renew((self.v0, 1), (self.again, 1)),
                         ["cancelled"] * 2)
        self.assertEqual({self.q.state(A, t) for t in
                          ("v0", "v1", "v2", "join", "publish")},
                         {"cancelled"})
        self.assertEqual(self.q.count("delay"), 0)

    def test_after_seven_days(self):
        self.half_done()
        self.downgrade()
        self.redis("ZADD", K + "jobs", 1, A)
        self.q.sweep()
        self.assertEqual((self.q.state(A), self.q.field(A, "code")),
                         ("failed", "TIMEOUT"))


if __name__ == "__main__":
    unittest.main()

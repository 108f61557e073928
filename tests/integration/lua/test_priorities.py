#!/usr/bin/env python3
"""What a high priority says of the order of others: nothing."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_queue import ASSET, K, task                           # noqa: E402
from test_transitions import Case                              # noqa: E402

JOBS = [ASSET % c + ".1" for c in "abcdef"]


class Priorities(Case):
    def film(self, n, tasks, cost=1000, project="p1", first=(), **kw):
        """one of which nothing goes ahead of what its project has waiting"""
        for clocks in ("", "/9", "/6"):
            self.redis("HSET", K + "vtime", "ahead:" + project + clocks, 0)
        self.q.planned(JOBS[n], *first, *[task("t%03d" % i, cost=cost, **kw)
                                          for i in range(tasks)],
                       project=project)

    def served(self, n, by="project", **kw):
        """of each project, or job, how many of the next n tasks are"""
        got = {}
        for _ in range(n):
            c = self.q.claim(**kw)
            what = getattr(c, by)
            got[what] = got.get(what, 0) + 1
            self.q.complete(c)
        return got

    def test_who_was_served_less_is_still_next(self):
        self.film(0, 90, first=[task("x", cost=60000)])
        self.film(1, 90, project="p2")
        self.assertEqual(self.served(2), {"p1": 1, "p2": 1})
        self.film(2, 100, project="p3", priority=9)
        self.assertEqual(self.served(100), {"p3": 100})
        # p1 has had 60 times as much
        self.assertGreaterEqual(self.served(50)["p2"], 49)

    def test_so_it_is_among_light_tasks(self):
        gate = [task("gate")]
        for n, (project, priority) in enumerate((("p1", 4), ("p2", 4),
                                                 ("p3", 9))):
            self.film(n, 90, project=project, priority=priority, cls="light",
                      deps="gate", first=gate + [
                          task("a", cost=60000, cls="light", deps="gate")
                      ] * (n == 0))
        a, b, c = (self.q.claim(lights=0) for _ in "abc")
        self.q.complete(a)
        self.q.complete(b)
        light = {"free": 0}
        self.assertEqual(self.served(2, **light), {"p1": 1, "p2": 1})
        self.q.complete(c)
        self.assertEqual(self.served(90, **light), {"p3": 90})
        self.assertGreaterEqual(self.served(50, **light)["p2"], 49)

    def test_a_clip_does_not_wait_for_what_films_were_behind(self):
        self.film(0, 400)
        self.film(1, 400)
        self.served(4)
        self.film(2, 300, priority=6)
        self.assertEqual(self.served(300, "job"), {JOBS[2]: 300})
        self.film(3, 80)
        self.assertIn(self.served(60, "job").get(JOBS[3]), range(19, 22))

    def test_a_project_is_as_far_as_others_of_the_priority(self):
        """whatever it was served with another"""
        self.film(0, 90)
        self.served(80)
        self.film(1, 40, project="p2", priority=9)
        self.served(10)
        for queue in ({}, {"memory": 7}):
            with self.subTest(queue=queue):
                self.film(3 if queue else 2, 40, priority=9, **queue)
                self.assertIn(self.served(20)["p1"], (9, 10, 11))

    def test_a_job_is_as_far_as_others_of_the_priority(self):
        """whatever else it has"""
        self.film(0, 300)
        self.served(250)
        self.film(1, 40, priority=9)
        self.served(10)
        # its others come first in its plan, and wait for long
        self.film(2, 40, deps="u", first=[task("u", cost=10 ** 6)] + [
            task("h%03d" % i, cost=1000, priority=9) for i in range(40)])
        self.assertIn(self.served(20, "job").get(JOBS[2]), (9, 10, 11))

    def test_what_was_claimed_in_vain_is_given_back_there(self):
        for priority in (4, 6):
            self.film(2 * (priority == 6), 90, priority=priority)
            self.film(1 + 2 * (priority == 6), 90, priority=priority,
                      project="p2")
            self.served(2)
            for _ in range(20):
                c = self.q.claim()
                if c.project == "p1":
                    self.q.fail(c, "release", backoff=60000)
                else:
                    self.q.complete(c)
            self.assertIn(self.served(20)["p2"], (9, 10, 11))


if __name__ == "__main__":
    unittest.main()

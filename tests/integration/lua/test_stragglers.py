#!/usr/bin/env python3
"""A task that runs twice: docs/redis-keys.md, straggler."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_queue import ASSET, K, task                           # noqa: E402
from redis_server import RedisError                            # noqa: E402
from test_transitions import Case                              # noqa: E402

A = ASSET % "a" + ".1"


class Pair(Case):
    """one encode and publish behind it; the encode is an hour late"""

    def begin(self, attempts=3, labels="", **kw):
        self.q.planned(A, task("v0.0", rend="v360", work=1000,
                               attempts=attempts, labels=labels, **kw),
                       task("publish", deps="v0.0", cls="light"))
        c = self.q.claim(labels=labels)
        self.late(c)
        return c

    def late(self, c, ms=3600000):
        """this run began so much sooner"""
        since = int(self.q.field(A, c.task + ":since")) - ms
        self.q.put(A, task=c.task, since=since,
                   spec=self.q.field(A, c.task + ":spec")
                   .replace(" 600 ", " 9999 "))

    def now(self):
        s, us = self.redis("TIME")
        return int(s) * 1000 + int(us) // 1000

    def ran(self, c, ms):
        """this run began so long ago"""
        since = int(self.q.field(A, c.task + ":since"))
        self.late(c, ms - (self.now() - since))

    def pair(self, **kw):
        first = self.begin(**kw)
        second = self.q.second()
        self.assertEqual((second.job, second.task), (A, "v0.0"))
        return first, second

    def lose(self, *leases):
        """these leases are over"""
        for key in leases:
            self.redis("ZADD", K + key, "XX", 1, A + "/v0.0")

    def alone(self):
        """nothing tells of a second run"""
        self.assertIn(self.q.field(A, "v0.0:second"), (None, "-"))
        self.assertEqual(self.q.count("second"), 0)

    def events(self, t="v0.0"):
        out = []
        for _, flat in self.redis("XRANGE", K + "events", "-", "+"):
            e = dict(zip(flat[::2], flat[1::2]))
            if e["task"] == t:
                out.append((e["state"], e["worker"]))
        return out


class Claims(Pair):
    def test_is_a_claim_with_a_token_of_its_own(self):
        first, second = self.pair()
        self.assertNotEqual(first.token, second.token)
        self.assertGreater(int(second.token.split("-")[0]),
                           int(first.token.split("-")[0]))
        for name in ("type", "payload", "project", "pipeline", "queue"):
            self.assertEqual(getattr(first, name), getattr(second, name))
        self.assertEqual((first.attempt, second.attempt), ("1", "2"))
        self.assertEqual(self.q.state(A, "v0.0"), "running")
        self.assertEqual(self.q.field(A, "v0.0:token"), first.token)
        self.assertEqual(self.q.field(A, "v0.0:worker"), "w1")
        self.assertEqual(self.q.field(A, "v0.0:second").split(",")[0],
                         second.token)
        self.assertEqual(self.events(), [("running", "w1"),
                                         ("second", "w2")])

    def test_one_second_run_on_another_worker(self):
        self.begin()
        self.assertIsNone(self.q.second(worker="w1"))
        self.assertIsNotNone(self.q.second(worker="w2"))
        self.assertIsNone(self.q.second(worker="w3"))

    def test_not_without_room(self):
        self.begin(slots=2, memory=100, labels="gpu")
        for kw in ({"free": 1}, {"room": 99}, {"labels": "x,gpux"}):
            self.assertIsNone(self.q.second(**{"labels": "gpu", **kw}))
        self.assertIsNotNone(self.q.second(labels="x,gpu"))

    def test_not_while_something_is_ready_for_the_worker(self):
        self.begin()
        other = ASSET % "b" + ".1"
        self.q.planned(other, task("v0.0", slots=9, labels="gpu"))
        # it does not fit: but room is made for it there
        self.assertIsNone(self.q.second(labels="gpu"))
        # this one can never have it
        self.assertIsNotNone(self.q.second())

    def test_not_what_may_have_no_second_run(self):
        for type in ("publish", "exec", "poster", "storyboard",
                     "extract_subtitles", "plan"):
            self.redis("FLUSHALL")
            self.begin(type=type)
            self.assertIsNone(self.q.second(), type)
        self.redis("FLUSHALL")
        self.begin(attempts=1)
        self.assertIsNone(self.q.second())
        self.redis("FLUSHALL")
        self.begin(slots=0)
        self.assertIsNone(self.q.second())

    def test_late_by_the_plan_without_a_pace(self):
        # an estimate of 20 s: twice that is expected, late is twice as much
        c = self.begin(cost=20000)
        for ms, late in ((79000, False), (81000, True)):
            self.late(c, -3600000)
            self.late(c, ms)
            self.assertEqual(self.q.second() is not None, late, ms)
            self.late(c, -ms + 3600000)

    def test_late_by_the_pace_of_the_others(self):
        self.q.planned(A, *[task("v%d.0" % i, cost=20000) for i in range(4)],
                       task("publish", deps="v0.0", cls="light"))
        begun = self.now()
        claims = [self.q.claim() for _ in range(4)]
        for c in claims[:3]:
            self.late(c, 60000)         # each took three times its estimate
            self.q.complete(c)
        n, took, estimated = map(int, self.q.field(
            A, "pace:encode_video").split())
        self.assertEqual((n, estimated), (3, 60000))
        self.assertGreaterEqual(took, 180000)
        self.assertLessEqual(took, 180000 + 3 * (self.now() - begun))
        # expected is what they took, late twice as much
        twice = 2 * took // 3
        self.ran(claims[3], twice - 5000)
        self.assertIsNone(self.q.second(beyond=0))
        self.ran(claims[3], twice + 5000)
        self.assertIsNone(self.q.second(beyond=twice // 2 + 10000))
        self.assertIsNotNone(self.q.second(beyond=twice // 2))

    def test_not_when_it_will_be_there_sooner(self):
        c = self.begin(cost=20000)
        self.late(c, 81000 - 3600000)
        self.assertEqual(self.q.renew((c, 700)), ["ok"])
        self.assertIsNone(self.q.second())
        self.late(c, 60000)             # as much in a longer time
        self.assertIsNotNone(self.q.second())

    def test_few_of_one_job(self):
        self.q.planned(A, *[task("v%d.0" % i) for i in range(6)])
        for _ in range(6):
            self.late(self.q.claim())
        n = sum(self.q.second(worker="w%d" % (i + 2)) is not None
                for i in range(6))
        self.assertEqual(n, 4)

    def test_refuses_bad_arguments(self):
        good = ["w", "0" * 16, 1, 1, 1, 1, ""]
        for i, bad in ((0, ""), (0, "a b"), (1, "0"), (1, "g" * 16), (2, 0),
                       (3, "x"), (4, "-1"), (5, "")):
            argv = good[:i] + [bad] + good[i + 1:]
            with self.assertRaises(RedisError):
                self.q.eval("straggler", "lease", *argv)


class Races(Pair):
    def test_second_wins(self):
        first, second = self.pair()
        self.assertEqual(self.q.complete(second), "ok")
        self.assertEqual(self.q.state(A, "v0.0"), "done")
        self.assertEqual(self.q.state(A, "publish"), "ready")
        self.assertEqual(self.q.field(A, "v0.0:worker"), "w2")
        # asked again, since the answer was lost
        self.assertEqual(self.q.complete(second), "ok")
        self.assertEqual(self.q.renew((first, 900)), ["stale"])
        self.assertEqual(self.q.fail(first), "stale")
        self.assertEqual(self.q.complete(first), "stale")
        self.alone()
        self.assertEqual(self.q.count("lease"), 0)
        self.left_consistent(A)
        self.assertEqual(self.q.complete(self.q.claim()), "ok")
        self.assertEqual(self.q.state(A), "done")
        self.assertEqual(self.events()[-1], ("done", "w2"))

    def test_first_wins(self):
        first, second = self.pair()
        self.assertEqual(self.q.complete(first), "ok")
        self.assertEqual(self.q.renew((second, 900)), ["stale"])
        self.assertEqual(self.q.fail(second), "stale")
        self.assertEqual(self.q.complete(second), "stale")
        self.assertEqual(self.q.complete(first), "ok")
        self.alone()
        self.left_consistent(A)
        self.assertEqual(self.q.progress(A)["done:v360"], "1000")
        self.assertEqual(self.events()[-1], ("done", "w1"))

    def test_both_are_renewed_and_the_one_ahead_counts(self):
        first, second = self.pair()
        self.lose("lease", "second")
        self.assertEqual(self.q.renew((first, 500), (second, 200)),
                         ["ok", "ok"])
        self.assertEqual(self.q.progress(A)["done:v360"], "500")
        self.assertEqual(self.q.renew((first, 500), (second, 700)),
                         ["ok", "ok"])
        self.assertEqual(self.q.renew((first, 500)), ["ok"])
        self.assertEqual(self.q.progress(A)["done:v360"], "700")
        self.assertEqual(self.q.sweep(), [0, 0, 0])

    def test_first_fails_and_second_wins(self):
        for cls, tries in (("retry", "2"), ("fail", "2"), ("release", "1")):
            self.redis("FLUSHALL")
            first, second = self.pair()
            self.assertEqual(self.q.fail(first, cls), "running")
            self.assertEqual(self.q.state(A, "v0.0"), "running")
            self.assertEqual(self.q.field(A, "v0.0:n"), tries)
            self.assertEqual(self.q.field(A, "v0.0:worker"), "w2")
            self.alone()
            self.assertEqual(self.q.count("lease"), 1)
            self.assertEqual(self.q.renew((first, 1), (second, 1)),
                             ["stale", "ok"])
            self.assertEqual(self.q.complete(first), "stale")
            self.assertEqual(self.q.complete(second), "ok")
            self.assertEqual(self.events(), [
                ("running", "w1"), ("second", "w2"), ("alone", "w2"),
                ("done", "w2")])
            self.left_consistent(A)

    def test_second_fails_and_first_wins(self):
        for cls, tries in (("retry", "2"), ("fail", "2"), ("release", "1")):
            self.redis("FLUSHALL")
            first, second = self.pair()
            self.assertEqual(self.q.fail(second, cls), "running")
            self.assertEqual(self.q.field(A, "v0.0:n"), tries)
            self.alone()
            self.assertEqual(self.q.complete(second), "stale")
            # one second run of a run
            self.assertIsNone(self.q.second(worker="w3"))
            self.assertEqual(self.q.renew((first, 1)), ["ok"])
            self.assertEqual(self.q.complete(first), "ok")
            self.assertEqual(self.q.field(A, "v0.0:second"), None)
            self.assertEqual(self.events()[-2:], [("alone", "w1"),
                                                  ("done", "w1")])

    def test_both_fail(self):
        first, second = self.pair()
        self.assertEqual(self.q.fail(first), "running")
        self.assertEqual(self.q.fail(second), "delayed")
        self.assertEqual(self.q.count("delay"), 1)
        self.assertEqual(self.q.count("lease"), 0)
        third = self.q.claim(free=8)
        self.assertEqual(third.attempt, "3")
        self.assertEqual(self.q.fail(third), "failed")
        self.assertEqual(self.q.state(A), "failed")

    def test_failure_for_good_waits_for_the_other(self):
        first, second = self.pair(attempts=2)
        self.assertEqual(self.q.fail(second, "fail", "BAD_MEDIA"), "running")
        self.assertEqual(self.q.state(A), "running")
        self.assertEqual(self.q.fail(first, "retry", "CRASHED"), "failed")
        self.assertEqual(len(self.redis("XRANGE", K + "quarantine", "-",
                                        "+")), 1)

    def test_both_lose_their_leases(self):
        first, second = self.pair()
        self.lose("lease", "second")
        self.assertEqual(self.q.sweep(), [2, 0, 0])
        self.assertEqual(self.q.state(A, "v0.0"), "delayed")
        self.assertEqual(self.q.field(A, "v0.0:n"), "2")
        self.assertEqual(self.q.field(A, "v0.0:second"), None)
        for c in (first, second):
            self.assertEqual(self.q.renew((c, 1)), ["stale"])
            self.assertEqual(self.q.complete(c), "stale")
        self.redis("ZADD", K + "delay", 1, A + "/v0.0")
        third = self.q.claim()
        self.assertEqual((third.task, third.attempt), ("v0.0", "3"))
        self.assertEqual(self.q.complete(second), "stale")
        self.assertEqual(self.q.complete(third), "ok")

    def test_first_loses_its_lease(self):
        first, second = self.pair()
        self.lose("lease")
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.assertEqual(self.q.state(A, "v0.0"), "running")
        self.assertEqual(self.q.field(A, "v0.0:n"), "2")
        self.alone()
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.complete(first), "stale")
        # and a second run of this one, when it is as late
        self.late(second)
        third = self.q.second(worker="w3")
        self.assertEqual(third.attempt, "3")
        self.assertEqual(self.q.complete(second), "ok")
        self.assertEqual(self.q.complete(third), "stale")

    def test_second_loses_its_lease(self):
        first, second = self.pair()
        self.lose("second")
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.alone()
        self.assertEqual(self.q.complete(second), "stale")
        self.assertEqual(self.q.complete(first), "ok")

    def test_each_run_has_its_own_deadline(self):
        first, second = self.pair()
        self.late(first, 9999000)
        self.assertEqual(self.q.renew((first, 1), (second, 1)),
                         ["stale", "ok"])
        self.lose("lease")
        self.assertEqual(self.q.sweep(), [0, 0, 1])
        self.assertEqual(self.q.renew((second, 1)), ["ok"])
        self.assertEqual(self.q.complete(second), "ok")

    def test_cancel_stops_both(self):
        first, second = self.pair()
        self.assertEqual(self.q.cancel(A), "ok")
        self.assertEqual(self.q.renew((second, 1), (first, 1)),
                         ["cancelled", "stale"])
        self.assertEqual(self.q.state(A, "v0.0"), "cancelled")
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.count("second"), 0)

    def test_silent_runs_of_a_cancelled_job_are_swept(self):
        first, second = self.pair()
        self.q.cancel(A)
        self.lose("lease", "second")
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.state(A, "v0.0"), "cancelled")
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.count("second"), 0)
        self.assertEqual(self.q.complete(second), "stale")
        self.assertEqual(self.q.complete(first), "stale")
        self.assertEqual(self.q.state(A), "cancelled")

    def test_redis_lost_everything_meanwhile(self):
        first, second = self.pair()
        self.redis("FLUSHALL")
        third = self.begin()
        self.assertEqual(self.q.complete(second), "stale")
        self.assertEqual(self.q.renew((first, 1), (second, 1)),
                         ["stale", "stale"])
        self.assertEqual(self.q.complete(third), "ok")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Every transition of docs/redis-keys.md against a real Redis."""

import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_queue import ASSET, K, Queue, task                    # noqa: E402
from redis_server import RedisError, Server                    # noqa: E402

A = ASSET % "a" + ".1"
A2 = ASSET % "0" + ".1"
B = ASSET % "b" + ".1"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.redis = cls.server.connect()

    @classmethod
    def tearDownClass(cls):
        cls.redis.close()
        cls.server.stop()

    def setUp(self):
        self.redis("FLUSHALL")
        self.q = Queue(self.redis)

    def cpu_s(self):
        """of Redis"""
        return sum(float(x.split(":")[1])
                   for x in self.redis("INFO", "cpu").split()
                   if x.startswith(("used_cpu_user:", "used_cpu_sys:")))

    def left_consistent(self, job):
        """left = tasks that are not done"""
        h = self.q.hash(job)
        names = h["names"].split()
        self.assertEqual(len(names), int(h["tasks"]))
        open_ = [n for n in names if h[n + ":s"].split()[0] != "done"]
        self.assertEqual(len(open_), int(self.q.field(job, "left")))


class Shards(Case):
    """each shard holds how many there are"""

    def shards(self, *argv):
        return self.q.eval("shards", "shards", *argv)

    def submit(self, job, *n):
        asset, publication = job.split(".")
        return self.q.eval("submit", "job:" + job, job, asset, publication,
                           "p", "default", 1, "{}", 3, 60, *n)

    def test_the_first_says_it(self):
        self.assertEqual(self.shards(4), ["4", "0"])
        self.assertEqual(self.shards(2), ["4", "0"])
        self.assertEqual(self.redis("GET", K + "shards"), "4")

    def test_there_was_one_before_it_was_written(self):
        self.q.submit(A)
        self.redis("DEL", K + "shards")
        self.assertEqual(self.shards(4), ["1", "1"])
        self.assertEqual(self.redis("GET", K + "shards"), "1")
        self.redis("DEL", K + "shards")
        with self.assertRaises(RedisError):
            self.submit(B, 4)

    def test_the_others_were_never_alone(self):
        k = K.replace("r0", "r2")
        self.redis("ZADD", k + "jobs", 1, A)
        self.assertEqual(self.redis("EVAL", self.q.text["shards"], 1,
                                    k + "shards", k, 4), ["4", "1"])

    def test_a_job_says_it_to_a_redis_that_lost_all(self):
        self.shards(4)
        self.redis("FLUSHALL")
        self.assertEqual(self.submit(A, 4), ["ok"])
        self.assertEqual(self.shards(4), ["4", "1"])
        self.assertEqual(self.shards(1), ["4", "1"])
        with self.assertRaises(RedisError):
            self.submit(B, 1)

    def test_changes_when_no_job_is_left(self):
        self.shards(1)
        self.q.submit(A)
        self.assertEqual(self.shards(4, 1), ["1", "1"])
        self.q.cancel(A)
        self.assertEqual(self.shards(4, 3), ["1", "0"])
        self.assertEqual(self.shards(4, 1), ["4", "0"])

    def test_refuses_numbers_that_are_none(self):
        for n in (0, 65, "x", -1, ""):
            with self.assertRaises(RedisError):
                self.shards(n)

    def test_a_job_of_another_number_is_not_taken(self):
        self.shards(4)
        for n in ((), (1,), (3,)):
            with self.assertRaises(RedisError) as e:
                self.submit(A, *n)
            self.assertIn("has 4 shards", str(e.exception))
        with self.assertRaises(RedisError):
            self.submit(A, 65)
        self.assertEqual(self.redis("EXISTS", K + "job:" + A), 0)
        self.assertEqual(self.submit(A, 4), ["ok"])


class Submit(Case):
    def test_makes_inspect_and_plan(self):
        self.assertEqual(self.q.submit(A, payload='{"x":1}'), "ok")
        self.assertEqual(self.q.state(A), "running")
        self.assertEqual(self.q.state(A, "inspect"), "ready")
        self.assertEqual(self.q.state(A, "plan"), "waiting")
        self.assertEqual(self.q.field(A, "left"), "2")
        self.assertEqual(self.q.field(A, "inspect:payload"), '{"x":1}')
        self.assertEqual(self.q.ready("0:0:"), [A + "/inspect"])
        self.assertEqual(self.q.count("jobs"), 1)
        self.assertEqual(self.q.progress(A)["state"], "queued")

    def test_writes_the_catalog(self):
        self.q.submit(A, project="p1", created=4711)
        self.assertEqual(
            self.redis("ZRANGE", K + "catalog:p1", 0, -1, "WITHSCORES"),
            [ASSET % "a", "4711"])

    def test_is_idempotent(self):
        self.q.submit(A)
        c = self.q.claim()
        self.assertEqual(self.q.submit(A, payload="{}"), "exists")
        self.assertEqual(self.q.state(A, "inspect"), "running")
        self.assertEqual(self.q.ready("0:0:"), [])
        self.assertEqual(self.q.complete(c), "ok")

    def test_exists_while_only_the_marker_is_left(self):
        self.q.submit(A)
        self.redis("DEL", K + "job:" + A)
        self.assertEqual(self.q.submit(A), "exists")

    def test_works_again_after_flushall(self):
        self.q.planned(A, task("v0.0"))
        self.redis("FLUSHALL")
        self.q.planned(A, task("v0.0"))
        c = self.q.claim()
        self.assertEqual(self.q.complete(c), "ok")
        self.assertEqual(self.q.state(A), "done")

    def test_refuses_bad_arguments_without_writing(self):
        for argv in [
                (A,),
                (A, ASSET % "a", "2", "p", "default", 1, "{}", 3, 60),
                (A, ASSET % "a", "1", "p", "default", "x", "{}", 3, 60),
                (A, ASSET % "a", "1", "p", "default", 1, "{}", 0, 60),
                (A, ASSET % "a", "1", "p", "default", 1, "{}", 3, 0),
                (A, ASSET % "a", "1", "p q", "default", 1, "{}", 3, 60),
                (A, ASSET % "a", "1", "p", "de fault", 1, "{}", 3, 60),
                (A, ASSET % "a", "1", "p", "", 1, "{}", 3, 60),
                (A, ASSET % "a", "1", "p", "default", 1, "{}", 3, 60, 1, 9)]:
            with self.assertRaises(RedisError):
                self.q.eval("submit", "job:" + A, *argv)
        with self.assertRaises(RedisError):
            self.q.eval("submit", "job:" + B, A, ASSET % "a", "1", "p",
                        "default", 1, "{}", 3, 60)
        self.assertEqual(self.redis("DBSIZE"), 0)


class Step(Case):
    def test_claims_inspect_then_plan(self):
        self.q.submit(A, payload='{"a":"b"}', timeout=77)
        c = self.q.claim(worker="w9")
        self.assertEqual((c.job, c.task, c.type), (A, "inspect", "inspect"))
        self.assertEqual((c.payload, c.attempt, c.timeout),
                         ('{"a":"b"}', "1", "77"))
        self.assertEqual((c.project, c.pipeline), ("p1", "default"))
        self.assertEqual(self.q.field(A, "inspect:worker"), "w9")
        self.assertEqual(self.q.count("lease"), 1)
        outcome, d = self.q.step(c)
        self.assertEqual((outcome, d.task), ("ok", "plan"))
        self.assertEqual(self.q.state(A, "inspect"), "done")
        self.assertEqual(self.q.count("lease"), 1)
        self.left_consistent(A)

    def test_none_when_nothing_is_ready(self):
        self.assertEqual(self.q.step(), ("none", None))
        self.q.submit(A)
        self.assertEqual(self.q.step(lights=0), ("none", None))

    def test_fence_begins_at_the_clock_and_grows(self):
        self.q.planned(A, task("v0.0"), task("v1.0"))
        self.redis("HDEL", K + "vtime", "fence")
        now = self.redis("TIME")
        us = int(now[0]) * 1000000 + int(now[1])
        one = int(self.q.claim().token.split("-")[0])
        two = int(self.q.claim().token.split("-")[0])
        self.assertTrue(us < one < us + 60 * 1000000)
        self.assertEqual(two, one + 1)

    def test_token_holds_the_nonce(self):
        self.q.submit(A)
        c = self.q.claim()
        self.assertEqual(c.token.split("-")[1], "%016x" % self.q.nonce)
        self.assertEqual(self.q.field(A, "inspect:token"), c.token)

    def test_both_halves_of_the_token_are_compared(self):
        self.q.submit(A)
        c = self.q.claim()
        good = c.token
        fence, nonce = good.split("-")
        for token in (str(int(fence) + 1) + "-" + nonce,
                      fence + "-" + "f" * 16, fence, ""):
            c.token = token
            self.assertEqual(self.q.complete(c), "stale")
        c.token = good
        self.assertEqual(self.q.complete(c), "ok")

    def test_double_complete_counts_once(self):
        self.q.planned(A, task("v0.0", rend="v360", work=100),
                       task("publish", deps="v0.0", cls="light"))
        c = self.q.claim()
        self.assertEqual(self.q.complete(c), "ok")
        before = self.q.hash(A)
        # the answer was lost; the same worker asks again
        self.assertEqual(self.q.complete(c), "ok")
        self.assertEqual(self.q.hash(A), before)
        self.left_consistent(A)
        self.assertEqual(self.q.progress(A)["done:v360"], "100")

    def test_successor_waits_for_all(self):
        self.q.planned(A, task("a"), task("b"),
                       task("c", deps="a b", cls="light"))
        one, two = self.q.claim(), self.q.claim()
        self.q.complete(one)
        self.assertEqual(self.q.state(A, "c"), "waiting")
        self.q.complete(two)
        self.assertEqual(self.q.state(A, "c"), "ready")
        self.assertEqual(self.q.complete(self.q.claim()), "ok")
        self.assertEqual(self.q.state(A), "done")

    def test_job_ends_done(self):
        self.q.planned(A, task("a"))
        self.assertEqual(self.q.step(self.q.claim()), ("ok", None))
        self.assertEqual(self.q.state(A), "done")
        self.assertEqual(self.q.field(A, "left"), "0")
        self.assertEqual(self.q.done(), [
            {"job": A, "asset": ASSET % "a", "publication": "1",
             "state": "done"}])
        self.assertEqual(self.q.count("jobs"), 0)
        self.assertEqual(self.q.count("lease"), 0)
        p = self.q.progress(A)
        self.assertEqual((p["state"], p["percent"]), ("completed", "100"))
        for key in ("job:", "progress:", "submitted:"):
            ttl = self.redis("TTL", K + key + A)
            self.assertTrue(86000 < ttl <= 86400, (key, ttl))

    def test_unfinished_jobs_do_not_expire(self):
        self.q.planned(A, task("a"))
        for key in ("job:", "progress:", "submitted:"):
            self.assertEqual(self.redis("TTL", K + key + A), -1)

    def test_stale_after_the_lease_ended_and_the_task_went_on(self):
        self.q.planned(A, task("a"))
        old = self.q.claim(worker="w1", lease=1)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.redis("ZADD", K + "delay", 0, A + "/a")    # due at once
        new = self.q.claim(worker="w2")
        self.assertEqual((new.task, new.attempt), ("a", "2"))
        self.assertEqual(self.q.complete(old), "stale")
        self.assertEqual(self.q.state(A, "a"), "running")
        self.assertEqual(self.q.renew((old, 10)), ["stale"])
        self.assertEqual(self.q.fail(old), "stale")
        self.assertEqual(self.q.complete(new), "ok")
        self.assertEqual(self.q.complete(old), "stale")
        self.assertEqual(self.q.state(A), "done")

    def test_completing_an_unknown_job_is_stale(self):
        self.q.submit(A)
        c = self.q.claim()
        self.redis("DEL", K + "job:" + A)
        self.assertEqual(self.q.complete(c), "stale")

    def test_schema_of_the_future_is_skipped_and_kept(self):
        self.q.submit(A)
        self.redis("HSET", K + "job:" + A, "v", "4 running 2 p1 default")
        self.assertIsNone(self.q.claim())
        self.q.submit(B)
        self.assertEqual(self.q.claim().job, B)
        self.assertEqual(self.q.ready("0:0:"), [A + "/inspect"])
        self.assertEqual(self.q.cancel(A), "none")

    def test_ready_entries_of_vanished_jobs_are_dropped(self):
        self.q.submit(A)
        self.redis("DEL", K + "job:" + A)
        self.q.submit(B)
        self.assertEqual(self.q.claim().job, B)
        self.assertEqual(self.q.ready("0:0:"), [])

    def test_moves_due_tasks_first(self):
        self.q.planned(A, task("a"))
        self.assertEqual(self.q.fail(self.q.claim()), "delayed")
        self.assertEqual(self.q.claim().attempt, "2")
        self.assertEqual(self.q.count("delay"), 0)

    def test_what_is_due_is_not_kept_waiting_by_others(self):
        self.q.planned(A, *[task("t%02d" % i) for i in range(20)])
        self.q.fail(self.q.claim())
        fence = int(self.redis("HGET", K + "vtime", "fence"))
        for n in range(fence + 1, fence + 9):
            self.assertEqual(self.q.count("delay"), 1)
            self.assertTrue(self.q.claim().token.startswith("%d-" % n))
            if n % 8 == 0:
                break
        self.assertEqual(self.q.count("delay"), 0)
        self.assertEqual(self.q.state(A, "t00"), "ready")

    def test_the_stream_of_events_is_trimmed(self):
        self.redis("EVAL", "for i = 1, 12000 do redis.call('XADD', KEYS[1], "
                   "'*', 'job', 'x') end", 1, K + "events")
        self.redis("HSET", K + "vtime", "fence", 63)
        self.q.submit(A)
        self.assertTrue(self.q.claim().token.startswith("64-"))
        self.assertLess(self.redis("XLEN", K + "events"), 10200)

    def test_wakes_sleepers(self):
        ear = self.server.connect()
        self.addCleanup(ear.close)
        ear("SUBSCRIBE", K + "wake")
        self.q.submit(A)
        self.assertEqual(ear._read(), ["message", K + "wake", "0:0:"])

    def test_refuses_bad_arguments(self):
        for argv in [("w", "0" * 15, 1, "", ""),
                     ("w", "G" * 16, 1, "", ""),
                     ("w", "0" * 16, 0, "", ""),
                     ("w 1", "0" * 16, 1, "", ""),
                     ("w", "0" * 16, 1, "", "", A, "", "1-0"),
                     ("w", "0" * 16, 1, "", "", "", "t", "1-0"),
                     ("w", "0" * 16, 1, "", "", A, "t"),
                     ("w", "0" * 16, 1, "")]:
            with self.assertRaises(RedisError):
                self.q.eval("step", "lease", *argv)
        with self.assertRaises(RedisError):
            self.redis("EVAL", self.q.text["step"], 1, "other:lease", K, "w",
                       "0" * 16, 1, "", "")


class Fair(Case):
    def order(self, n):
        out = []
        for _ in range(n):
            c = self.q.claim()
            out.append(("A" if c.job in (A, A2) else "B") + c.task)
        return out

    def test_two_jobs_interleave(self):
        self.q.planned(A, *[task("t%d" % i, cost=1000) for i in range(4)])
        self.q.planned(B, *[task("t%d" % i, cost=1000) for i in range(4)])
        self.assertEqual(self.order(8), ["At0", "Bt0", "At1", "Bt1", "At2",
                                         "Bt2", "At3", "Bt3"])

    def test_a_late_job_does_not_wait_for_the_backlog(self):
        self.q.planned(A, *[task("t%02d" % i, cost=1000) for i in range(50)])
        self.order(10)
        self.q.planned(B, task("t0", cost=1000))
        # at most the one task whose tag is V already goes before it
        self.assertIn("Bt0", self.order(2))

    def test_cheap_tasks_get_their_share(self):
        self.q.planned(A, *[task("t%d" % i, cost=4000) for i in range(3)])
        self.q.planned(B, *[task("t%d" % i, cost=1000) for i in range(6)])
        got = self.order(6)
        self.assertEqual(got[0], "At0")
        self.assertEqual([x for x in got[1:] if x[0] == "B"],
                         ["Bt0", "Bt1", "Bt2", "Bt3"])

    def test_light_tasks_do_not_wait_behind_their_own_encodes(self):
        self.q.planned(A, *[task("t%d" % i, cost=10 ** 6) for i in range(9)],
                       task("show", deps="t0", cls="light", cost=10 ** 6))
        self.assertEqual(self.q.step(self.q.claim(), free=0)[1].task, "show")
        self.assertEqual(self.q.field(A, "finish"), str(9 * 10 ** 6))

    def test_light_tasks_of_the_oldest_job_go_first(self):
        self.q.submit(A)
        self.q.submit(B)
        self.q.planned(A2, task("t0"))
        inspect = self.q.claim(free=0)
        self.assertEqual((inspect.job, inspect.task), (A, "inspect"))
        self.q.complete(self.q.claim())         # the clock goes on
        plan = self.q.step(inspect, free=0)[1]
        self.assertEqual((plan.job, plan.task), (A, "plan"))

    def test_projects_share_whatever_they_have_waiting(self):
        self.q.planned(A, *[task("t%02d" % i, cost=1000) for i in range(40)])
        self.q.planned(A2, *[task("t%02d" % i, cost=1000)
                             for i in range(40)])
        self.order(10)
        self.q.planned(B, *[task("t%02d" % i, cost=1000) for i in range(40)],
                       project="p2")
        got = [x[0] for x in self.order(20)]
        self.assertIn(got.count("B"), (9, 10, 11))

    def test_a_project_that_was_idle_has_no_credit(self):
        self.q.planned(B, task("t0", cost=1000), project="p2")
        self.q.complete(self.q.claim())
        self.q.planned(A, *[task("t%02d" % i, cost=1000) for i in range(40)])
        self.order(30)
        self.q.planned(ASSET % "c" + ".1", *[
            task("t%02d" % i, cost=1000) for i in range(40)], project="p2")
        got = [x[0] for x in self.order(10)]
        self.assertIn(got.count("B"), (4, 5, 6))

    def test_service_in_one_queue_counts_in_all(self):
        self.q.planned(A, *[task("t%02d" % i, cost=1000) for i in range(9)],
                       *[task("u%02d" % i, cost=1000, memory=7)
                         for i in range(9)])
        self.q.planned(B, *[task("t%02d" % i, cost=1000)
                            for i in range(18)], project="p2")
        got = [x[0] for x in self.order(12)]
        self.assertIn(got.count("B"), (5, 6, 7))

    def test_a_new_job_begins_before_the_backlog_but_not_for_ever(self):
        self.q.planned(A, *[task("t%03d" % i, cost=10000)
                            for i in range(200)])
        self.order(24)                      # what was ahead is given back
        got = []
        for n in range(40):
            self.q.planned(ASSET % "1" + ".%d" % (n + 1),
                           task("v0", cost=2000), task("v1", cost=8000))
            got += [x[0] for x in self.order(2)]
        # 120 s of it go before, then the film goes on
        self.assertEqual(got[:24].count("B"), 24)
        self.assertGreater(got[24:].count("A"), 1)

    def test_all_of_a_clip_goes_before_the_chunks_of_films(self):
        for n in range(10):
            self.q.planned(ASSET % "0" + ".%d" % (n + 1),
                           *[task("v%d.0" % i, cost=37000)
                             for i in range(9)])
        self.order(24)
        self.q.planned(B, task("v0.0", cost=1500), task("v0.1", cost=12000),
                       task("v1.0", cost=18000), task("a0", cost=260),
                       task("storyboard", cost=1000))
        got = [x[0] for x in self.order(5)]
        self.assertEqual(got.count("B"), 5)

    def test_priority_goes_first(self):
        self.q.planned(A, *[task("t%d" % i) for i in range(3)])
        self.q.planned(B, task("low", priority=0), task("mid"),
                       task("high", priority=9, memory=5), project="p2")
        got = self.order(6)
        self.assertEqual((got[0], got[5]), ("Bhigh", "Blow"))

    def test_one_that_comes_again_has_waited_already(self):
        self.q.planned(A, *[task("t%d" % i, cost=40000) for i in range(4)])
        self.q.planned(A2, *[task("t%d" % i, cost=40000) for i in range(4)])
        first, second = self.q.claim(), self.q.claim()
        finish = self.q.field(A, "finish")
        for c in (first, second):
            self.q.fail(c, "release", backoff=0)
        self.q.sweep()
        self.assertEqual(sorted(self.order(2)), ["At0", "At0"])
        self.assertEqual(self.q.field(A, "finish"), finish)
        self.assertEqual(self.order(2), ["At1", "At1"])

    def test_plan_order_within_one_call(self):
        self.q.planned(A, task("z", cost=5), task("m", cost=5),
                       task("a", cost=5))
        self.assertEqual(self.order(3), ["Az", "Am", "Aa"])


class Fit(Case):
    def ready_since(self, job, t, ms):
        since = int(self.q.field(job, t + ":since"))
        self.q.put(job, task=t, since=since - ms)

    def test_only_what_fits(self):
        self.q.planned(A, task("wide", slots=4), task("big", memory=4000),
                       task("gpu", labels="nvenc,gpu,gpu"))
        self.assertIsNone(self.q.claim(free=3, room=3000))
        self.assertIsNone(self.q.claim(free=3, room=3000, labels="gpu"))
        c = self.q.claim(free=3, room=3000, labels="av1,gpu,nvenc")
        self.assertEqual((c.task, c.queue), ("gpu", "1:0:gpu,nvenc"))
        self.assertEqual(self.q.claim(free=3, room=4000).task, "big")
        c = self.q.claim(free=4, room=0)
        self.assertEqual((c.task, c.queue), ("wide", "4:0:"))
        self.assertEqual(self.redis("SMEMBERS", K + "queues"), [])

    def test_a_job_goes_by_its_plan_whatever_each_task_needs(self):
        needs = (300, 0, 500, 100, 500, 200, 0, 400)
        self.q.planned(A, *[task("t%d" % i, memory=m)
                            for i, m in enumerate(needs)])
        self.assertEqual([self.q.claim().task for _ in needs],
                         ["t%d" % i for i in range(len(needs))])

    def test_the_light_slot_takes_light_tasks_only(self):
        self.q.planned(A, task("a"), task("b", cls="light"))
        self.assertIsNone(self.q.claim(free=0, lights=0))
        self.assertEqual(self.q.claim(lights=1).task, "a")
        self.assertEqual(self.q.claim(lights=1).task, "b")
        self.q.planned(B, task("a"), task("b", cls="light"))
        self.assertEqual(self.q.claim(lights=2).task, "b")
        self.assertIsNone(self.q.claim(free=0))

    def test_small_tasks_do_not_pass_a_large_one_for_ever(self):
        self.q.planned(A, task("wide", slots=4), *[
            task("t%d" % i) for i in range(9)], task("l", cls="light"))
        self.assertEqual(self.q.claim(free=2, lights=0).task, "t0")
        self.ready_since(A, "wide", 10001)
        # this one lets its slots come free, another worker goes on
        self.assertEqual(self.q.claim(free=2).task, "l")
        self.assertIsNone(self.q.claim(free=2))
        self.assertTrue(self.q.reserved)
        self.assertIsNone(self.q.claim(free=0))
        self.assertFalse(self.q.reserved)
        self.assertEqual(self.q.claim(free=2, worker="w2").task, "t1")
        self.assertIsNone(self.q.claim(free=3))
        self.assertTrue(self.q.reserved)
        self.assertEqual(self.q.claim(free=4).task, "wide")
        self.assertEqual(self.q.claim(free=2).task, "t2")

    def test_a_large_task_of_low_priority_waits(self):
        self.q.planned(A, task("wide", slots=4, priority=1), task("a"))
        self.ready_since(A, "wide", 10001)
        self.assertEqual(self.q.claim(free=2).task, "a")
        self.assertIsNone(self.q.claim(free=2))

    def test_larger_than_any_worker_runs_alone(self):
        self.q.planned(A, task("wide", slots=99), task("a"))
        self.assertEqual(self.q.claim().task, "a")
        self.ready_since(A, "wide", 20001)
        self.assertIsNone(self.q.claim(free=7))
        self.assertEqual(self.q.claim(free=8).task, "wide")

    def test_a_light_task_waits_for_memory_but_not_for_ever(self):
        self.q.planned(A, task("mem", cls="light", memory=2000), *[
            task("t%d" % i, memory=500) for i in range(9)])
        self.assertEqual(self.q.claim(free=2, room=1500).task, "t0")
        self.ready_since(A, "mem", 10001)
        self.assertIsNone(self.q.claim(free=2, room=1500))
        # no place for it: then no encode waits
        self.assertEqual(self.q.claim(free=2, room=1500, lights=0).task,
                         "t1")
        self.assertEqual(self.q.claim(free=2, room=1500, worker="w2").task,
                         "t2")
        # before encodes take the memory again, whatever else is light
        self.assertEqual(self.q.claim(free=3, room=2000, lights=1).task,
                         "mem")
        self.assertEqual(self.redis("KEYS", K + "reserved:*"), [])
        self.assertEqual(self.q.claim(free=3, room=0, lights=1), None)
        self.assertEqual(self.q.claim(free=3, room=500, lights=1).task, "t3")

    def test_a_light_task_with_more_memory_than_any_worker(self):
        self.q.planned(A, task("mem", cls="light", memory=1 << 17),
                       task("a"), task("b"))
        self.assertEqual(self.q.claim().task, "a")
        self.ready_since(A, "mem", 20001)
        self.assertIsNone(self.q.claim(free=7))
        self.assertEqual(self.q.claim(free=8, lights=1).task, "mem")
        self.assertEqual(self.q.claim(free=8, lights=1).task, "b")

    def test_light_and_large_wait_by_age(self):
        for older, queue in (("mem", "0:2000:"), ("wide", "4:0:")):
            self.redis("FLUSHALL")
            self.q.planned(A, task("mem", cls="light", memory=2000),
                           task("wide", slots=4))
            self.ready_since(A, "mem", 10001)
            self.ready_since(A, "wide", 10001)
            self.ready_since(A, older, 1000)
            self.assertIsNone(self.q.claim(free=2, room=1000))
            self.assertEqual(self.redis("KEYS", K + "reserved:*"),
                             [K + "reserved:" + queue])

    def test_refuses_a_bad_room(self):
        for room in ("1 1 1 1 1 1", "1 1 1 1 1 1 x", "1 1 1 1 1 1 1 ",
                     "1 1 1 1 1 1 -1", "0 1 1 1 1 1 1", "17 1 1 1 1 1 1",
                     "1 %s 1 1 1 1 1" % ("1" * 70), " "):
            with self.assertRaisesRegex(RedisError, "bad room"):
                self.q.eval("step", "lease", "w", "0" * 16, 1, room, "")


class Unmet(Case):
    """labels that no live worker has"""

    def look(self):
        r = self.q.eval("unmet", "queues")
        return int(r[0]), [tuple(r[i:i + 2]) for i in range(1, len(r), 3)]

    def worker(self, name, labels, codecs="libx264", heard=0):
        now = int(self.redis("TIME")[0]) * 1000 - heard
        self.redis("ZADD", K + "workers", now, name)
        self.redis("HSET", K + "worker:" + name, "labels", labels, "codecs",
                   codecs)

    def waits(self, ms, job=A, t="g"):
        queue = self.q.field(job, t + ":spec").split()[1]
        now = int(self.redis("TIME")[0]) * 1000
        lacks = self.redis("HGET", K + "unmet", queue).split()[2]
        said = self.redis("HGET", K + "unmet", queue).split()[1]
        self.redis("HSET", K + "unmet", queue,
                   "%d %s %s" % (now - ms, said, lacks))
        self.q.put(job, task=t, since=now - ms)

    def test_said_when_it_lasts_and_when_it_is_over(self):
        self.q.planned(A, task("g", labels="gpu,libx264"), task("a"),
                       task("w", slots=200, memory=1 << 19))
        self.assertEqual(self.look(), (0, []))      # nobody lives
        self.assertEqual(self.redis("HLEN", K + "unmet"), 0)
        self.worker("w1", "big")
        self.worker("w2", "gpu", heard=90000)       # it is dead
        self.assertEqual(self.look(), (0, []))
        self.assertEqual(self.redis("HKEYS", K + "unmet"),
                         ["1:0:gpu,libx264"])
        self.waits(31000)
        self.assertEqual(self.look(), (0, [("1:0:gpu,libx264", "gpu")]))
        self.assertEqual(self.look(), (0, []))      # once
        self.worker("w2", "gpu", codecs="")         # each has a part
        self.look()
        self.assertEqual(
            self.redis("HGET", K + "unmet", "1:0:gpu,libx264").split()[2],
            "gpu,libx264")
        self.worker("w2", "gpu")
        self.assertEqual(self.look(), (0, [("1:0:gpu,libx264", "")]))
        self.assertEqual(self.redis("HLEN", K + "unmet"), 0)

        # one that drains begins nothing
        self.redis("HSET", K + "worker:w2", "draining", "1")
        self.look()
        self.assertEqual(self.redis("HKEYS", K + "unmet"),
                         ["1:0:gpu,libx264"])
        self.redis("HSET", K + "worker:w2", "draining", "0")
        self.look()
        self.assertEqual(self.redis("HLEN", K + "unmet"), 0)

    def test_given_up_after_an_hour(self):
        self.q.planned(A, task("g", labels="gpu"), task("a"),
                       task("end", "g a"))
        self.worker("w1", "")
        self.look()
        self.waits(3590000)
        self.assertEqual(self.look()[0], 0)
        # one that came later has its own hour
        self.q.planned(B, task("g", labels="gpu"), project="p2")
        self.waits(3601000)
        self.assertEqual(self.look()[0], 1)
        self.assertEqual(self.q.state(A), "failed")
        self.assertEqual(self.q.state(A, "g"), "failed")
        self.assertEqual(self.q.state(A, "a"), "cancelled")
        self.assertEqual(self.q.field(A, "code"), "NO_WORKER")
        self.assertIn("gpu", self.q.field(A, "detail"))
        self.assertEqual(self.q.state(B), "running")
        self.assertEqual(self.q.ready("1:0:gpu", "p2"), [B + "/g"])
        # nobody looked for a minute: nothing is known of it
        self.redis("DEL", K + "unmet-seen")
        self.waits(3601000, B)
        self.assertEqual(self.look()[0], 0)
        self.assertEqual(self.q.state(B), "running")

    def test_the_film_goes_without_what_is_optional(self):
        self.q.planned(A, task("g", labels="gpu", type="exec", attempts=6,
                               payload='{"tries":3}'), task("end", "g"))
        self.worker("w1", "")
        self.look()
        self.waits(3601000)
        self.assertEqual(self.look()[0], 1)
        c = self.q.claim(free=0)
        # beyond its tries: workerd gives it up at once
        self.assertEqual((c.task, c.attempt), ("g", "5"))
        # one that is lost with it is not the last
        self.assertEqual(self.q.fail(c, code="WORKER_LOST"), "delayed")
        self.redis("ZADD", K + "delay", 1, A + "/g")
        c = self.q.claim(free=0)
        self.assertEqual((c.task, c.attempt), ("g", "6"))
        self.assertEqual(self.q.complete(c), "ok")
        self.assertEqual(self.q.state(A, "end"), "ready")

    def test_refuses_bad_arguments(self):
        with self.assertRaises(RedisError):
            self.q.eval("unmet", "queues", 1)


class Quarantine(Case):
    def test_tells_what_was_tried_too_often(self):
        self.q.planned(A, task("a", attempts=1), project="p7")
        self.assertEqual(self.q.fail(self.q.claim(worker="w3"),
                                     code="CRASHED", stage="decode",
                                     detail="signal 11", log="the end"),
                         "failed")
        (_, flat), = self.redis("XRANGE", K + "quarantine", "-", "+")
        self.assertEqual(dict(zip(flat[::2], flat[1::2])), {
            "job": A, "task": "a", "type": "encode_video",
            "asset": ASSET % "a", "project": "p7", "pipeline": "default",
            "code": "CRASHED", "stage": "decode", "detail": "signal 11",
            "log": "the end", "attempts": "1", "worker": "w3"})

    def test_not_a_file_that_is_no_video(self):
        self.q.planned(A, task("a", attempts=3))
        self.q.fail(self.q.claim(), cls="fail", code="NOT_A_VIDEO")
        self.assertEqual(self.redis("EXISTS", K + "quarantine"), 0)

    def given_up(self, *jobs):
        for job in jobs:
            self.q.planned(job, task("a", attempts=1))
            self.q.fail(self.q.claim(), code="CRASHED")

    def names(self):
        return [flat[1] for _, flat in
                self.redis("XRANGE", K + "quarantine", "-", "+")]

    def test_goes_when_its_asset_is_made_again(self):
        self.given_up(A, B)
        self.assertEqual(self.names(), [A, B])
        self.assertEqual(self.q.submit(A), "exists")
        self.assertEqual(self.names(), [A, B])
        self.assertEqual(self.q.submit(ASSET % "a" + ".2"), "ok")
        self.assertEqual(self.names(), [B])

    def test_goes_when_its_asset_is_deleted(self):
        self.given_up(A, B)
        self.assertEqual(self.q.cancel(A), "none")
        self.assertEqual(self.names(), [B])
        # Redis forgot the job meanwhile
        self.redis("DEL", K + "job:" + B)
        self.assertEqual(self.q.cancel(B), "none")
        self.assertEqual(self.names(), [])


class Fail(Case):
    def test_delayed_ready_then_exhausted(self):
        self.q.planned(A, task("a", attempts=2), task("b"),
                       task("c", deps="a", cls="light"),
                       task("d", labels="other"))
        a, b = self.q.claim(), self.q.claim()
        self.assertEqual((a.task, b.task), ("a", "b"))
        self.assertEqual(self.q.fail(a, backoff=30), "delayed")
        self.assertEqual(self.q.state(A, "a"), "delayed")
        self.assertIsNone(self.q.claim())
        err = json.loads(self.q.field(A, "a:err"))
        self.assertEqual(err, {"class": "retry", "code": "IO", "stage": "s",
                               "detail": "d"})
        time.sleep(0.04)
        self.assertEqual(self.q.sweep(), [0, 1, 0])
        self.assertEqual(self.q.state(A, "a"), "ready")
        a = self.q.claim()
        self.assertEqual(a.attempt, "2")
        self.assertEqual(self.q.fail(a, code="CRASHED", log="tail"),
                         "failed")
        self.assertEqual(self.q.state(A), "failed")
        self.assertEqual([self.q.state(A, t) for t in "abcd"],
                         ["failed", "running", "cancelled", "cancelled"])
        self.assertEqual(self.q.ready("other"), [])
        self.assertEqual([self.q.field(A, f) for f in
                          ("code", "stage", "detail", "log")],
                         ["CRASHED", "s", "d", "tail"])
        self.assertEqual(self.q.renew((b, 500)), ["cancelled"])
        self.assertEqual(self.q.state(A, "b"), "cancelled")
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.complete(b), "stale")
        self.assertEqual(self.q.done()[-1]["state"], "failed")
        self.assertEqual(self.q.progress(A)["state"], "errored")
        self.assertTrue(self.redis("TTL", K + "job:" + A) > 0)
        self.assertEqual(self.q.count("jobs"), 0)

    def test_fail_for_good_ends_at_once(self):
        self.q.submit(A, attempts=3)
        c = self.q.claim()
        self.assertEqual(self.q.fail(c, cls="fail", code="NOT_A_VIDEO"),
                         "failed")
        self.assertEqual(self.q.state(A), "failed")
        self.assertEqual(self.q.state(A, "plan"), "cancelled")
        self.assertEqual(self.q.fail(c), "stale")
        self.assertEqual(len(self.q.done()), 1)

    def test_backoff_is_at_most_a_minute(self):
        self.q.planned(A, task("a"))
        self.q.fail(self.q.claim(), backoff=10 ** 9)
        now = self.redis("TIME")
        due = int(self.redis("ZSCORE", K + "delay", A + "/a"))
        self.assertTrue(59000 < due - int(now[0]) * 1000 <= 61000)

    def test_second_fail_with_the_same_token_is_stale(self):
        self.q.planned(A, task("a"))
        c = self.q.claim()
        self.assertEqual(self.q.fail(c, backoff=5000), "delayed")
        self.assertEqual(self.q.fail(c, backoff=5000), "stale")
        self.assertEqual(self.q.complete(c), "stale")
        self.assertEqual(self.q.state(A, "a"), "delayed")

    def test_refuses_bad_arguments(self):
        self.q.planned(A, task("a"))
        c = self.q.claim()
        for kw in ({"cls": "maybe"}, {"backoff": "-1"}, {"backoff": "x"},
                   {"code": ""}):
            with self.assertRaises(RedisError):
                self.q.fail(c, **kw)
        self.assertEqual(self.q.state(A, "a"), "running")


class Lacks(Case):
    """a worker without the task's pipeline, program or image"""

    def lacks(self, c, **kw):
        return self.q.fail(c, cls="lacks", code="BAD_PIPELINE",
                           detail="no program", **kw)

    def again(self, t="a"):
        self.redis("ZADD", K + "delay", 1, A + "/" + t)
        return self.q.claim()

    def since(self, ms, n, t="a"):
        now = int(self.redis("TIME")[0]) * 1000
        self.redis("HSET", K + "job:" + A, t + ":lacks",
                   "%d %d" % (now - ms, n))

    def delay_ms(self, t="a"):
        now = self.redis("TIME")
        return int(self.redis("ZSCORE", K + "delay", A + "/" + t)) \
            - int(now[0]) * 1000

    def test_is_no_try_and_waits_longer_each_time(self):
        self.q.planned(A, task("a", attempts=1))
        c = self.q.claim(worker="w7")
        self.assertEqual(self.lacks(c, backoff=5000), "delayed")
        self.assertTrue(3000 < self.delay_ms() <= 6000)
        self.assertEqual(self.redis("GET", K + "lacks"),
                         "w7 " + A + "/a no program")
        self.assertTrue(0 < self.redis("PTTL", K + "lacks") <= 120000)
        self.assertEqual(json.loads(self.q.field(A, "a:err"))["class"],
                         "release")
        c = self.again()
        self.assertEqual(c.attempt, "1")
        self.since(160000, 4)
        self.assertEqual(self.lacks(c), "delayed")
        self.assertTrue(38000 < self.delay_ms() <= 42000)
        self.assertEqual(self.q.field(A, "a:lacks").split()[1], "5")

    def test_fails_after_an_hour_and_some_looks(self):
        self.q.planned(A, task("a"))
        c = self.q.claim()
        self.since(3590000, 100)
        self.assertEqual(self.lacks(c), "delayed")
        c = self.again()
        self.since(9000000, 18)         # it stood in a long queue meanwhile
        self.assertEqual(self.lacks(c), "delayed")
        c = self.again()
        self.since(3601000, 19)
        self.assertEqual(self.lacks(c), "failed")
        self.assertEqual(self.q.field(A, "code"), "BAD_PIPELINE")
        (_, flat), = self.redis("XRANGE", K + "quarantine", "-", "+")
        self.assertEqual(dict(zip(flat[::2], flat[1::2]))["detail"],
                         "no program")

    def test_another_failure_ends_the_hour(self):
        self.q.planned(A, task("a"))
        c = self.q.claim()
        self.since(3590000, 100)
        self.assertEqual(self.q.fail(c), "delayed")
        self.assertIsNone(self.q.field(A, "a:lacks"))

    def test_the_film_goes_without_what_is_optional(self):
        self.q.planned(A, task("a", type="exec", attempts=6,
                               payload='{"tries":3}'), task("end", "a"))
        c = self.q.claim()
        self.since(3601000, 19)
        self.assertEqual(self.lacks(c), "delayed")
        self.redis("ZADD", K + "delay", 1, A + "/a")
        c = self.q.claim(free=0)
        # beyond its tries: workerd gives it up at once
        self.assertEqual((c.task, c.attempt), ("a", "5"))
        self.assertEqual(self.q.complete(c), "ok")
        self.assertEqual(self.q.state(A, "end"), "ready")


class Expand(Case):
    def plan(self):
        self.q.submit(A)
        return self.q.step(self.q.claim())[1]

    def test_repeated_with_the_same_token(self):
        plan = self.plan()
        tasks = [task("a", rend="v1,v2", work=10), task("b", deps="a")]
        self.assertEqual(self.q.expand(plan, *tasks), "ok")
        self.left_consistent(A)
        before = self.q.hash(A)
        progress = self.q.progress(A)
        self.assertEqual(self.q.expand(plan, *tasks), "ok")
        self.assertEqual(self.q.hash(A), before)
        self.assertEqual(self.q.progress(A), progress)
        self.assertEqual(self.q.ready("1:0:"), [A + "/a"])
        self.assertEqual(progress["total"], "20")
        self.assertEqual(progress["total:v2"], "10")
        self.assertEqual(progress["state"], "transcoding")

    def test_stale_adds_nothing(self):
        plan = self.plan()
        plan.token = "1-" + "0" * 16
        self.assertEqual(self.q.expand(plan, task("a")), "stale")
        self.assertIsNone(self.q.state(A, "a"))
        self.assertEqual(self.q.field(A, "left"), "1")

    def test_after_cancel_is_stale(self):
        plan = self.plan()
        self.q.cancel(A)
        self.assertEqual(self.q.expand(plan, task("a")), "stale")
        self.assertIsNone(self.q.state(A, "a"))

    def test_deps_on_done_tasks_and_on_itself_do_not_count(self):
        plan = self.plan()
        self.q.expand(plan, task("a", deps="inspect plan"))
        self.assertEqual(self.q.state(A, "a"), "ready")
        self.left_consistent(A)

    def test_a_task_may_expand_later_too(self):
        self.q.planned(A, task("split", type="plan"), task("other"),
                       task("end", deps="split other", cls="light"))
        split = self.q.claim()
        self.assertEqual(
            self.q.expand(split, task("x"), task("y", deps="x other")), "ok")
        self.left_consistent(A)
        seen = []
        while True:
            c = self.q.claim()
            if c is None:
                break
            seen.append(c.task)
            self.assertEqual(self.q.complete(c), "ok")
            self.left_consistent(A)
        self.assertEqual(sorted(seen), ["end", "other", "x", "y"])
        self.assertLess(seen.index("x"), seen.index("y"))
        self.assertEqual(self.q.state(A), "done")

    def test_no_task_at_all_ends_the_job(self):
        self.assertEqual(self.q.expand(self.plan()), "ok")
        self.assertEqual(self.q.state(A), "done")

    def test_bad_tasks_are_refused_before_any_write(self):
        plan = self.plan()
        before = self.q.hash(A)
        good = task("good")
        for bad in (task("a", deps="nobody"), task("good"), task("plan"),
                    task("a b"), task(""), task("a", slots="x"), task("a", memory="x"),
                    task("a", labels="a b"), task("a", priority=10),
                    task("a", cost="x"), task("a", attempts=0),
                    task("a", timeout=0), task("a", work="-1"),
                    task("a", deps="a"), task("a")[:12]):
            with self.assertRaises(RedisError, msg=str(bad)):
                self.q.expand(plan, good, bad)
            self.assertEqual(self.q.hash(A), before)
        self.assertEqual(self.q.expand(plan, good), "ok")

    def test_a_long_film(self):
        n = 9000
        tasks = [task("v%d.0" % i, rend="v240,v360", work=12000)
                 for i in range(n)]
        tasks.append(task("publish", cls="light", type="publish",
                          deps=" ".join("v%d.0" % i for i in range(n))))
        began = self.cpu_s()
        self.q.planned(A, *tasks)
        took = self.cpu_s() - began
        self.assertEqual(self.q.count("ready:1:0::p1"), n)
        self.assertEqual(self.q.field(A, "publish:deps"), str(n))
        self.assertLess(took, 5)
        self.assertEqual(self.q.cancel(A), "ok")
        self.assertEqual(self.q.count("ready:1:0::p1"), 0)


class Renew(Case):
    def test_prolongs_and_counts_exactly(self):
        self.q.planned(A, task("a", rend="v360,v720", work=1000),
                       task("b", rend="v360", work=500))
        a = self.q.claim(lease=1000)
        before = int(self.redis("ZSCORE", K + "lease", A + "/a"))
        self.assertEqual(self.q.renew((a, 300), lease=30000), ["ok"])
        after = int(self.redis("ZSCORE", K + "lease", A + "/a"))
        self.assertGreater(after, before + 20000)
        p = self.q.progress(A)
        self.assertEqual([p[x] for x in ("total", "done", "done:v360",
                                         "done:v720", "percent")],
                         ["2500", "600", "300", "300", "24"])
        self.assertEqual(self.q.renew((a, 300)), ["ok"])
        self.assertEqual(self.q.progress(A), p)
        # what a failed attempt had done is taken back
        self.assertEqual(self.q.fail(a), "delayed")
        p = self.q.progress(A)
        self.assertEqual([p[x] for x in ("done", "done:v360", "done:v720",
                                         "percent")], ["0"] * 4)
        for _ in range(2):
            c = self.q.claim()
            self.assertEqual(self.q.renew((c, 999)), ["ok"])
            if self.q.state(A) == "running":
                self.assertLess(int(self.q.progress(A)["percent"]), 100)
            self.q.complete(c)
        p = self.q.progress(A)
        self.assertEqual([p[x] for x in ("total", "done", "done:v360",
                                         "done:v720", "percent", "state")],
                         ["2500", "2500", "1500", "1000", "100",
                          "completed"])

    def test_the_pace_can_be_told(self):
        self.q.planned(A, task("a", rend="v360", work=1000))
        a = self.q.claim()
        self.q.renew((a, 250))
        p = self.q.progress(A)
        self.assertEqual((p["state"], p["total"], p["done"]),
                         ("transcoding", "1000", "250"))
        now = int(self.redis("TIME")[0])
        self.assertLessEqual(abs(int(p["begun"]) / 1000 - now), 60)

    def test_percent_is_99_until_published(self):
        self.q.planned(A, task("a", rend="v360", work=10),
                       task("publish", deps="a", cls="light"))
        self.q.complete(self.q.claim())
        self.assertEqual(self.q.progress(A)["percent"], "99")
        self.q.complete(self.q.claim())
        self.assertEqual(self.q.progress(A)["percent"], "100")

    def test_many_at_once(self):
        self.q.planned(A, task("a"), task("b"))
        a, b = self.q.claim(), self.q.claim()
        self.q.complete(a)
        self.assertEqual(self.q.renew((a, 1), (b, 2)), ["stale", "ok"])
        self.q.cancel(A)
        self.assertEqual(self.q.renew((b, 2), (b, 2)),
                         ["cancelled", "stale"])
        self.assertEqual(self.q.renew(), [])

    def test_never_beyond_the_deadline(self):
        self.q.planned(A, task("a", timeout=10))
        a = self.q.claim()
        since = int(self.q.field(A, "a:since"))
        self.assertEqual(self.q.renew((a, 0), lease=10 ** 9), ["ok"])
        self.assertEqual(int(self.redis("ZSCORE", K + "lease", A + "/a")),
                         since + 70000)
        self.q.put(A, task="a", since=since - 70001)
        self.assertEqual(self.q.renew((a, 0)), ["stale"])

    def test_refuses_bad_arguments(self):
        self.q.planned(A, task("a"))
        a = self.q.claim()
        for permille in ("1001", "-1", "x", ""):
            with self.assertRaises(RedisError):
                self.q.renew((a, permille))
        with self.assertRaises(RedisError):
            self.q.eval("renew", "lease", 1000, 2, A, "a", a.token, 1)


class Cancel(Case):
    def test_queues_are_left_and_runners_hear_it(self):
        self.q.planned(A, task("run"), task("wait", deps="run"),
                       task("delay"), task("ready"))
        run, delay = self.q.claim(), self.q.claim()
        self.assertEqual((run.task, delay.task), ("run", "delay"))
        self.q.fail(delay, backoff=50000)
        self.assertEqual(self.q.cancel(A), "ok")
        self.assertEqual(self.q.state(A), "cancelled")
        self.assertEqual([self.q.state(A, t) for t in
                          ("run", "wait", "delay", "ready")],
                         ["running", "cancelled", "cancelled", "cancelled"])
        self.assertEqual(self.q.count("ready:1:0::p1"), 0)
        self.assertEqual(self.q.count("delay"), 0)
        self.assertIsNone(self.q.claim())
        self.assertEqual(self.q.complete(run), "stale")
        self.assertEqual(self.q.state(A, "run"), "cancelled")
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.field(A, "left"), "4")
        self.assertEqual([d["state"] for d in self.q.done()], ["cancelled"])
        self.assertTrue(self.redis("TTL", K + "job:" + A) > 0)
        self.assertEqual(self.q.cancel(A), "ok")
        self.assertEqual(len(self.q.done()), 1)

    def test_none_for_unknown_and_ended_jobs(self):
        self.assertEqual(self.q.cancel(A), "none")
        self.q.planned(A, task("a"))
        self.q.complete(self.q.claim())
        self.assertEqual(self.q.cancel(A), "none")
        self.assertEqual(self.q.state(A), "done")

    def test_lease_of_a_silent_runner_is_swept(self):
        self.q.planned(A, task("a"))
        self.q.claim(lease=1)
        self.q.cancel(A)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.state(A, "a"), "cancelled")


class Sweep(Case):
    def test_lost_worker_costs_an_attempt(self):
        self.q.planned(A, task("a", attempts=2))
        self.q.claim(lease=1)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(json.loads(self.q.field(A, "a:err"))["code"],
                         "WORKER_LOST")
        time.sleep(1.02)
        self.assertEqual(self.q.sweep(), [0, 1, 0])
        self.q.claim(lease=1)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.assertEqual(self.q.state(A), "failed")
        self.assertEqual(self.q.field(A, "code"), "WORKER_LOST")
        self.assertEqual(self.q.field(A, "stage"), "a")

    def test_running_leases_stay(self):
        self.q.planned(A, task("a"))
        self.q.claim()
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.state(A, "a"), "running")

    def test_deadline(self):
        self.q.planned(A, task("a", timeout=10))
        self.q.claim(lease=1)
        since = int(self.q.field(A, "a:since"))
        self.q.put(A, task="a", since=since - 70000)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [0, 0, 1])
        self.assertEqual(json.loads(self.q.field(A, "a:err"))["code"],
                         "TIMEOUT")

    def test_is_bounded(self):
        self.q.planned(A, *[task("t%d" % i) for i in range(10)])
        for _ in range(10):
            self.q.claim(lease=1)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(limit=4), [4, 0, 0])
        self.assertEqual(self.q.sweep(limit=4), [4, 0, 0])
        self.assertEqual(self.q.sweep(limit=4), [2, 0, 0])
        with self.assertRaises(RedisError):
            self.q.sweep(limit=0)

    def test_two_tasks_of_one_job_that_fails(self):
        self.q.planned(A, task("a", attempts=1), task("b", attempts=1))
        self.q.claim(lease=1)
        self.q.claim(lease=1)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [1, 0, 0])
        self.assertEqual(self.q.state(A), "failed")
        self.assertEqual([self.q.state(A, t) for t in "ab"],
                         ["failed", "cancelled"])
        self.assertEqual(len(self.q.done()), 1)

    def test_a_job_ends_though_nobody_can_run_it(self):
        self.q.planned(A, task("a", labels="nobody"), task("b", deps="a"))
        score = int(self.redis("ZSCORE", K + "jobs", A))
        self.redis("ZADD", K + "jobs", score - 7 * 86400000 + 60000, A)
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.redis("ZADD", K + "jobs", score - 7 * 86400000, A)
        self.assertEqual(self.q.sweep(), [0, 0, 1])
        self.assertEqual((self.q.state(A), self.q.field(A, "code")),
                         ("failed", "TIMEOUT"))
        self.assertEqual(self.redis("SMEMBERS", K + "queues"), [])

    def test_other_schemas_are_left_alone(self):
        self.q.planned(A, task("a"), task("b"))
        self.q.fail(self.q.claim())
        self.q.planned(B, task("c"))
        self.redis("HSET", K + "job:" + A, "v", "4 running 2 p1 default")
        self.redis("ZADD", K + "lease", 1, A + "/b")
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.count("lease"), 1)

    def test_other_schemas_keep_nothing_else_waiting(self):
        """however many of their entries are due, and however long"""
        self.redis("HSET", K + "job:" + A, "v", "9 running 99 p1 default")
        self.q.planned(B, task("x"), task("y"), task("z"), task("l"))
        delayed, lost, twice, late = (self.q.claim(worker="w0")
                                      for _ in "xyzl")
        self.q.fail(delayed)
        now = int(self.redis("TIME")[0]) * 1000
        self.q.put(B, task="z", second="%s,%d,w9" % ("7-" + "0" * 16, now))
        for key in ("lease", "second", "delay"):
            for i in range(20):
                self.redis("ZADD", K + key, i, A + "/t%d" % i)
        for key, t in (("lease", "y"), ("second", "z"), ("delay", "x")):
            self.redis("ZADD", K + key, 1000, B + "/" + t)
        for _ in range(6):
            self.q.sweep(limit=4)
        self.assertEqual(self.q.state(B, "y"), "delayed")
        self.assertEqual(self.q.state(B, "z"), "running")
        self.assertEqual(self.q.field(B, "z:second"), "-")
        # step looks at 8 at once
        self.redis("ZADD", K + "delay", "XX", 1000, B + "/x", 2000, B + "/y")
        for i in range(20):
            self.redis("ZADD", K + "delay", "XX", i, A + "/t%d" % i)
        got = [self.q.claim() for _ in range(4)]
        self.assertEqual(sorted(c.task for c in got if c), ["x", "y"])
        for key in ("lease", "second", "delay"):
            self.assertTrue(self.redis("ZSCORE", K + key, A + "/t0"))
            self.assertLess(int(self.redis("ZSCORE", K + key, A + "/t0")),
                            now + 80000)
        self.assertEqual(self.q.renew((late, 0)), ["ok"])

    def test_what_is_due_of_other_schemas_waits_for_their_workers(self):
        """who look when they come by, and not a minute later"""
        self.redis("HSET", K + "job:" + A, "v", "9 running 99 p1 default")

        def due():
            return [self.redis("ZCOUNT", K + key, 0, 9)
                    for key in ("lease", "second", "delay")]

        for key in ("lease", "second", "delay"):
            for i in range(7):
                self.redis("ZADD", K + key, i, A + "/t%d" % i)
        self.assertEqual(self.q.sweep(limit=8), [0, 0, 0])
        self.assertIsNone(self.q.claim())
        self.assertEqual(due(), [7, 7, 7])
        # they may be in the way of others
        self.redis("ZADD", K + "delay", 7, A + "/t7")
        self.assertIsNone(self.q.claim())
        self.assertEqual(due(), [7, 7, 0])
        self.assertEqual(self.q.sweep(limit=7), [0, 0, 0])
        self.assertEqual(due(), [0, 0, 0])

    def test_nor_does_what_they_leave_of_old_jobs(self):
        self.q.planned(B, task("x", labels="nobody"))
        for i in range(30):
            self.redis("HSET", K + "job:%s%d" % (A, i), "v",
                       "9 running 99 p1 default")
            self.redis("ZADD", K + "jobs", i, "%s%d" % (A, i))
        self.redis("ZADD", K + "jobs", 1000, B)
        for _ in range(400):                # from a place by chance
            if self.q.sweep()[2]:
                break
        self.assertEqual(self.q.state(B), "failed")
        self.assertEqual(self.q.count("jobs"), 30)

    def test_vanished_jobs_are_dropped(self):
        self.q.planned(A, task("a"), task("b"))
        self.q.fail(self.q.claim(), backoff=0)
        self.q.claim(lease=1)
        self.redis("DEL", K + "job:" + A)
        time.sleep(0.01)
        self.assertEqual(self.q.sweep(), [0, 0, 0])
        self.assertEqual(self.q.count("lease"), 0)
        self.assertEqual(self.q.count("delay"), 0)


class Race(Case):
    def test_no_task_runs_twice_and_every_job_ends(self):
        """random kills, failures, stale answers and completions"""
        import random
        rnd = random.Random(7)
        jobs = [ASSET % c + ".1" for c in "abcdefgh"]
        for j in jobs:
            self.q.planned(j, *[task("v%d" % i, attempts=99, rend="v1",
                                     work=10 + i) for i in range(6)],
                           task("publish", deps=" ".join(
                               "v%d" % i for i in range(6)), cls="light",
                                attempts=99))
        held, done, dead = [], set(), []
        for _ in range(5000):
            if all(self.q.state(j) == "done" for j in jobs):
                break
            roll = rnd.random()
            if roll < 0.5 or not held:
                c = self.q.claim()
                if c:
                    self.assertNotIn((c.job, c.task), done)
                    self.assertNotIn((c.job, c.task),
                                     [(h.job, h.task) for h in held])
                    held.append(c)
            elif roll < 0.75:
                c = held.pop(rnd.randrange(len(held)))
                self.assertEqual(self.q.complete(c), "ok")
                done.add((c.job, c.task))
            elif roll < 0.85:
                c = held.pop(rnd.randrange(len(held)))
                self.assertEqual(self.q.fail(c), "delayed")
                dead.append(c)
            elif roll < 0.95:
                # its worker dies: the lease ends
                c = held.pop(rnd.randrange(len(held)))
                self.redis("ZADD", K + "lease", 1, c.job + "/" + c.task)
                self.assertEqual(self.q.sweep()[0], 1)
                self.redis("ZADD", K + "delay", 0, c.job + "/" + c.task)
                dead.append(c)
            elif dead:
                c = rnd.choice(dead)
                self.assertEqual(self.q.complete(c), "stale")
        self.assertEqual([self.q.state(j) for j in jobs],
                         ["done"] * len(jobs))
        self.assertEqual(len(done), 7 * len(jobs))
        for j in jobs:
            self.left_consistent(j)
            p = self.q.progress(j)
            self.assertEqual(p["done:v1"], p["total:v1"])
        self.assertEqual(len(self.q.done()), len(jobs))
        for key in ("lease", "delay", "ready:1:0:", "ready:0:0:", "jobs"):
            self.assertEqual(self.q.count(key), 0, key)


class Hooks(Case):
    """webhooks: an asset's events, one after the other for each endpoint"""

    def claim(self, *events, wants=("1", "1"), nonce="n1", lease=1000):
        return self.q.eval("hook", "hook:" + ASSET % "a", lease, nonce, 2,
                           "x", wants[0], "y", wants[1], *events)

    def hooked(self, endpoint, event, outcome="done", nonce="n1"):
        return self.q.eval("hooked", "hook:" + ASSET % "a", endpoint, nonce,
                           event, outcome)[0]

    def test_in_order_and_one_at_a_time(self):
        self.assertEqual(self.claim("1", "2"), ["1", "1", "1", "1"])
        self.assertEqual(self.claim("1", "2", nonce="n2"),
                         ["", "0", "", "0"])
        self.assertEqual(self.hooked("x", "1", nonce="n2"), "stale")
        self.assertEqual(self.hooked("x", "2"), "stale")
        self.assertEqual(self.hooked("x", "1"), "ok")
        self.assertEqual(self.hooked("x", "1"), "stale")
        # x goes on, y has it still; over is what both are done with
        self.assertEqual(self.claim("1", "2"), ["2", "1", "", "0"])
        self.assertEqual(self.hooked("y", "1"), "ok")
        self.assertEqual(self.claim("1", "2", wants=("1", "0")),
                         ["", "0", "", "0", "1"])

    def test_tries_are_counted_and_wait(self):
        self.claim("1", wants=("1", "0"))
        self.assertEqual(self.hooked("x", "1", 60000), "ok")
        self.assertEqual(self.claim("1", wants=("1", "0"))[0], "")
        self.redis("HDEL", K + "hook:" + ASSET % "a", "x:next")
        self.assertEqual(self.claim("1", wants=("1", "0"))[:2], ["1", "2"])

    def test_what_is_gone_is_forgotten(self):
        key = K + "hook:" + ASSET % "a"
        for n in range(9):
            event = "1~%d" % (n + 1)
            self.claim("1", event)
            for e in "xy":
                self.hooked(e, "1")
            self.claim("1", event)
            for e in "xy":
                self.hooked(e, event)
        # what stands is not told again, what is gone leaves nothing
        self.assertEqual(self.claim("1", event)[4:], ["1", event])
        self.assertEqual(sorted(self.redis("HKEYS", key)),
                         sorted(e + ":d:" + x for e in "xy"
                                for x in ("1", event)))
        self.assertLessEqual(self.redis("TTL", key), 3600)
        self.assertEqual(self.claim("1", event, "2")[0], "2")
        self.assertGreater(self.redis("TTL", key), 3600)

    def test_a_claim_ends(self):
        self.claim("1", wants=("1", "0"), lease=30)
        time.sleep(0.05)
        self.assertEqual(self.claim("1", wants=("1", "0"), nonce="n2")[:2],
                         ["1", "2"])
        self.assertEqual(self.hooked("x", "1"), "stale")

    def test_wrong_arguments(self):
        for argv in ((0, "n", 0), (1000, "n", 3, "x", "1")):
            with self.assertRaises(RedisError):
                self.q.eval("hook", "hook:a", *argv)
        with self.assertRaises(RedisError):
            self.hooked("x", "1", "soon")


class Depth(Case):
    """how much work there is, for the metrics"""

    def depth(self, limit=64):
        return [int(x) for x in self.q.eval("depth", "queues", limit)]

    def test_counts_what_waits_what_runs_and_what_is_tried_again(self):
        self.assertEqual(self.depth(), [0] * 12)
        self.q.planned(B, task("v0.0"), project="p2")
        self.q.planned(A, task("v0.0"), task("v1.0"), task("w", slots=3),
                       task("p", cls="light"), task("end", "v0.0 v1.0"))
        self.redis("ZADD", K + "workers", 1, "yesterday", 1 << 50, "now")
        d = self.depth()
        self.assertEqual(d[0:6:2], [1, 3, 1])
        self.assertEqual(d[6:10] + d[11:], [0, 0, 0, 2, 1])
        # a limit looks at fewer projects
        self.assertIn(self.depth(1)[2], (1, 2))
        self.q.fail(self.q.claim(free=1, lights=0), backoff=60000)
        self.q.claim(free=1, lights=0)
        d = self.depth()
        self.assertEqual(d[0:6:2], [1, 1, 1])
        self.assertEqual(d[6:8], [1, 1])

    def test_how_long_the_oldest_wait(self):
        self.q.planned(A, task("v0.0"), task("p", cls="light"))
        ms = int(self.redis("TIME")[0]) * 1000
        self.q.put(A, task="p", since=ms - 7000)
        self.redis("ZADD", K + "jobs", ms - 9000, A)
        light, single, multi, job = (self.depth()[i] for i in (1, 3, 5, 10))
        self.assertGreaterEqual(light, 7000)
        self.assertLess(single, 7000)
        self.assertEqual(multi, 0)
        self.assertGreaterEqual(job, 9000)
        # and who claims it hears how long it waited
        c = self.q.claim(free=0)
        self.assertEqual(c.task, "p")
        self.assertGreaterEqual(int(c.wait_ms), 7000)
        self.assertEqual(self.depth()[1], 0)

    def test_refuses_bad_arguments(self):
        for argv in ((), (0,), ("x",), (1, 2)):
            with self.assertRaises(RedisError):
                self.q.eval("depth", "queues", *argv)


if __name__ == "__main__":
    unittest.main()

"""What chaos-dag says of tasks that were done again (tests/chaos/redone.py)."""

import os
import sys

from reel import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "chaos"))

from redone import Fault, Redone                                # noqa: E402

NO_SPACE = "NO_SPACE in write: output: nospace; the task is delayed"
CRASHED = ("CRASHED in v0.0: the child was killed by signal 9 (Killed); the "
           "task is delayed")


def said(*lines):
    """(second, worker, task, what) as workerd says it"""
    return "".join(
        'time=1970-01-01T00:00:%06.3fZ level=info pid=%d job=j.1 task=%s '
        'msg="%s"\n' % line for line in lines)


def begins(at, worker, task, slot=0, child=0):
    return at, worker, task, "begins: try 1, slot %d, child %d" % (slot, child)


def fault(name, begin, end, workers=(), children=()):
    f = Fault(name)
    f.begin, f.end = begin, end
    f.workers, f.children = set(workers), set(children)
    return f


def sums(log, *faults):
    r = Redone(log, list(faults))
    return r.places(), r.tasks(), len(list(r.wrong()))


def again(task, at=20):
    return begins(at, 9, task, 4), (at + 1, 9, task, "done in 9 ms, CPU 1 ms")


def test_a_killed_place_loses_its_task():
    log = said(begins(1, 1, "a", 0, 11), begins(1, 1, "b", 1, 12),
               begins(1, 2, "c"), (6, 2, "c", "done in 5 s, CPU 1 ms"),
               *again("a"))
    kill = fault("kill_worker", 2, 3, [1], [11, 12])
    # one of two places was killed when its task was as good as done
    assert sums(log, kill) == (2, 1, 0)
    # one that was not killed, and what was killed later
    assert sums(log, fault("kill_worker", 2, 3, [2])) == (0, 1, 1)
    assert sums(log) == (0, 1, 1)


def test_of_children_only_the_one_that_was_killed():
    log = said(begins(1, 1, "a", 0, 11), (2, 1, "a", CRASHED), *again("a"))
    assert sums(log, fault("kill_child", 1.5, 2, (), [11])) == (1, 1, 0)
    assert sums(log, fault("kill_child", 1.5, 2, (), [12])) == (0, 1, 1)


def test_a_full_disk_hits_a_place_once():
    one = (begins(1, 1, "a"), (2, 1, "a", NO_SPACE))
    other = (begins(2, 1, "b", 1), (3, 1, "b", NO_SPACE))
    more = (begins(3, 1, "c"), (4, 1, "c", NO_SPACE))
    full = fault("fill_disk", 1.5, 9)
    assert sums(said(*one, *other, *again("a"), *again("b")),
                full) == (2, 2, 0)
    assert sums(said(*one, *more, *again("a"), *again("c")),
                full) == (1, 2, 1)
    # a task that began when there was room again
    assert sums(said(*one, *again("a")),
                fault("fill_disk", 0.1, 0.9)) == (0, 1, 1)


def test_what_was_done_stays_done():
    log = said(begins(1, 1, "a"), (2, 1, "a", "done in 9 ms, CPU 1 ms"),
               *again("a"))
    assert sums(log, fault("kill_redis", 1.5, 4)) == (0, 1, 1)
    # unless a replica had not seen it, or all was emptied
    assert sums(log, fault("fail_over", 2.5, 4)) == (1, 1, 0)
    assert sums(log, fault("fail_over", 9, 10)) == (0, 1, 1)
    assert sums(log, fault("empty_redis", 9, 10)) == (1, 1, 0)

    # and a plan is nowhere else
    plan = log.replace("task=a", "task=plan")
    assert sums(plan, fault("fail_over", 2.5, 4)) == (0, 0, 0)
    assert sums(plan, fault("kill_redis", 1.5, 4)) == (0, 1, 1)


def test_a_lease_is_lost_by_who_slept():
    for end in "dropped: the lease was lost or the job ended", (
            "done, but the lease was lost: the answer stands"):
        log = said(begins(1, 1, "a"), (8, 1, "a", end), *again("a", 5))
        assert sums(log, fault("freeze_worker", 2, 7, [1])) == (1, 1, 0)
        assert sums(log, fault("freeze_redis", 2, 7)) == (1, 1, 0)
        assert sums(log, fault("freeze_worker", 2, 7, [2])) == (0, 1, 1)


def test_who_slept_says_afterwards_what_it_began():
    log = said(begins(7.1, 1, "a"), (8, 1, "a", "dropped: the lease was lost "
                                     "or the job ended"), *again("a"))
    for name in "freeze_worker", "freeze_redis":
        assert sums(log, fault(name, 2, 7, [1])) == (1, 1, 0)
        assert sums(log, fault(name, 2, 6, [1])) == (0, 1, 1)


def test_a_second_run_redoes_nothing():
    log = said(begins(1, 1, "a"), (2, 2, "a", "begins: try 1, beside "
                                   "another, slot 3, child 12"),
               (3, 2, "a", "dropped: the lease was lost or the job ended"),
               (4, 1, "a", "done in 3000 ms, CPU 1 ms"))
    assert sums(log) == (0, 0, 0)

"""Which tasks were begun more than once, by which fault, and what each place
(a slot of a worker) lost by it: from what workerd said, and what was done.

A fault may cost a place the task that it runs, and no other.  Only the plan of
a film stands in Redis alone: what a replica had not seen is planned again from
the store, and is told apart."""

import collections
import datetime
import re
import time

LINE = re.compile(r'time=(\S+) level=\w+ pid=(\d+) job=(\S+) task=(\S+) '
                  r'msg="(.*)"$')
BEGINS = re.compile(r"begins: try \d+(, beside another)?, slot (\d+), "
                    r"child (\d+)$")
ENDS = re.compile(r"(done in |done, but |dropped: |[A-Z_]+ in .*; the task "
                  r"is \w+$)")

# seconds before it that Redis forgets by it
FORGETS = {"fail_over": 1, "empty_redis": float("inf")}
REDIS = "kill_redis", "freeze_redis", "fail_over", "empty_redis"
# who slept says only afterwards what it had claimed or begun
AWAKE_S = 1


class Fault:
    def __init__(self, name):
        self.name, self.begin, self.end = name, time.time(), float("inf")
        self.workers, self.children = set(), set()


class Run:
    """of a task by a place, until workerd said how it ended ("": never)"""

    def __init__(self, at, worker, begins):
        self.begin, self.end, self.said = at, float("inf"), ""
        self.worker, self.child = worker, int(begins.group(3))
        self.second = begins.group(1) is not None
        self.place = worker, int(begins.group(2))

    def during(self, fault, late=0):
        return (self.begin <= fault.end + late and
                self.end >= fault.begin - FORGETS.get(fault.name, 0))

    def told(self):
        """Redis knew that it was done"""
        return self.said.startswith("done in ")


def runs(said):
    """of each task, in the order of their beginnings"""
    out = collections.defaultdict(list)
    for line in said.splitlines():
        m = LINE.match(line)
        if not m:
            continue
        at = datetime.datetime.fromisoformat(
            m[1].replace("Z", "+00:00")).timestamp()
        task, begins = out[m[3], m[4]], BEGINS.match(m[5])
        if begins:
            task.append(Run(at, int(m[2]), begins))
        elif ENDS.match(m[5]):
            for r in task:
                if r.worker == int(m[2]) and r.said == "":
                    r.end, r.said = at, m[5]
    return out


def undone(task):
    """all but the one that counted"""
    done = [r for r in task if r.told()] or task
    return [r for r in task if r is not done[-1]]


def cause(run, faults):
    """the fault that this run was lost by; None: there is none"""
    code = run.said.split(" ")[0]
    if run.second:
        return None                     # nothing was lost by it
    for f in reversed(faults):
        own = run.worker in f.workers
        lease = (f.name == "freeze_worker" and own or f.name in REDIS) \
            and run.during(f, AWAKE_S)
        if lease and code in ("dropped:", "done,"):
            return f
        if run.during(f) and {
                "NO_SPACE": f.name == "fill_disk",
                "SHUTDOWN": f.name == "end_worker" and own,
                "CRASHED": f.name == "kill_child" and run.child in f.children,
                "": f.name in ("kill_worker", "end_worker") and own,
                "done": f.name in FORGETS}.get(code, False):
            return f
    return None


class Redone:
    """the sum: of each fault, what each place hit did again"""

    def __init__(self, said, faults):
        tasks = runs(said)
        self.lost = {f: collections.Counter() for f in faults}
        self.nobody = []                # (job, task, how its run ended)
        self.second = self.planned = 0
        for f in faults:                # what was killed, whatever came of it
            for run in (r for t in tasks.values() for r in t):
                if run.child in f.children and run.during(f):
                    self.lost[f][run.place] += 0
        for name, task in tasks.items():
            for run in undone(task):
                f = cause(run, faults)
                if f is not None and run.told() and name[1] == "plan":
                    self.planned += 1
                elif f is not None:
                    self.lost[f][run.place] += 1
                elif run.second:
                    self.second += 1
                else:
                    self.nobody.append((*name, run.said or "nothing said"))

    def places(self):
        return sum(len(c) for c in self.lost.values())

    def tasks(self):
        return (sum(sum(c.values()) for c in self.lost.values())
                + len(self.nobody))

    def per_place(self):
        return self.tasks() / max(1, self.places())

    def wrong(self):
        for f, places in self.lost.items():
            for (worker, slot), n in places.items():
                if n > 1:
                    yield ("slot %d of workerd %d did %d tasks again for one "
                           "%s" % (slot, worker, n, f.name))
        for job, task, said in self.nobody:
            yield "no fault, and yet done again: %s of %s: %s" % (task, job,
                                                                  said)

    def table(self):
        yield "%-14s %6s %11s %16s %18s" % (
            "fault", "times", "places hit", "tasks done again",
            "most of one place")
        for name in sorted({f.name for f in self.lost}):
            of = [c for f, c in self.lost.items() if f.name == name]
            counts = [n for c in of for n in c.values()]
            yield "%-14s %6d %11d %16d %18d" % (
                name, len(of), len(counts), sum(counts),
                max(counts, default=0))
        yield "%-14s %6s %11s %16d" % ("none", "", "", len(self.nobody))
        yield ("beside these: %d films planned again that Redis forgot, %d "
               "second runs of stragglers" % (self.planned, self.second))

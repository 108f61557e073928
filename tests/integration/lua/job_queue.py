"""The transitions of lib/job/lua, called as the daemon calls them: the text
that scripts/embed-lua puts into C is what is sent to Redis."""

import glob
import json
import os
import re
import subprocess

import job_hash

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
K = "reel1:{r0}:"
FIELDS = 11             # of a claim
ASSET = "01j0000000000000000000000%s"


def scripts():
    lua = sorted(glob.glob(os.path.join(TOP, "lib/job/lua/*.lua")))
    header = subprocess.run([os.path.join(TOP, "scripts/embed-lua")] + lua,
                            check=True, capture_output=True,
                            text=True).stdout
    out = {}
    for name, body in re.findall(r"char lua_(\w+)\[\] =\n(.*?)\n    ;",
                                 header, re.S):
        # C's escapes that occur here are JSON's too
        out[name] = "".join(json.loads(x.strip())
                            for x in body.split("\n"))
    return out


class Claim:
    def __init__(self, fields, worker):
        self.worker = worker
        (self.job, self.task, self.type, self.token, self.payload,
         self.attempt, self.timeout, self.project, self.pipeline, self.queue,
         self.wait_ms) = fields


def task(name, deps="", cls="encode", cost=100, attempts=3, timeout=600,
         rend="", work=0, payload="{}", type="encode_video", slots=None,
         memory=0, labels="", priority=4):
    if slots is None:
        slots = 0 if cls == "light" else 1
    return [name, type, slots, memory, labels, priority, payload, cost,
            attempts, timeout, rend, work, deps]


class Queue:
    def __init__(self, redis):
        self.redis = redis
        self.text = scripts()
        self.nonce = 0

    def eval(self, name, key, *argv):
        return self.redis("EVAL", self.text[name], 1, K + key, K, *argv)

    def submit(self, job, project="p1", created=1000, payload="{}",
               attempts=3, timeout=60):
        asset, publication = job.split(".")
        return self.eval("submit", "job:" + job, job, asset, publication,
                         project, "default", created, payload, attempts,
                         timeout)[0]

    def steps(self, done=(), claims=1, worker="w1", lease=30000, free=8,
              room=1 << 16, places=9, slots=8, memory=1 << 16, places_all=9,
              labels=""):
        """(outcomes of the completions, Claims); claims=0: claims nothing"""
        self.nonce += 1
        has = " ".join(map(str, (claims, free, room, places, slots, memory,
                                 places_all))) if claims else ""
        r = self.eval("step", "lease", worker, "%016x" % self.nonce, lease,
                      has, labels, *[x for c in done
                                     for x in (c.job, c.task, c.token)])
        said, r = r[:len(done)], r[len(done):]
        self.reserved = r[-1:] == ["reserved"]
        r = r[:-1] if self.reserved else r
        assert len(r) % FIELDS == 0, r
        return said, [Claim(r[i:i + FIELDS], worker)
                      for i in range(0, len(r), FIELDS)]

    def step(self, done=None, worker=None, free=8, lights=2, **kw):
        """of one: (outcome of the completion, Claim or None); free=None:
        claims nothing, 0: light tasks only; lights: 2, as when none runs, 1,
        or 0, when there is place for no more"""
        said, claims = self.steps(
            (done,) if done else (), 1 if free is not None else 0,
            worker or (done.worker if done else "w1"), free=free,
            places=(0, 5, 9)[lights], **kw)
        return said[0] if done else "none", claims[0] if claims else None

    def claim(self, **kw):
        outcome, c = self.step(**kw)
        assert outcome == "none", outcome
        return c

    def complete(self, claim):
        """completes without claiming"""
        return self.step(claim, free=None)[0]

    def second(self, worker="w2", lease=30000, beyond=30000, free=8,
               room=1 << 16, labels=""):
        """a second run of a straggler, or None"""
        self.nonce += 1
        r = self.eval("straggler", "lease", worker, "%016x" % self.nonce,
                      lease, beyond, free, room, labels)
        assert r[0] == "none", r
        return Claim(r[1:], worker) if len(r) > 1 else None

    def renew(self, *claims, lease=30000):
        argv = []
        for c, permille in claims:
            argv += [c.job, c.task, c.token, permille]
        return self.eval("renew", "lease", lease, len(claims), *argv)

    def fail(self, c, cls="retry", code="IO", stage="s", detail="d", log="l",
             backoff=0):
        return self.eval("fail", "job:" + c.job, c.job, c.task, c.token, cls,
                         code, stage, detail, log, backoff)[0]

    def expand(self, c, *tasks):
        return self.eval("expand", "job:" + c.job, c.job, c.task, c.token,
                         *[x for t in tasks for x in t])[0]

    def cancel(self, job):
        return self.eval("cancel", "job:" + job, job)[0]

    def sweep(self, limit=64):
        return [int(x) for x in self.eval("sweep", "lease", 0, limit)]

    def planned(self, job, *tasks, **kw):
        """submits a job, and brings it to its expanded state"""
        assert self.submit(job, **kw) == "ok"
        inspect = self.claim(free=0)
        assert (inspect.job, inspect.task) == (job, "inspect")
        outcome, plan = self.step(inspect, free=0)
        assert (outcome, plan.job, plan.task) == ("ok", job, "plan")
        assert self.expand(plan, *tasks) == "ok"
        return plan

    # what stands in Redis

    def field(self, job, name):
        return job_hash.get(self.redis, K + "job:" + job, name)

    def hash(self, job):
        flat = self.redis("HGETALL", K + "job:" + job)
        return dict(zip(flat[::2], flat[1::2]))

    def put(self, job, **words):
        job_hash.put(self.redis, K + "job:" + job, **words)

    def state(self, job, t=None):
        return self.field(job, "state" if t is None else t + ":s")

    def progress(self, job):
        flat = self.redis("HGETALL", K + "progress:" + job)
        return dict(zip(flat[::2], flat[1::2]))

    def ready(self, queue, project="p1"):
        return self.redis("ZRANGE", K + "ready:" + queue + ":" + project, 0,
                          -1)

    def count(self, key):
        return self.redis("ZCARD", K + key)

    def done(self):
        out = []
        for _, flat in self.redis("XRANGE", K + "done", "-", "+"):
            out.append(dict(zip(flat[::2], flat[1::2])))
        return out

"""An encode that hangs on one worker is run once more by another."""

import json
import os
import re
import signal
import subprocess

from reel import BUILD, K, SMALL, Stack, clip, wait_for
from test_metrics import free_port, scrape
from test_workerd_kill import gone


def encoder(stack, run="try 1"):
    """pid of the child that encodes"""
    m = re.search(r"task=v0\.0 msg=.begins: %s, slot \d+, child (\d+)" % run,
                  stack.said())
    return m and int(m[1])


def reelctl(stack, *argv):
    out = subprocess.run(
        [os.path.join(BUILD, "bin", "reelctl"), *argv, "--redis",
         "unix:" + stack.socket], check=True, capture_output=True,
        text=True).stdout
    return json.loads(out) if "--json" in argv else out


def states(stack, task):
    """what K:events says of it"""
    return [(e["state"], e["worker"])
            for e in (dict(zip(flat[::2], flat[1::2]))
                      for _, flat in stack.redis("XRANGE", K + "events", "-",
                                                 "+"))
            if e["task"] == task]


def test_a_child_that_hangs():
    port = free_port()
    with Stack(straggler_s=1) as s:
        s.start_redis()
        s.pipeline("slow", SMALL.replace("ultrafast", "slow"))
        one = s.start_workerd("--slots", "1", worker="one")
        a = s.put(clip(8), "slow")
        pid = wait_for(lambda: encoder(s))
        os.kill(pid, signal.SIGSTOP)

        s.start_workerd("--slots", "1", worker="two",
                        metrics="127.0.0.1:%d" % port)
        wait_for(lambda: s.task(a, "v0.0", "second"))
        shown = reelctl(s, "tasks", "--json")["running"]
        assert [(t["worker"], t["second"]) for t in shown
                if t["task"] == "v0.0"] == [("one", "two")]
        assert " one and two" in reelctl(s, "tasks")
        assert " one and two" in reelctl(s, "jobs", a + ".1")

        s.check_ready(a, frames=240, seconds=8)
        # the one that hung hears of it, and goes on with other things
        wait_for(lambda: gone(pid), 5)
        assert one.proc.poll() is None
        assert s.task(a, "v0.0", "worker") == "two"
        assert s.task(a, "v0.0", "n") == "2"
        assert states(s, "v0.0") == [("running", "one"), ("second", "two"),
                                     ("done", "two")]
        assert [x for x, _ in states(s, "publish")] == ["running", "done"]
        assert scrape(port)[0]("reel_second_runs_total", outcome="won") == 1
        assert s.redis("EXISTS", K + "second", K + "lease") == 0


def test_deleted_while_two_run():
    with Stack(straggler_s=1, sweep_s=1, sweep_age_s=1, outbox_s=600) as s:
        s.start_redis()
        s.pipeline("slow", SMALL.replace("ultrafast", "veryslow"))
        workers = [s.start_workerd("--slots", "1", worker="one")]
        a = s.put(clip(8), "slow")
        first = wait_for(lambda: encoder(s))
        os.kill(first, signal.SIGSTOP)
        workers.append(s.start_workerd("--slots", "1", worker="two"))
        second = wait_for(lambda: encoder(s, "try 2, beside another"))
        os.kill(second, signal.SIGSTOP)
        assert s.task(a, "v0.0", "second")

        s.write(s.path(a, "tombstone"), b"")
        wait_for(lambda: gone(first) and gone(second))
        wait_for(lambda: not os.path.exists(s.pending(a)))
        assert s.job_state(a) == "cancelled"
        wait_for(lambda: s.redis("EXISTS", K + "second", K + "lease") == 0)
        assert s.tasks(a)["v0.0"] == "cancelled"
        wait_for(lambda: os.listdir(s.folder(a)) == ["tombstone"])
        assert states(s, "publish") == []
        assert [w.proc.poll() for w in workers] == [None, None]

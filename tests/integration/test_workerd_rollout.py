"""Pipelines that change while jobs run: on one worker, and on one after the
other."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

import client
from reel import BUILD, K, Stack, clip, ulid, wait_for

PIPELINE = """
gop_ms: 1000
renditions:
  - { short_side: 90, crf: 30, max_kbps: 300, buf_kbits: 400,
      preset: ultrafast }
storyboard: { interval_s: 0 }
audio: { kbps: 0 }
tasks:
  poster: false
%s"""

PROGRAM = """\
  x: { type: exec, command: [/bin/true, %s], after: encode_video }
"""

# what comes after w was planned long before
TWO = """\
  w: { type: exec, command: [/bin/sleep, '3'] }
  x: { type: exec, command: [/bin/sh, -c, 'echo %s > out/a'],
       outputs: [a], after: w }
"""


def film():
    return clip(2, size="160x90")


def hurry(s):
    """what is delayed is due"""
    for m in s.redis("ZRANGE", K + "delay", 0, -1):
        s.redis("ZADD", K + "delay", "XX", 1, m)


def wait(s, asset):
    def ended():
        hurry(s)
        return s.result(asset) and not os.path.exists(s.pending(asset))
    wait_for(ended, 90)
    return s.result(asset)


def waits(s, asset, task):
    def lacks():
        return s.task(asset, task, "lacks")
    return wait_for(lacks)


def an_hour_ago(s, asset, task):
    """it has waited so long, and was looked at often"""
    s.redis("HSET", "%sjob:%s.1" % (K, asset), task + ":lacks",
            "%d 30" % (time.time() * 1000 - 3601000))


def test_a_pipeline_that_half_of_the_workers_have():
    with Stack(slots=1) as s:
        s.pipeline("changed", PIPELINE % (PROGRAM % 1))
        s.start_redis()
        s.start_workerd()
        new = os.path.join(s.dir, "new")
        shutil.copytree(s.pipelines, new)
        for name, n in ("changed", 2), ("added", 3):
            with open(os.path.join(new, name + ".yaml"), "w") as f:
                f.write(PIPELINE % (PROGRAM % n))
        wait_for(lambda: s.redis("ZCARD", K + "workers") == 1)
        s.start_workerd(pipelines=new)
        wait_for(lambda: s.redis("ZCARD", K + "workers") == 2)
        ids = [s.put(film(), pipeline=p)
               for p in ("changed", "added") for _ in range(6)]
        for asset in ids:
            r = wait(s, asset)
            assert r["ready"], r
        # it was not luck
        assert "THIS WORKER LACKS WHAT A TASK NEEDS" in s.said()


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_reload_is_not_the_end_of_planned_jobs(how):
    with Stack() as s:
        s.pipeline("p", PIPELINE % (TWO % "one"))
        s.start_redis()
        w = s.start_workerd()
        a = s.put(film(), pipeline="p")
        wait_for(lambda: s.tasks(a).get("w") == "running")
        if how == "changed":
            s.pipeline("p", PIPELINE % (TWO % "two"))
        else:
            os.unlink(os.path.join(s.pipelines, "p.yaml"))
        w.kill(signal.SIGHUP)
        wait_for(lambda: "reloaded" in s.said())
        assert s.tasks(a)["x"] == "waiting"
        r = s.wait(a)
        assert r["ready"] and s.task(a, "x", "n") == "1", r
        with open(s.path(a, "file", r["files"][0]["object"])) as f:
            assert f.read() == "one\n"


def restart(s, w):
    """as a service is; what ran is given back"""
    w.kill(signal.SIGTERM)
    assert w.wait() == 0
    return s.start_workerd(drain_s=0)


def test_behind_a_restart_a_film_runs_the_command_of_now():
    with Stack(drain_s=0) as s:
        s.pipeline("p", PIPELINE % (TWO % "one"))
        s.start_redis()
        w = s.start_workerd()
        a = s.put(film(), pipeline="p")
        wait_for(lambda: s.tasks(a).get("w") == "running")
        s.pipeline("p", PIPELINE % (TWO % "two"))
        restart(s, w)
        r = wait(s, a)
        assert r["ready"], r
        with open(s.path(a, "file", r["files"][0]["object"])) as f:
            assert f.read() == "two\n"
        assert "has another command since it was planned" in s.said()
        assert "THIS WORKER LACKS" not in s.said()


def test_a_film_whose_task_changed_otherwise_is_cancelled_and_retried():
    with Stack(drain_s=0) as s:
        s.pipeline("p", PIPELINE % (TWO % "one"))
        s.start_redis().start_nginx(http="reel_pipelines p;")
        w = s.start_workerd()
        with open(film(), "rb") as f:
            a = client.put(client.presign(
                s.url, "PUT", "/upload/video/clip.mp4",
                **{"reel-pipeline": "p", "reel-asset": ulid()}), f.read())
        wait_for(lambda: s.tasks(a).get("w") == "running")
        s.pipeline("p", PIPELINE % (TWO % "two").replace("out/a", "out/b")
                   .replace("[a]", "[b]"))
        restart(s, w)
        waits(s, a, "x")
        assert "put it back, or cancel the film and retry it" in s.said()
        for verb in "cancel", "retry":
            out = subprocess.run(
                [os.path.join(BUILD, "bin", "reelctl"), verb, a, "--server",
                 s.url, "--keys", os.path.join(s.dir, "keys.json")],
                capture_output=True, text=True)
            assert out.returncode == 0, out
            wait_for(lambda: verb == "retry" or s.result(a))
        assert s.wait(a, 2)["ready"]
        r = s.result(a)
        with open(s.path(a, "file", r["files"][0]["object"])) as f:
            assert f.read() == "two\n"


def test_an_unknown_pipeline_waits_for_an_hour():
    with Stack() as s:
        s.start_redis().start_workerd()
        a = s.put(film(), pipeline="nosuch")
        waits(s, a, "plan")
        assert s.result(a) is None
        an_hour_ago(s, a, "plan")
        r = wait(s, a)
        assert (r["ready"], r["code"], r["stage"]) \
            == (False, "BAD_PIPELINE", "plan"), r
        assert "nosuch" in r["log"]


def test_an_operator_puts_the_program_there():
    with Stack() as s:
        program = os.path.join(s.dir, "program")
        s.pipeline("p", PIPELINE % (
            "  x: { type: exec, command: %s }\n" % program))
        s.start_redis().start_workerd()
        a = s.put(film(), pipeline="p")
        waits(s, a, "x")
        assert ("p.yaml:10: x cannot run on this machine: " + program
                + ": No such file") in s.said()
        with open(program, "w") as f:
            f.write("#!/bin/sh\nexit 0\n")
        os.chmod(program, 0o755)
        r = wait(s, a)
        assert r["ready"], r


def test_a_retry_after_the_operator_goes_on_from_there():
    with Stack(reuse=True, sweep_s=1, sweep_age_s=1) as s:
        program = os.path.join(s.dir, "program")
        s.pipeline("p", PIPELINE % (
            "  x: { type: exec, command: %s, after: encode_video }\n"
            % program))
        s.start_redis().start_workerd()
        a = s.put(film(), pipeline="p")
        waits(s, a, "x")
        an_hour_ago(s, a, "x")
        r = wait(s, a)
        assert (r["ready"], r["code"], r["retryable"]) \
            == (False, "BAD_PIPELINE", True), r
        made = s.objects(a)
        assert [o for o in made if o.startswith("v")]
        # one of the same age that no retry helps is swept meanwhile
        b = s.put(b"no film" * 1000)
        assert wait(s, b)["retryable"] is False
        stale = os.path.join(s.store, "scratch", b + ".1")
        s.write(os.path.join(stale, "x"), b"")
        wait_for(lambda: not os.path.exists(stale))
        assert s.objects(a) == made
        shutil.copy("/bin/true", program)
        s.put_pending(a, 2)
        r = s.wait(a, 2)
        assert r["ready"], r
        assert 'job=%s.2 task=v0.0 msg="is not done again' % a in s.said()


def test_the_film_goes_without_an_optional_program():
    with Stack() as s:
        s.pipeline("p", PIPELINE % (
            "  x: { type: exec, command: /nowhere/x, optional: true,"
            " outputs: [a] }\n"))
        s.start_redis().start_workerd()
        a = s.put(film(), pipeline="p")
        waits(s, a, "x")
        an_hour_ago(s, a, "x")
        r = wait(s, a)
        assert r["ready"], r
        assert [w["code"] for w in r["warnings"]] == ["GIVEN_UP"]


def test_check_says_what_live_workers_lack():
    """Before a film waits for it; as of their last read."""
    with Stack(slots=1) as s:
        program = os.path.join(s.dir, "words")
        text = PIPELINE % ("  x: { type: exec, command: [%s] }\n" % program)
        s.pipeline("words", text)
        s.start_redis()
        w = s.start_workerd()
        file = s.write(os.path.join(s.dir, "words.yaml"), text.encode())

        def check(file=file):
            p = s.ctl("pipeline", "check", file, "--redis",
                      "unix:" + s.socket, "--json")
            said = json.loads(p.stdout)
            assert p.returncode == (1 if said["unmet"] else 0), p.stderr
            return {u["task"] for u in said["unmet"]}

        wait_for(lambda: s.redis("ZCARD", K + "workers"))
        worker = s.redis("ZRANGE", K + "workers", 0, 0)[0]
        wait_for(lambda: s.redis("HEXISTS", K + "worker:" + worker,
                                 "pipelines"))
        assert check() == {"x"}
        p = s.start_nginx(http="reel_pipelines words default;").ctl(
            "doctor", "--redis", "unix:" + s.socket)
        assert "\nok    pipeline  workers have all that the server offers " \
            "(2)\n" in p.stdout, p.stdout
        s.kill_nginx()
        s.start_nginx(http="reel_pipelines other words;")
        p = s.ctl("doctor", "--redis", "unix:" + s.socket)
        assert p.returncode == 1
        assert '\nFAIL  pipeline  the server takes uploads for "other", ' \
            "which no worker has" in p.stdout, p.stdout
        shutil.copy("/bin/true", program)
        w.kill(signal.SIGHUP)
        wait_for(lambda: check() == set())
        other = s.write(os.path.join(s.dir, "other.yaml"), text.encode())
        assert check(other) == {"plan", "x"}
        s.pipeline("other", text)
        w.kill(signal.SIGHUP)
        wait_for(lambda: check(other) == set())
        p = s.ctl("doctor", "--redis", "unix:" + s.socket)
        assert "offers (2)\n" in p.stdout, p.stdout

        # one of two lacks it
        os.unlink(os.path.join(s.pipelines, "other.yaml"))
        s.start_workerd(worker="second")
        wait_for(lambda: s.redis("HEXISTS", K + "worker:second",
                                 "pipelines"))
        p = s.ctl("doctor", "--redis", "unix:" + s.socket)
        assert 'takes uploads for "other", which 1 of 2 workers lack: ' \
            "second\n" in p.stdout, p.stdout

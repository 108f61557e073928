"""What hits between two moments: errors and answers of Redis that come at
the wrong time, and a name that takes long to resolve."""

import hashlib
import os
import re
import signal
import socket
import threading
import time

import pytest

from reel import HERE, K, Stack, clip, run, wait_for
from test_workerd_kill import gone


class Proxy:
    """Between workerd and Redis.  `command(name, args)` sees each command
    before Redis does and may return another; `answer(name, raw)` holds each
    answer back as long as it does not return.  name is the script's, or the
    command's."""

    def __init__(self, stack, command=None, answer=None):
        self.upstream = stack.socket
        self.path = os.path.join(stack.dir, "proxy.sock")
        self.command = command or (lambda name, args: None)
        self.answer = answer or (lambda name, raw: None)
        self.scripts = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self._thread(self._accept)

    def close(self):
        # it would go on waiting for the next
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @staticmethod
    def _thread(fn, *args):
        threading.Thread(target=fn, args=args, daemon=True).start()

    def _accept(self):
        while True:
            try:
                down, _ = self.listener.accept()
            except OSError:
                return
            up = socket.socket(socket.AF_UNIX)
            up.connect(self.upstream)
            asked = []
            self._thread(self._commands, down, up, asked)
            self._thread(self._answers, down, up, asked)

    def _name(self, args):
        first = args[0].upper()
        if first == b"SCRIPT":
            found = re.search(rb"ERR reel: (\w+): ", args[2])
            if found:
                sha = hashlib.sha1(args[2]).hexdigest().encode()
                self.scripts[sha] = found.group(1).decode()
        if first == b"EVALSHA":
            return self.scripts.get(args[1], "EVALSHA")
        return first.decode()

    def _commands(self, down, up, asked):
        f = down.makefile("rb")
        try:
            while True:
                n = f.readline()
                if not n.endswith(b"\r\n"):
                    return
                args = []
                for _ in range(int(n[1:])):
                    size = int(f.readline()[1:])
                    args.append(f.read(size + 2)[:-2])
                name = self._name(args)
                asked.append(name)
                args = self.command(name, args) or args
                up.sendall(b"*%d\r\n" % len(args) + b"".join(
                    b"$%d\r\n%s\r\n" % (len(a), a) for a in args))
        except OSError:
            return
        finally:
            shut(up)

    def _answers(self, down, up, asked):
        f = up.makefile("rb")
        name = None
        try:
            while True:
                raw = read_raw(f)
                # messages follow a SUBSCRIBE unasked
                name = name if name == "SUBSCRIBE" else asked.pop(0)
                self.answer(name, raw)
                down.sendall(raw)
        except (OSError, EOFError):
            return
        finally:
            shut(down)


def shut(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def read_raw(f):
    line = f.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError
    if line[:1] == b"$" and line[1:3] != b"-1":
        return line + f.read(int(line[1:]) + 2)
    if line[:1] == b"*":
        return line + b"".join(read_raw(f) for _ in range(int(line[1:])))
    return line


@pytest.fixture
def stack():
    with Stack() as s:
        s.start_redis()
        yield s


@pytest.fixture
def proxy(stack):
    """proxy(…) makes one, and its address for reel.yaml"""
    made = []

    def make(**hooks):
        made.append(Proxy(stack, **hooks))
        return "unix:" + made[-1].path
    yield make
    for p in made:
        p.close()


# errors

def test_redis_without_memory_fails_no_plan(stack, proxy):
    def command(name, args):
        if name == "expand" and "OOM" not in stack.said():
            stack.redis("CONFIG", "SET", "maxmemory", "1")
            t = threading.Timer(1.5, stack.redis,
                                ("CONFIG", "SET", "maxmemory", "0"))
            t.daemon = True
            t.start()
    a = stack.put(clip(8))
    stack.start_workerd(redis=proxy(command=command), lease_s=10)
    stack.check_ready(a, frames=240)
    assert "refused the report: OOM command not allowed" in stack.said()
    assert stack.task(a, "plan", "n") == "1"
    assert stack.task(a, "plan", "err") is None


@pytest.mark.parametrize("error", [
    "LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "MISCONF Redis is configured to save RDB snapshots",
    "BUSY Redis is busy running a script."])
def test_an_error_of_redis_fails_no_plan(stack, proxy, error):
    asked = []

    def command(name, args):
        if name == "expand":
            asked.append(name)
            if len(asked) == 1:
                return [b"EVAL", b"return redis.error_reply(ARGV[1])", b"0",
                        error.encode()]
    a = stack.put(clip(8))
    at = proxy(command=command)
    stack.start_workerd(redis=at)
    wait_for(lambda: stack.task(a, "plan", "s") == "done")
    # a server that cannot answer as it is now is left and looked for anew
    said = {"LOADING": "redis: %s (%s)" % (error, at),
            "READONLY": "redis: it is a replica now (%s)" % at}
    assert "redis: connected to " + at in stack.said()
    assert said.get(error.split()[0], "refused the report: " + error) \
        in stack.said()
    assert stack.task(a, "plan", "n") == "1" and len(asked) == 2


def test_a_plan_that_the_script_refuses_fails(stack, proxy):
    with open(os.path.join(stack.pipelines, "small.yaml")) as f:
        text = f.read()
    stack.pipeline("small", text.replace("inspect: { attempts: 3",
                                         "inspect: { attempts: 1"))

    def command(name, args):
        if name == "expand":
            return args[:-1]
    a = stack.put(clip(8))
    stack.start_workerd(redis=proxy(command=command))
    r = stack.wait(a, timeout=30)
    assert (r["ready"], r["code"], r["stage"]) \
        == (False, "INTERNAL", "plan"), r
    assert "ERR reel: expand: wrong number of arguments" in r["log"]


# the end of a worker

class Hold:
    """holds back the claim that brings a task of this name"""

    def __init__(self, task):
        self.mark = b"\r\n$%d\r\n%s\r\n" % (len(task), task)
        self.held, self.go = threading.Event(), threading.Event()

    def __call__(self, name, raw):
        if name == "step" and self.mark in raw and not self.held.is_set():
            self.held.set()
            self.go.wait(9)


# inspect comes for a claim alone, plan for one that tells of inspect
@pytest.mark.parametrize("task", ["inspect", "plan"])
def test_term_gives_back_what_a_claim_brings(stack, proxy, task):
    hold = Hold(task.encode())
    a = stack.put(clip(8))
    w = stack.start_workerd(redis=proxy(answer=hold), lease_s=60)
    assert hold.held.wait(30)
    assert stack.task(a, task, "s") == "running"
    w.kill(signal.SIGTERM)
    time.sleep(0.5)
    assert w.proc.poll() is None, "it did not wait for the answer"
    hold.go.set()
    assert w.wait(5) == 0
    assert stack.redis("ZCARD", K + "lease") == 0
    assert stack.task(a, task, "s") in ("delayed", "ready")
    assert stack.task(a, task, "n") == "0"
    assert "task=%s msg=\"begins" % task not in stack.said()

    stack.start_workerd()
    stack.check_ready(a, frames=240)
    assert {stack.task(a, t, "n") for t in stack.tasks(a)} == {"1"}


def test_term_waits_so_long_and_no_longer(stack, proxy):
    hold = Hold(b"inspect")
    stack.put(clip(8))
    w = stack.start_workerd(redis=proxy(answer=hold), drain_s=0)
    assert hold.held.wait(30)
    w.kill(signal.SIGTERM)
    before = time.monotonic()
    assert w.wait(8) == 0
    assert time.monotonic() - before > 4
    assert "0 tasks untold and a claim unanswered" in stack.said()
    hold.go.set()


# names

@pytest.fixture(scope="module")
def resolver(tmp_path_factory):
    so = tmp_path_factory.mktemp("resolver") / "slow.so"
    run(os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-shared", "-fPIC",
        "-o", str(so), os.path.join(HERE, "slow_resolver.c"), "-ldl")
    return str(so)


@pytest.fixture
def named(resolver, monkeypatch):
    """a stack whose Redis listens on a port too; named(host) starts workerd
    with it, slow(True) stops DNS"""
    with Stack() as s:
        with socket.socket() as p:
            p.bind(("127.0.0.1", 0))
            port = p.getsockname()[1]
        s.start_redis("--port", str(port), "--bind", "127.0.0.1")
        path = os.path.join(s.dir, "slow")

        def start(host, **conf):
            with monkeypatch.context() as m:
                m.setenv("LD_PRELOAD", resolver)
                m.setenv("REEL_SLOW", path)
                m.setenv("ASAN_OPTIONS", "verify_asan_link_order=0")
                return s.start_workerd(redis="%s:%d" % (host, port), **conf)

        def slow(on):
            if on:
                open(path, "w").close()
            else:
                os.unlink(path)
        s.start_named, s.slow = start, slow
        s.asked = lambda: os.path.exists(path + ".asked")
        s.listeners = lambda: s.redis("PUBSUB", "NUMSUB", K + "wake")[1]
        yield s


def test_a_name_is_resolved(named):
    a = named.put(clip(8))
    named.start_named("slow.test")
    named.check_ready(a, frames=240)
    wait_for(lambda: named.listeners() == 1)


def test_work_goes_on_while_a_name_is_resolved(named):
    named.start_named("slow.test")
    wait_for(lambda: named.listeners() == 1)
    named.slow(True)
    named.redis("CLIENT", "KILL", "TYPE", "pubsub")
    wait_for(named.asked)

    # without a wake-up: the loop polls
    a = named.put(b"no film")
    assert named.wait(a, timeout=10)["code"] == "NOT_A_VIDEO"
    assert named.listeners() == 0

    named.slow(False)
    wait_for(lambda: named.listeners() == 1)


def test_term_while_a_name_is_resolved(named):
    named.slow(True)
    w = named.start_named("slow.test")
    wait_for(named.asked)
    children = wait_for(w.children)
    w.kill(signal.SIGTERM)
    assert w.wait(5) == 0
    wait_for(lambda: all(gone(p) for p in children), 5)


def test_a_name_that_is_none_is_said(named):
    w = named.start_named("none.test")
    wait_for(lambda: "cannot connect: Name or service not known"
             in named.said())
    assert w.proc.poll() is None

"""What ends while a step is under way: it is told with the next, at once."""

import pytest

from reel import Stack, clip, wait_for
from test_workerd_edges import Proxy

# of a step as it is sent: completions stand behind these, …
FIXED = 10
# … and this is "" where it claims nothing
ROOM = 8
# of a task that is completed: job, task, token
EACH = 3


class Watch:
    """Holds back the answer to the first step in which a task was told while
    two more run, until these have ended; `sent`: what each step tells, a list
    of tasks; `held`: how many ended meanwhile, `at`: how many steps were sent
    by then."""

    def __init__(self, stack):
        self.proxy = Proxy(stack, command=self.command, answer=self.answer)
        self.sent, self.held, self.at, self.worker = [], 0, 0, None

    def start(self, stack, **conf):
        self.worker = stack.start_workerd(
            redis="unix:" + self.proxy.path, slots=4, lease_s=60, **conf)
        return self.worker

    def command(self, name, args):
        if name != "step":
            return None
        tasks = [a.decode() for a in args[FIXED + 1::EACH]]
        self.sent.append(tasks)
        return self.change(tasks, args)

    def change(self, tasks, args):
        return None

    def answer(self, name, raw):
        n = len(self.worker.children()) if self.worker else 0
        if name == "step" and self.sent[-1] and not self.held and n >= 2:
            self.held, self.at = n, len(self.sent)
            wait_for(lambda: not self.worker.children())


@pytest.fixture
def stack():
    with Stack() as s:
        s.start_redis()
        yield s


def check_once(stack, asset):
    stack.check_ready(asset, frames=360)
    # its result stands before the end of publish is told
    wait_for(lambda: stack.said().count(" msg=\"done in")
             == len(stack.tasks(asset)))
    assert set(stack.tasks(asset).values()) == {"done"}
    assert {stack.task(asset, t, "n") for t in stack.tasks(asset)} == {"1"}
    assert "the lease was lost" not in stack.said()


def test_several_ends_are_told_at_once(stack):
    watch = Watch(stack)
    a = stack.put(clip(12))
    watch.start(stack)
    check_once(stack, a)
    assert watch.held >= 2
    assert len(watch.sent[watch.at]) >= watch.held, watch.sent
    watch.proxy.close()


def test_of_several_that_redis_refuses_each_goes_alone(stack):
    class Refuse(Watch):
        refused = ()

        def change(self, tasks, args):
            if len(tasks) > 1 and not self.refused:
                self.refused = tasks
                return [b"EVAL", b"return redis.error_reply(ARGV[1])", b"0",
                        b"WRONGTYPE of one of them"]
            return None

    watch = Refuse(stack)
    a = stack.put(clip(12))
    watch.start(stack)
    check_once(stack, a)
    assert stack.said().count("refused the report: WRONGTYPE") \
        == len(watch.refused) >= 2
    for t in watch.refused:
        assert [x for x in watch.sent if t in x] \
            == [watch.refused, [t]], watch.sent
    watch.proxy.close()


def test_what_cannot_be_claimed_keeps_no_end_untold(stack):
    """a queue that is broken, say: each end is told, by a step of its own"""
    refused = []

    def command(name, args):
        if name != "step" or not args[ROOM] or len(args) == FIXED:
            return None
        refused.append(args[FIXED + 1])
        return [b"EVAL", b"return redis.error_reply(ARGV[1])", b"0",
                b"WRONGTYPE of a queue"]

    proxy = Proxy(stack, command=command)
    a = stack.put(clip(12))
    stack.start_workerd(redis="unix:" + proxy.path, slots=4, lease_s=60)
    check_once(stack, a)
    assert refused and len(refused) == len(set(refused))
    proxy.close()


def test_an_answer_for_several_that_is_lost(stack):
    class Lose(Watch):
        def answer(self, name, raw):
            super().answer(name, raw)
            if name == "step" and len(self.sent[-1]) > 1 and not self.lost:
                self.lost = self.sent[-1]
                raise OSError

        lost = ()

    watch = Lose(stack)
    a = stack.put(clip(12))
    watch.start(stack)
    wait_for(lambda: watch.lost)
    # what Redis gave in that answer runs nowhere, until its lease ends
    for task, state in stack.tasks(a).items():
        if state == "running":
            stack.redis("ZADD", "reel1:{r0}:lease", "XX", 1, a + ".1/" + task)
    stack.check_ready(a, frames=360)
    assert set(stack.tasks(a).values()) == {"done"}
    for t in watch.lost:
        assert stack.task(a, t, "n") == "1"
        assert stack.said().count("task=%s msg=\"done in" % t) == 1
    watch.proxy.close()

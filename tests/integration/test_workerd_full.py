"""A store whose disk is full, which is a small one of the test's own."""

import os
import re

import pytest

from reel import Stack, clip, fill, mount, unmount, wait_for

PLACES = 5          # of a worker of two slots: they, and three light tasks
JOBS = 30
PAUSE = "a task found no room: none begins"


@pytest.fixture
def disk():
    with Stack() as s:
        if not mount(s.store, 256):
            pytest.skip("this user may not mount a disk")
        try:
            yield s
        finally:
            for w in s.workers:
                w.kill()
                w.wait()
            unmount(s.store)


def begun(said):
    return re.findall(r'job=(\w+)\.1 task=\w+ msg="begins:', said)


def test_a_full_disk_is_left_alone(disk):
    """A place loses the task that it runs there, and takes no other; what
    was left alone goes on as soon as there is room."""
    path = clip(1)
    films = [disk.put(path) for _ in range(JOBS)]
    filler = fill(disk.store)
    disk.start_redis()
    disk.start_workerd(limits={"disk_free_mib": 64})

    # which ends after ten seconds, for what is small might have room
    said = wait_for(lambda: disk.said().count(PAUSE) == 2 and disk.said(), 60)
    tried = begun(said)
    assert 0 < len(tried) <= 2 * PLACES, tried

    os.unlink(filler)
    for a in films:
        if a not in tried:
            assert disk.wait(a)["ready"]

    # the others wait for half a minute each, and have lost no attempt
    assert all(disk.task(a, "inspect", "n") == "0" or disk.result(a)["ready"]
               for a in tried)

"""Uploads whose nginx dies: the small form of `make chaos-upload`, and two
nginx on one store, of which one dies and stays dead."""

import os
import random
import struct
import subprocess
import sys
import time

import pytest

from client import Player, get
from reel import ROOT, Stack, clip, wait_for
from uploaders import (Ietf, Ietf6, Multipart, Put, Server, Source, Tus)

pytestmark = pytest.mark.chaos


def test_every_upload_ends_while_nginx_dies():
    out = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests", "chaos", "uploads"),
         "--uploads", "8", "--mib", "8", "--seconds", "20"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=400)
    print(out.stdout)
    assert out.returncode == 0
    assert "FIGURE chaos_upload_right 8 uploads" in out.stdout


def film(mib):
    """one that plays, and is long enough for parts: most of it is a box that
    is skipped"""
    with open(clip(8), "rb") as f:
        data = f.read()
    size = mib << 20
    return data + struct.pack(">I4s", size, b"free") + os.urandom(size - 8)


@pytest.fixture
def pair():
    """two nginx, each with a configuration and port of its own, one store"""
    with Stack() as one, Stack() as two:
        two.store, two.socket = one.store, one.socket
        one.start_redis()
        one.start_workerd()
        for s in one, two:
            s.start_nginx()
        yield one, two


def upload(server, source, name, seconds=0):
    uploads = [door(server, source, random.Random(n), "%s-%s"
                    % (name, door.__name__), seconds=seconds)
               for n, door in enumerate((Put, Multipart, Tus, Ietf, Ietf6))]
    for u in uploads:
        u.start()
    return uploads


def finish(uploads):
    for u in uploads:
        u.join(60)
        u.over = 0                  # no more tries
    for u in uploads:
        assert not u.is_alive(), "%s does not end" % u.path
        assert not u.failed, u.failed
    return [u.asset for u in uploads]


def test_the_other_nginx_goes_on_with_all(pair):
    """the name of the server leads to the other one; it finishes what the
    dead one had begun, by every door, and plays what came by either"""
    one, two = pair
    data = film(12)
    source = Source(data, len(data))
    server = Server(("127.0.0.1", int(one.url.rsplit(":", 1)[1])))

    assets = finish(upload(server, source, "whole"))
    uploads = upload(server, source, "half", seconds=4)
    time.sleep(2)
    early = [u.path for u in uploads if u.asset]
    one.kill_nginx()
    server.address = ("127.0.0.1", int(two.url.rsplit(":", 1)[1]))
    assets += finish(uploads)

    assert early == []
    for u in uploads:
        assert u.cuts, "%s did not notice" % u.path
        if isinstance(u, (Tus, Ietf)):
            assert max(u.resent) <= 4 << 20
            assert max(u.delays) < 1
    assert len(set(assets)) == 10
    for asset in assets:
        with open(one.path(asset, "source"), "rb") as f:
            assert f.read() == data
        one.check_ready(asset, frames=240)
        player = Player("%s/play/%s/" % (two.url, asset), get)
        assert player.play() > 0
    wait_for(lambda: not os.listdir(os.path.join(one.store, "pending")))

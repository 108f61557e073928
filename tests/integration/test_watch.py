"""reelctl watch: what is told of a job while it runs."""

import os
import pty
import re
import subprocess
import time

import client
from reel import BUILD, K, Stack, clip, wait_for


def on_a_terminal(s, *args):
    """exit code, and all that is written to stderr"""
    ours, theirs = pty.openpty()
    p = subprocess.Popen(
        [os.path.join(BUILD, "bin", "reelctl"), *args], stderr=theirs,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "REEL_SERVER": s.url,
             "REEL_KEYS": os.path.join(s.dir, "keys.json")})
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:             # the other end is closed
            break
        seen += data
    os.close(ours)
    return p.wait(), seen.decode()


def test_what_is_left_is_as_the_server_reckons():
    with Stack() as s:
        s.start_redis().start_nginx()
        with open(clip(2), "rb") as f:
            a = client.put(client.presign(s.url, "PUT", "/upload/video/x"),
                           f.read())
        progress = K + "progress:" + a + ".1"
        wait_for(lambda: s.redis("EXISTS", progress))

        # nobody works, so it is 20 s that are told of, and then more
        s.redis("HSET", progress, "state", "transcoding", "percent", 25,
                "total", 4000, "done", 1000, "total:v240", 4000, "done:v240",
                1000, "begun", int((time.time() - 20) * 1000))
        p = s.ctl("watch", a, "--timeout", "3")
        assert p.returncode == 6, p
        lines = [x for x in p.stderr.splitlines() if "transcoding" in x]
        assert len(lines) == 1, p.stderr
        assert re.fullmatch(r"preparing transcoding 25 %  v240 25 %, "
                            r"eta \d+:\d\d", lines[0]), lines

        code, seen = on_a_terminal(s, "watch", a, "--timeout", "1")
        assert code == 6
        assert re.search(r"total .* 25 % transcoding  watched 0:\d\d, "
                         r"eta \d+:\d\d", seen), seen

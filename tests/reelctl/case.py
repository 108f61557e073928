"""What the tests of reelctl share."""

import os
import shutil
import socket
import signal
import subprocess
import tempfile
import time
import unittest

ASSET = "01j8zzzzzzzzzzzzzzzzzzzzzz"
REELCTL = None                  # set by who runs the tests

OK, FAILED, USAGE, NOTFOUND, DENIED, ERRORED, UNAVAILABLE = range(7)
INTERRUPTED = 130

# whoever runs us in the background has SIGINT ignored, and so would reelctl
signal.signal(signal.SIGINT, signal.default_int_handler)


class Case(unittest.TestCase):

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="reelctl-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def environment(self, more=None):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("REEL_")}
        env["XDG_STATE_HOME"] = self.path("state")
        env.update(more or {})
        return env

    def run_ctl(self, *args, code=OK, env=None, stdin=None):
        p = subprocess.run([REELCTL, *args], env=self.environment(env),
                           text=True, input=stdin, capture_output=True,
                           timeout=120)
        self.assertEqual(p.returncode, code, (args, p.stdout, p.stderr))
        return p

    def keygen(self, name="keys.json", *more):
        path = self.path(name)
        return path, self.run_ctl("keygen", path, *more).stdout.strip()


class RedisCase(Case):

    options = ()

    def setUp(self):
        super().setUp()
        sock = self.path("r.sock")
        self.address = f"unix:{sock}"
        self.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", sock, "--dir",
             self.dir, "--save", "", "--appendonly", "yes",
             "--maxmemory-policy", "noeviction", *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        for _ in range(100):
            if os.path.exists(sock):
                return
            time.sleep(0.05)
        self.fail("redis-server did not start")

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def redis(self, *args):
        return subprocess.run(
            ["redis-cli", "-s", self.address[5:], *args], check=True,
            text=True, capture_output=True).stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

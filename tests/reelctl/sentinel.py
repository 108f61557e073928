"""reelctl and doctor behind sentinels: real ones, with a password."""

import json
import os
import subprocess

import case
from case import DENIED, UNAVAILABLE, USAGE, Case, free_port
from server import wait_for

PASSWORD, WATCH = "films-only", "sentinels-only"


class Sentinels(Case):

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end)
        self.procs = []
        self.secrets = []
        for name, text in (("pw", PASSWORD), ("watch", WATCH),
                           ("wrong", "nobody's")):
            with open(self.path(name), "w") as f:
                f.write(text + "\n")
        # a demoted master that takes what is written to it
        self.master = self.node("requirepass", PASSWORD, "replica-read-only",
                                "no")
        self.other = self.node("requirepass", PASSWORD)
        self.sentinel = self.watch(self.master)
        self.of = ("--redis-sentinel", "films", "--redis-password-file",
                   self.path("pw"))
        self.secret = ("--redis-sentinel-password-file", self.path("watch"))

    def end(self):
        for p in self.procs:
            p.kill()
            p.wait()

    def node(self, *options, sentinel=False):
        """a port, which is not another's: its answer has the process' id"""
        while True:
            port = free_port()
            home = self.path(str(port))
            os.mkdir(home)
            with open(os.path.join(home, "conf"), "w") as f:
                f.write(f"port {port}\nbind 127.0.0.1\ndir {home}\n")
                for name, value in zip(options[::2], options[1::2]):
                    f.write(f"{name} {value}\n")
            p = subprocess.Popen(
                ["redis-server", os.path.join(home, "conf"),
                 *(["--sentinel"] if sentinel else [])],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.procs.append(p)
            wait_for(lambda: p.poll() is not None or
                     f"process_id:{p.pid}" in self.redis(port, "INFO"))
            if p.poll() is None:
                return port

    def watch(self, port):
        return self.node("requirepass", WATCH, "sentinel",
                         f"monitor films 127.0.0.1 {port} 1", sentinel=True)

    def redis(self, port, *args):
        for password in PASSWORD, WATCH:
            out = subprocess.run(
                ["redis-cli", "-p", str(port), *args], text=True,
                capture_output=True,
                env={**os.environ, "REDISCLI_AUTH": password}).stdout
            if "NOAUTH" not in out:
                break
        return out.strip()

    def at(self, *ports):
        return ("--redis", ",".join(f"127.0.0.1:{p}" for p in ports))

    def test_the_master_is_asked_for(self):
        blind = self.node("requirepass", WATCH, sentinel=True)
        at = self.at(1, blind, self.sentinel)
        self.run_ctl("shards", "2", *at, *self.of, *self.secret)
        self.assertEqual(self.redis(self.master, "GET", "reel1:{r1}:shards"),
                         "2")
        p = self.run_ctl("doctor", "--json", env={
            "REEL_REDIS": at[1], "REEL_REDIS_SENTINEL": "films",
            "REEL_REDIS_PASSWORD_FILE": self.path("pw"),
            "REEL_REDIS_SENTINEL_PASSWORD_FILE": self.path("watch")})
        self.assertTrue(any(c["detail"].startswith(
            f"127.0.0.1:{self.master} answers") for c in
            json.loads(p.stdout)["checks"]), p.stdout)
        p = self.run_ctl("jobs", *self.at(1, blind), *self.of, *self.secret,
                         code=UNAVAILABLE)
        self.assertIn(f'127.0.0.1:{blind} knows no master "films"', p.stderr)

    def test_passwords(self):
        at = self.at(self.sentinel)
        p = self.run_ctl("jobs", *at, *self.of, code=DENIED)
        self.assertIn(f"127.0.0.1:{self.sentinel} refused to name the master:"
                      " NOAUTH", p.stderr)
        p = self.run_ctl("jobs", *at, *self.of, self.secret[0],
                         self.path("wrong"), code=DENIED)
        self.assertIn("WRONGPASS", p.stderr)
        self.assertNotIn("nobody's", p.stderr)
        self.redis(self.sentinel, "ACL", "SETUSER", "asks", "on", ">" + WATCH,
                   "-@all", "+sentinel|get-master-addr-by-name")
        self.run_ctl("jobs", *at, *self.of, *self.secret,
                     "--redis-sentinel-user", "asks")
        for wrong in (("--redis-sentinel-user", "asks"),
                      ("--redis-user", "reel")):
            self.run_ctl("jobs", *at, "--redis-sentinel", "films", *wrong,
                         code=USAGE)
        self.run_ctl("jobs", *at, *self.secret, code=USAGE)

    def test_a_demoted_master_is_not_written_to(self):
        """Though it is the one that the sentinel names, and would take it."""
        self.redis(self.master, "CONFIG", "SET", "masterauth", PASSWORD)
        self.redis(self.master, "REPLICAOF", "127.0.0.1", str(self.other))
        wait_for(lambda: "master_link_status:up" in self.redis(
            self.master, "INFO", "replication"))
        self.assertEqual(self.redis(self.master, "SET", "x", "y"), "OK")
        with subprocess.Popen(
                [case.REELCTL, "shards", "2", *self.at(self.sentinel), *self.of,
                 *self.secret], env=self.environment(), text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE) as p:
            self.assertIn(f"names 127.0.0.1:{self.master}, which is no master",
                          p.stderr.readline())
            self.assertEqual(self.redis(self.master, "EXISTS",
                                        "reel1:{r1}:shards"), "0")
            self.redis(self.master, "REPLICAOF", "NO", "ONE")
            self.assertEqual(p.wait(), 0)
        self.assertEqual(self.redis(self.master, "GET", "reel1:{r1}:shards"),
                         "2")

    def test_no_master_in_time(self):
        self.procs[0].kill()
        self.procs[0].wait()
        p = self.run_ctl("shards", *self.at(self.sentinel), *self.of,
                         *self.secret, code=UNAVAILABLE)
        self.assertIn("the sentinels are asked again", p.stderr)
        self.assertIn(f"cannot connect to Redis at 127.0.0.1:{self.master}",
                      p.stderr.splitlines()[-1])

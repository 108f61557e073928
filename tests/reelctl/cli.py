#!/usr/bin/env python3
"""
reelctl as a black box: help, exit codes, files, Redis, doctor; uploads to the
real module are in upload.py, the rules of players in check.py, sentinels in
sentinel.py, what workers have in fleet.py. What else needs the server is in
tests/integration. Needs redis-server and nginx; starts its own.

usage: cli.py reelctl totals-file      writes "passed failed skipped" there
"""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
import unittest
import wave

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/reelctl"))

import case                                                     # noqa: E402
import check                                                    # noqa: E402
import fleet                                                    # noqa: E402
import sentinel                                                 # noqa: E402
import upload                                                   # noqa: E402
from case import (ASSET, DENIED, FAILED, NOTFOUND, OK,          # noqa: E402
                  UNAVAILABLE, USAGE, Case, RedisCase, free_port)

COMMANDS = ("presign upload status watch list uploads abort delete retry "
            "cancel webhook meta play-url token play-token keygen jobs tasks "
            "quarantine workers top shards doctor check pipeline").split()


class Help(Case):

    def test_general(self):
        out = self.run_ctl("--help").stdout
        told = re.findall(r"(?m)^  ([a-z-]+) ", out.split("options of")[0])
        self.assertEqual(told, COMMANDS)
        self.assertEqual(self.run_ctl("help").stdout, out)

    def test_each_command(self):
        for c in COMMANDS:
            with self.subTest(c):
                out = self.run_ctl(c, "--help").stdout
                self.assertTrue(out.startswith(f"usage: reelctl {c} "))
                for needed in ("--json", "--server", "--keys", "exit codes"):
                    self.assertIn(needed, out)
                self.assertEqual(self.run_ctl("help", c).stdout, out)
                self.assertEqual(self.run_ctl(c, "-h").stdout, out)

    def test_version(self):
        out = self.run_ctl("--version").stdout
        self.assertRegex(out, r"^reelctl \d+\.\d+\.\d+\n$")
        for args in (["-V"], ["upload", "--version"], ["status", "x", "-V"]):
            self.assertEqual(self.run_ctl(*args).stdout, out)
        built = os.path.join(os.path.dirname(case.REELCTL), "workerd")
        self.assertEqual(subprocess.run(
            [built, "-V"], text=True, capture_output=True).stdout,
            out.replace("reelctl", "workerd"))

    def test_docs_name_each_command_and_option(self):
        with open(os.path.join(ROOT, "docs/reelctl.md")) as f:
            docs = f.read()
        for c in COMMANDS:
            self.assertIn(f"| `{c}", docs)
            for o in re.findall(r"(?m)^  (--[a-z0-9-]+)",
                                self.run_ctl(c, "--help").stdout):
                self.assertIn(f"`{o}", docs, c)

    def test_docs_name_no_other_option(self):
        with open(os.path.join(ROOT, "docs/reelctl.md")) as f:
            docs = f.read()
        known = set()
        for c in COMMANDS:
            known.update(re.findall(r"--[a-z0-9-]+",
                                    self.run_ctl(c, "--help").stdout))
        self.assertEqual(set(re.findall(r"--[a-z][a-z0-9-]+", docs)) - known,
                         set())


class Pipelines(Case):

    def test_check(self):
        out = self.run_ctl("pipeline", "check",
                           ROOT + "/conf/pipelines/default.yaml").stdout
        self.assertEqual(out, "default: 5 renditions, 10 tasks\n")

        bad = self.path("x.yaml")
        with open(bad, "w") as f:
            f.write("gop_ms: 1\ntasks:\n  poster: { when: heigth > 1 }\n")
        p = self.run_ctl("pipeline", "check", bad, code=FAILED)
        self.assertEqual(p.stdout, "")
        self.assertRegex(p.stderr, r"x\.yaml:1:9: gop_ms must.*\n"
                         r".*x\.yaml:3:19: when: no such fact")
        self.run_ctl("pipeline", "check", self.path("y.yaml"), code=FAILED)

    def test_show(self):
        file = ROOT + "/conf/pipelines/default.yaml"
        film = ROOT + "/tests/golden/film.inspect.json"
        with open(ROOT + "/tests/golden/default.film.plan") as f:
            self.assertEqual(self.run_ctl("pipeline", "show", file,
                                          "--source", film).stdout, f.read())

        j = json.loads(self.run_ctl("pipeline", "show", file, "--source",
                                    film, "--json").stdout)
        names = [t["name"] for t in j["tasks"]]
        self.assertEqual(j["pipeline"], "default")
        for t in j["tasks"]:
            for a in t["after"]:
                self.assertLess(names.index(a), names.index(t["name"]))

        out = self.run_ctl("pipeline", "show", file, "--format=dot").stdout
        self.assertTrue(out.startswith('digraph "default" {'))
        self.run_ctl("pipeline", "show", file, "--format=svg", code=USAGE)
        self.run_ctl("pipeline", "show", file, "--source",
                     self.path("none"), code=FAILED)


    def test_show_of_a_film(self):
        """workerd looks into it: as it is installed, as it is built"""
        film, bin_ = self.path("film.wav"), self.path("bin")
        with wave.open(film, "wb") as w:
            w.setparams((1, 2, 48000, 0, "NONE", ""))
            w.writeframes(bytes(96000))
        os.mkdir(bin_)
        show = ("pipeline", "show", "--source", film, os.path.join(
            ROOT, "conf/pipelines/default.yaml"))
        none = self.run_ctl(*show, code=FAILED, env={"PATH": bin_})
        self.assertIn("neither reel-workerd nor workerd", none.stderr)
        built = os.path.join(os.path.dirname(case.REELCTL), "workerd")
        for name in ("reel-workerd", "workerd"):
            link = os.path.join(bin_, name)
            os.symlink(built, link)
            self.assertIn("encode_audio",
                          self.run_ctl(*show, env={"PATH": bin_}).stdout)
            os.unlink(link)
        self.assertIn("encode_audio", self.run_ctl(*show, env={
            "PATH": bin_, "REEL_WORKERD": built}).stdout)
        wrong = self.run_ctl(*show, code=FAILED,
                             env={"REEL_WORKERD": bin_ + "/no"})
        self.assertIn("cannot start " + bin_ + "/no", wrong.stderr)


class Arguments(Case):

    def test_usage(self):
        for args in ([], ["frobnicate"], ["--frobnicate"], ["presign"],
                     ["upload"], ["upload", "a", "b"], ["status"],
                     ["list", "x"], ["token", "x"], ["doctor", "x"],
                     ["keygen", "a", "b"], ["keygen"], ["jobs"],
                     ["list", "--limit"], ["list", "--json=1"],
                     ["upload", "f", "--title", "x"],
                     ["pipeline", "check"], ["pipeline", "draw", "f"]):
            with self.subTest(args):
                p = self.run_ctl(*args, code=USAGE)
                self.assertEqual(p.stdout, "")
                self.assertIn("reelctl", p.stderr)

    def test_asset_ids(self):
        keys, _ = self.keygen()
        for c in ("status", "watch", "delete", "retry", "meta", "play-url"):
            for bad in ("x", ASSET.upper(), ASSET + "0", "../" + ASSET[3:]):
                with self.subTest((c, bad)):
                    p = self.run_ctl(c, bad, "--keys", keys, code=USAGE)
                    self.assertIn("not the id of an asset", p.stderr)

    def test_values(self):
        keys, _ = self.keygen()
        for args in (["list", "--limit", "0"], ["list", "--limit", "101"],
                     ["list", "--state", "done"],
                     ["token", "--expires", "0"],
                     ["token", "--expires", "8d"],
                     ["token", "--sub", "x" * 129],
                     ["watch", ASSET, "--timeout", "x"],
                     ["jobs", "nothing", "--redis", "unix:/none"],
                     ["upload", keys, "--retries", "101"],
                     ["upload", keys, "--url", "ftp://h/x"],
                     ["upload", keys, "--url", "-"],
                     ["upload", self.dir], ["upload", self.path("none")]):
            with self.subTest(args):
                self.run_ctl(*args, "--keys", keys, code=USAGE, stdin="")

    def test_no_key(self):
        for args in (["list"], ["token"], ["status", ASSET],
                     ["presign", "PUT", "x"]):
            with self.subTest(args):
                p = self.run_ctl(*args, code=USAGE)
                self.assertIn("--keys", p.stderr)

    def test_bad_key_file(self):
        path = self.path("keys.json")
        for text, says in (("{", "line 1"), ("{}", "access_keys"),
                           ('{"access_keys": [{"id": "a", "secret": '
                            '"topsecret"}]}', "secret must be 16")):
            with open(path, "w") as f:
                f.write(text)
            p = self.run_ctl("token", "--keys", path, code=FAILED)
            self.assertIn(says, p.stderr)
            self.assertNotIn("topsecret", p.stderr)
        p = self.run_ctl("token", "--keys", self.path("none"), code=FAILED)
        self.assertIn("No such file", p.stderr)

    def test_key_file_open_to_others(self):
        keys, _ = self.keygen()
        self.assertEqual(self.run_ctl("token", "--keys", keys).stderr, "")
        os.chmod(keys, 0o644)
        p = self.run_ctl("token", "--keys", keys)
        self.assertIn("chmod 600", p.stderr)

    def test_stdout_closed(self):
        keys, _ = self.keygen()
        with open("/dev/full", "w") as full:
            p = subprocess.run([case.REELCTL, "token", "--keys", keys],
                               stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, FAILED)


class PlayToken(Case):

    def key_file(self, *keys):
        path = self.path("tokens.json")
        with open(path, "w") as f:
            json.dump({"keys": keys}, f)
        os.chmod(path, 0o600)
        return path

    OCT = {"kid": "a", "kty": "oct", "k": "A" * 43}
    PUBLIC = {"kid": "p", "kty": "OKP", "crv": "Ed25519",
              "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    def test_claims(self):
        keys = self.key_file(self.PUBLIC, self.OCT)
        out = self.run_ctl(
            "play-token", "films/*", "--token-keys", keys, "--expires", "2h",
            "--from", "60", "--audience", "x,y", "--net", "10.0.0.0/8,::1",
            "--country", "DE", "--referrer", "*.a.org", "--max-height",
            "480", "--start", "1.5", "--end", "9").stdout.strip()
        head, body, sig = (
            base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))
            for p in out.split("."))
        self.assertEqual(json.loads(head),
                         {"alg": "HS256", "typ": "JWT", "kid": "a"})
        self.assertEqual(sig, hmac.new(
            bytes(32), out.rsplit(".", 1)[0].encode(), "sha256").digest())
        claims = json.loads(body)
        self.assertAlmostEqual(claims["iat"], time.time(), delta=10)
        self.assertEqual(claims.pop("exp") - claims["iat"], 7260)
        self.assertEqual(claims.pop("nbf") - claims.pop("iat"), 60)
        self.assertEqual(claims, {
            "sub": "films/*", "aud": ["x", "y"], "net": ["10.0.0.0/8", "::1"],
            "country": ["DE"], "referrer": ["*.a.org"], "max_height": 480,
            "start": 1.5, "end": 9.0})
        j = json.loads(self.run_ctl("play-token", "x", "--json",
                                    "--token-keys", keys).stdout)
        self.assertEqual(j["kid"], "a")
        self.assertAlmostEqual(j["expires_at"], time.time() + 6 * 3600,
                               delta=10)

    def test_refused(self):
        keys = self.key_file(self.PUBLIC, self.OCT)
        for args in (["x"], ["x", "--token-keys", keys, "--kid", "p"],
                     ["x", "--token-keys", keys, "--kid", "z"],
                     ["", "--token-keys", keys],
                     ["x", "--token-keys", keys, "--net", "10.0.0/8"],
                     ["x", "--token-keys", keys, "--net", ""],
                     ["x", "--token-keys", keys, "--start", "5", "--end",
                      "5"],
                     ["x", "--token-keys", keys, "--end", "soon"],
                     ["x", "--token-keys", keys, "--max-height", "70000"],
                     ["x", "--token-keys", keys, "--expires", "0"],
                     ["x", "--token-keys", keys, "--country", "D," * 2000]):
            with self.subTest(args):
                self.run_ctl("play-token", *args, code=USAGE)
        bad = self.key_file({"kid": "a", "kty": "oct", "k": "dG9wc2VjcmV0"})
        p = self.run_ctl("play-token", "x", "--token-keys", bad, code=FAILED)
        self.assertIn("keys[0].k", p.stderr)
        self.assertNotIn("dG9wc2Vj", p.stderr)


class Keygen(Case):

    def test_mode_and_content(self):
        old = os.umask(0)
        try:
            path, key_id = self.keygen("k.json", "--bucket", "video,raw",
                                       "--project", "films")
        finally:
            os.umask(old)
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        with open(path) as f:
            keys = json.load(f)["access_keys"]
        self.assertEqual(len(keys), 1)
        self.assertEqual(keys[0]["id"], key_id)
        self.assertRegex(key_id, r"^REEL[A-Z2-7]{16}$")
        self.assertRegex(keys[0]["secret"], r"^[A-Za-z0-9_-]{40}$")
        self.assertEqual(keys[0]["buckets"], ["video", "raw"])
        self.assertEqual(keys[0]["project"], "films")
        self.assertEqual(os.listdir(self.dir), ["k.json"])

    def test_secret_is_not_shown(self):
        path = self.path("k.json")
        p = self.run_ctl("keygen", path, "--json")
        with open(path) as f:
            key = json.load(f)["access_keys"][0]
        self.assertEqual(json.loads(p.stdout), {"id": key["id"],
                                                "file": path})
        self.assertNotIn(key["secret"], p.stdout + p.stderr)

    def test_a_file_that_stands(self):
        path, first = self.keygen()
        with open(path) as f:
            before = f.read()
        self.assertIn("--add", self.run_ctl("keygen", path,
                                            code=USAGE).stderr)
        with open(path) as f:
            self.assertEqual(f.read(), before)
        os.chmod(path, 0o640)
        second = self.run_ctl("keygen", path, "--add").stdout.strip()
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
        with open(path) as f:
            keys = json.load(f)["access_keys"]
        self.assertEqual([k["id"] for k in keys], [first, second])
        self.assertNotEqual(keys[0]["secret"], keys[1]["secret"])

    def test_what_would_not_be_valid(self):
        path, first = self.keygen()
        for args in (["--id", first], ["--bucket", ""], ["--bucket", "a,,b"],
                     ["--bucket", "../x"], ["--project", "A"],
                     ["--project", "other"], ["--id", "a b"],
                     ["--id", "x" * 200]):
            with self.subTest(args):
                self.run_ctl("keygen", path, "--add", *args, code=USAGE)
        with open(path) as f:
            self.assertEqual(len(json.load(f)["access_keys"]), 1)

    def test_what_is_no_json(self):
        secret = "00112233445566778899"
        for text in ('{"access_keys": [{"secret": "%s" "%s"}]}',
                     '{"access_keys": [{"secret": "%s", "secret": "%s"}]}'):
            with self.subTest(text):
                path = self.path("bad.json")
                with open(path, "w") as f:
                    f.write(text % (secret, secret))
                p = self.run_ctl("keygen", path, "--add", code=FAILED)
                self.assertRegex(p.stderr, r"bad\.json: it is not JSON: "
                                 r"line 1, column \d+")
                self.assertNotIn("0011", p.stderr)

    def test_folder_missing(self):
        p = self.run_ctl("keygen", self.path("no/k.json"), code=FAILED)
        self.assertIn("No such file", p.stderr)


class Token(Case):

    def test_token(self):
        keys, key_id = self.keygen()
        with open(keys) as f:
            secret = json.load(f)["access_keys"][0]["secret"]
        p = self.run_ctl("token", "--expires", "10m", "--sub", "page",
                         "--json", env={"REEL_KEYS": keys})
        answer = json.loads(p.stdout)
        head, body, sig = answer["token"].split(".")

        def decode(part):
            return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        mac = hmac.new(secret.encode(), f"{head}.{body}".encode(),
                       hashlib.sha256)
        self.assertEqual(decode(sig), mac.digest())
        self.assertEqual(json.loads(decode(head)),
                         {"alg": "HS256", "typ": "JWT", "kid": key_id})
        claims = json.loads(decode(body))
        self.assertEqual(claims["aud"], "reel-api")
        self.assertEqual(claims["sub"], "page")
        self.assertEqual(claims["exp"], answer["expires_at"])
        self.assertAlmostEqual(claims["exp"], time.time() + 600, delta=5)

    def test_key_id(self):
        keys, first = self.keygen()
        second = self.run_ctl("keygen", keys, "--add").stdout.strip()
        for args, env, want in (
                ([], {}, first), (["--key-id", second], {}, second),
                ([], {"REEL_KEY_ID": second}, second),
                (["--key-id", first], {"REEL_KEY_ID": second}, first)):
            token = self.run_ctl("token", "--keys", keys, *args,
                                 env=env).stdout
            head = token.split(".")[0]
            head = json.loads(base64.urlsafe_b64decode(
                head + "=" * (-len(head) % 4)))
            self.assertEqual(head["kid"], want)
        self.run_ctl("token", "--keys", keys, "--key-id", "x", code=USAGE)


class Presign(Case):

    def test_line_and_json(self):
        keys, key_id = self.keygen()
        out = self.run_ctl("presign", "PUT", "a b.mp4", "--keys",
                           keys).stdout
        self.assertRegex(out, r"^http://127\.0\.0\.1:8080/upload/video/"
                              r"a%20b\.mp4\?\S+X-Amz-Signature=[0-9a-f]{64}"
                              r"\n$")
        j = json.loads(self.run_ctl("presign", "PUT", "a b.mp4", "--keys",
                                    keys, "--json", "--type",
                                    "video/mp4").stdout)
        self.assertEqual(j["headers"], {"Content-Type": "video/mp4"})
        self.assertEqual((j["method"], j["bucket"], j["name"]),
                         ("PUT", "video", "a b.mp4"))
        self.assertIn(f"reel-asset={j['asset']}", j["url"])
        self.assertIn(f"Credential={key_id}%2F", j["url"])

    def test_secret_is_not_shown(self):
        keys, _ = self.keygen()
        with open(keys) as f:
            secret = json.load(f)["access_keys"][0]["secret"]
        p = self.run_ctl("presign", "PUT", "x", "--keys", keys)
        self.assertNotIn(secret, p.stdout + p.stderr)


class Unreachable(Case):

    def test_exit_code(self):
        keys, _ = self.keygen()
        server = f"http://127.0.0.1:{free_port()}"
        for args in (["list"], ["status", ASSET], ["delete", ASSET],
                     ["retry", ASSET], ["cancel", ASSET],
                     ["meta", ASSET], ["play-url", ASSET],
                     ["upload", keys, "--retries", "0"],
                     ["watch", ASSET, "--timeout", "1"],
                     ["upload", keys, "--retries", "0", "--url",
                      server + "/x"]):
            with self.subTest(args):
                p = self.run_ctl(*args, "--keys", keys, "--server", server,
                                 code=UNAVAILABLE)
                self.assertEqual(p.stdout, "")

    def test_says_so(self):
        keys, _ = self.keygen()
        server = f"http://127.0.0.1:{free_port()}"
        p = self.run_ctl("list", "--keys", keys, "--server", server,
                         code=UNAVAILABLE)
        self.assertIn(server, p.stderr)
        self.assertIn("is nginx running there?", p.stderr)

    def test_upload_tries_again(self):
        keys, _ = self.keygen()
        began = time.monotonic()
        p = self.run_ctl("upload", keys, "--retries", "1", "--keys", keys,
                         "--server", f"http://127.0.0.1:{free_port()}",
                         code=UNAVAILABLE)
        self.assertIn("trying again in 1 s", p.stderr)
        self.assertGreater(time.monotonic() - began, 1)


class Redis(RedisCase):

    def add_job(self, n):
        job = f"{ASSET[:-1]}{n}.1"
        self.redis("ZADD", "reel1:{r0}:jobs", str(n), job)
        self.redis("HSET", f"reel1:{{r0}}:job:{job}", "v",
                   "3 running 2 p default", "asset", job[:26], "tasks", "3",
                   "submitted_ms", str(int(time.time() * 1000) - 65000),
                   "inspect:s",
                   "done 0 9-a  plan 1 0 w1 inspect 0:0: 100 4 3 60 0 ",
                   "v0.g0:s", "running 0 10-b  publish 2 0 w\033[31m1 "
                   "encode_video 1:384: 9000 4 3 600 0 v720", "v0.g0:err",
                   '{"code": "WORKER_LOST", "detail": "gone"}',
                   "publish:s",
                   "waiting 0    0 0  publish 0:0: 9 4 3 60 0 ")
        self.redis("HSET", f"reel1:{{r0}}:progress:{job}", "percent", "37")
        return job

    def test_jobs(self):
        self.assertEqual(self.run_ctl("jobs", "--redis",
                                      self.address).stdout,
                         "no unfinished job\n")
        jobs = [self.add_job(1), self.add_job(2)]
        out = self.run_ctl("jobs", env={"REEL_REDIS": self.address}).stdout
        self.assertEqual([line.split()[0] for line in out.splitlines()],
                         jobs)
        self.assertIn("37 %  1 of 3 tasks done, 1 running", out)
        self.assertRegex(out, r"for 1:0\d\n")
        j = json.loads(self.run_ctl("jobs", "--json", "--redis",
                                    self.address).stdout)["jobs"]
        self.assertEqual([x["job"] for x in j], jobs)
        self.assertEqual((j[0]["percent"], j[0]["tasks"], j[0]["left"],
                          j[0]["running"], j[0]["waiting"], j[0]["done"]),
                         (37, 3, 2, 1, 1, 1))

    def test_shards(self):
        at = ("--redis", self.address)
        j = json.loads(self.run_ctl("shards", "--json", *at).stdout)
        self.assertEqual(j, {"shards": [{"shard": 0, "jobs": 0}]})
        old = [f"{ASSET[:-1]}{n}" for n in range(8)]
        for n, asset in enumerate(old):
            self.redis("ZADD", "reel1:{r0}:catalog:p", str(n), asset)
        self.redis("ZADD", "reel1:{r0}:jobs", "1", f"{old[0]}.1")
        out = self.run_ctl("shards", "4", *at, code=FAILED).stderr
        self.assertIn("shard 0 of 1 has 1 unfinished jobs", out)
        self.redis("DEL", "reel1:{r0}:jobs")
        now = str(int(time.time() * 1000))
        self.redis("ZADD", "reel1:{r0}:workers", now, "w1")
        out = self.run_ctl("shards", "4", *at, code=FAILED).stderr
        self.assertIn("1 workers were heard", out)
        self.redis("ZADD", "reel1:{r0}:workers", "5", "w1")
        self.run_ctl("shards", "0", *at, code=USAGE)
        self.run_ctl("shards", "4", *at)

        # each asset lies in one shard, and all of them are there
        have = []
        for k in range(4):
            self.assertEqual(self.redis("GET", f"reel1:{{r{k}}}:shards"),
                             "4\n")
            have += self.redis("ZRANGE", f"reel1:{{r{k}}}:catalog:p", "0",
                               "-1").split()
        self.assertEqual(sorted(have), old)
        self.assertLess(int(self.redis("ZCARD", "reel1:{r0}:catalog:p")), 8)

        # what lies in several is told as one
        for k, (n, ms) in enumerate(((2, "9000"), (1, "8000"))):
            key = f"reel1:{{r{k}}}:"
            self.redis("SADD", key + "queues", "1:384:")
            self.redis("ZADD", key + "ready:1:384:", "1", "p")
            self.redis("ZADD", key + "ready:1:384::p",
                       *[x for i in range(n) for x in (str(i), f"a/{i}")])
            self.redis("ZADD", key + "workers", ms, "w1")
            self.redis("ZADD", key + "jobs", ms, f"{old[k]}.1")
            self.redis("HSET", f"{key}job:{old[k]}.1", "submitted_ms", ms)
            self.redis("XADD", key + "quarantine", ms, "job", f"{old[k]}.1",
                       "task", "t")
        top = json.loads(self.run_ctl("top", "--json", *at).stdout)
        self.assertEqual(top["ready"], [{"queue": "1:384:", "ready": 3,
                                         "projects": 1}])
        self.assertEqual([(w["worker"], w["heard_ms"])
                          for w in top["workers"]], [("w1", 9000)])
        j = json.loads(self.run_ctl("jobs", "--json", *at).stdout)["jobs"]
        self.assertEqual([x["job"] for x in j], [f"{old[1]}.1",
                                                 f"{old[0]}.1"])
        j = json.loads(self.run_ctl("quarantine", "--json", *at).stdout)
        self.assertEqual([(x["job"], x["shard"]) for x in j["quarantined"]],
                         [(f"{old[0]}.1", 0), (f"{old[1]}.1", 1)])
        self.run_ctl("quarantine", "drop", f"{old[1]}.1", *at)
        self.assertEqual(self.redis("XLEN", "reel1:{r1}:quarantine"), "0\n")
        out = self.run_ctl("doctor", *at).stdout
        self.assertRegex(out, r"(?m)^ok +redis +4 shards")
        self.run_ctl("shards", "1", *at, code=FAILED)

    def test_shards_that_disagree(self):
        at = ("--redis", self.address)

        def held(n):
            return [self.redis("GET", f"reel1:{{r{k}}}:shards").strip()
                    for k in range(n)]

        # none keeps a number of before, however it goes up and down
        for n in (4, 1, 2, 4, 2, 1, 4):
            self.run_ctl("shards", str(n), *at)
            self.assertEqual(held(4)[:n], [str(n)] * n)
        for wrong in (("SET", "reel1:{r2}:shards", "1"),
                      ("DEL", "reel1:{r0}:shards")):
            self.redis(*wrong)
            self.run_ctl("shards", "4", *at)
            self.assertEqual(held(4), ["4"] * 4)

        # those that agree need not be drained
        job = f"{ASSET}.1"
        self.redis("SET", "reel1:{r2}:shards", "1")
        self.redis("ZADD", "reel1:{r0}:jobs", "1", job)
        self.run_ctl("shards", "4", *at)
        self.assertEqual(held(4), ["4"] * 4)
        self.redis("SET", "reel1:{r2}:shards", "1")
        self.redis("ZADD", "reel1:{r2}:jobs", "1", job)
        out = self.run_ctl("shards", "4", *at, code=FAILED).stderr
        self.assertIn("shard 2 of 1 has 1 unfinished jobs", out)
        self.redis("DEL", "reel1:{r2}:jobs")

        # a worker may live that only one of them has heard of
        now = str(int(time.time() * 1000))
        self.redis("ZADD", "reel1:{r3}:workers", now, "w1")
        out = self.run_ctl("shards", "4", *at, code=FAILED).stderr
        self.assertIn("1 workers were heard", out)
        self.assertEqual(held(4), ["4", "4", "1", "4"])

    def test_user_and_database(self):
        with open(self.path("secret"), "w") as f:
            f.write("films only\n")
        self.redis("ACL", "SETUSER", "reel", "on", ">films only", "~reel1:*",
                   "+@all", "-@admin", "-@dangerous")
        self.redis("ACL", "SETUSER", "default", "-@all", "+ping")
        at = ("--redis", self.address, "--redis-user", "reel",
              "--redis-password-file", self.path("secret"))
        self.run_ctl("shards", "4", "--redis", self.address, code=UNAVAILABLE)
        self.run_ctl("shards", "4", *at[:4], code=USAGE)
        self.run_ctl("shards", "4", *at, "--redis-db", "x", code=USAGE)
        self.run_ctl("shards", "4", *at, "--redis-db", "99", code=DENIED)
        self.run_ctl("shards", "4", *at, "--redis-db", "3")
        self.assertEqual([len(json.loads(self.run_ctl(
            "shards", "--json", *at, env={"REEL_REDIS_DB": db}).stdout)[
                "shards"]) for db in ("0", "3")], [1, 4])

    def test_tasks(self):
        job = self.add_job(1)
        out = self.run_ctl("jobs", job, "--redis", self.address).stdout
        self.assertEqual(len(out.splitlines()), 3)
        self.assertIn("last error: WORKER_LOST gone", out)
        self.assertNotIn("\033", out)
        j = json.loads(self.run_ctl("jobs", job, "--json", "--redis",
                                    self.address).stdout)
        tasks = {t["task"]: t for t in j["tasks"]}
        self.assertEqual(sorted(tasks), ["inspect", "publish", "v0.g0"])
        self.assertEqual(tasks["v0.g0"]["error"]["code"], "WORKER_LOST")
        self.assertEqual(tasks["v0.g0"]["attempts"], 2)
        self.assertNotIn("error", tasks["inspect"])
        self.run_ctl("jobs", f"{ASSET}.9", "--redis", self.address,
                     code=NOTFOUND)

    def test_queues(self):
        job = self.add_job(1)
        k = "reel1:{r0}:"
        now = str(int(time.time() * 1000))
        self.redis("ZADD", k + "lease", now, f"{job}/v0.g0")
        self.redis("SADD", k + "queues", "1:384:gpu")
        self.redis("ZADD", k + "ready:1:384:gpu", "1", "p")
        self.redis("ZADD", k + "ready:1:384:gpu:p", "1", "a/x", "2", "a/y")
        self.redis("ZADD", k + "workers", now, "w1", "5", "w\033[31m0")
        self.redis("HSET", k + "worker:w1", "cores", "8", "cores_free", "3",
                   "memory_mib", "4000", "memory_free_mib", "1000",
                   "labels", "gpu", "codecs", "libx264,aac")
        at = ("--redis", self.address)
        top = self.run_ctl("top", *at).stdout
        self.assertRegex(top, r"1:384:gpu +2 +1\n")
        self.assertRegex(top, r"w1 +5 / 8 +3000 / 4000 +0:0\d +gpu")
        self.redis("HSET", k + "worker:w1", "draining", "1")
        self.assertRegex(self.run_ctl("workers", *at).stdout,
                         r"w1 +5 / 8 +3000 / 4000 +0:0\d +DRAINING +gpu")
        self.assertRegex(top, r"0 +gone, heard ")
        self.assertRegex(top, job + r" +v0.g0 +encode_video +2 ")
        self.assertNotIn("\033", top)
        j = json.loads(self.run_ctl("top", "--json", *at).stdout)
        self.assertEqual(j["ready"], [{"queue": "1:384:gpu", "ready": 2,
                                       "projects": 1}])
        self.assertEqual(j["workers"][1]["codecs"], "libx264,aac")
        self.assertEqual([w["draining"] for w in j["workers"]],
                         [False, True])
        self.assertEqual(j["running"][0]["queue"], "1:384:")
        self.redis("HSET", k + "unmet", "1:384:gpu", f"{now} 1 gpu,\033x",
                   "0:0:", f"{now} 0 y")
        top = self.run_ctl("top", *at).stdout
        self.assertRegex(top, r"1:384:gpu +2 +1  NO WORKER HAS gpu,.*x\n")
        self.assertNotIn("\033", top)
        self.redis("HSET", f"{k}job:{job}", "publish:s",
                   "ready 0    0 0  publish 0:0: 9 4 3 60 0 ")
        out = self.run_ctl("jobs", job, *at).stdout
        self.assertEqual(out.count("NO WORKER HAS"), 1)
        self.assertRegex(out, r"publish .* NO WORKER HAS y\n")
        self.assertEqual(json.loads(self.run_ctl(
            "workers", "--json", *at).stdout)["workers"], j["workers"])
        self.assertNotIn("waits:", self.run_ctl("tasks", *at).stdout)
        self.redis("SET", k + "lacks", "w7 a.1/x no program\033")
        self.assertTrue(self.run_ctl("tasks", *at).stdout.endswith(
            "\nwaits: a.1/x  WORKER w7 LACKS IT: no program?\n"))
        j = json.loads(self.run_ctl("tasks", "--json", *at).stdout)
        self.assertEqual([(x["worker"], x["task"]) for x in j["lacking"]],
                         [("w7", "a.1/x")])
        self.assertIn("a.1/x waits, w7 lacks what it needs: no program",
                      self.run_ctl("doctor", *at).stdout)
        self.assertEqual(self.run_ctl("tasks", "--quarantined", *at).stdout,
                         "nothing is in quarantine\n")
        for n in (1, 2):
            self.redis("XADD", k + "quarantine", "*", "job", f"a.{n}",
                       "task", "t", "code", "CRASHED", "stage", "decode",
                       "detail", "signal 11", "attempts", "3", "log", "end")
        out = self.run_ctl("tasks", "--quarantined", *at).stdout
        self.assertEqual([x.split()[0] for x in out.splitlines()],
                         ["a.2/t", "a.1/t"])
        self.assertIn("3 tries, CRASHED in decode: signal 11", out)
        q = json.loads(self.run_ctl("tasks", "--quarantined", "--json",
                                    *at).stdout)["quarantined"]
        self.assertEqual((q[0]["log"], q[0]["attempts"]), ("end", 3))
        again = self.run_ctl("quarantine", *at).stdout
        self.assertEqual(*(re.sub(r"\d:\d\d ago", "", x)
                           for x in (again, out)))
        self.redis("XADD", k + "quarantine", "*", "job", "a.3", "task", "t",
                   "log", "one\n\udcff\033[2Jtwo", "detail", "d", "attempts",
                   "3")
        out = self.run_ctl("quarantine", "show", "a.3/t", *at).stdout
        self.assertRegex(out, r"(?s)job +a\.3\n.*detail +d\n.*tries +3, .*"
                         r"log\n  one\n  \ufffd.*two\n$")
        q = json.loads(self.run_ctl("quarantine", "show", "a.3", "--json",
                                    *at).stdout)
        self.assertEqual(q["log"], "one\n\ufffd\033[2Jtwo")
        self.assertNotIn("\033", out)
        for name in ("a.3/other", "a.30", "a"):
            self.run_ctl("quarantine", "drop", name, *at, code=NOTFOUND)
        self.assertEqual(self.run_ctl("quarantine", "drop", "a.3",
                                      *at).stdout, "dropped a.3\n")
        q = json.loads(self.run_ctl("quarantine", "--json",
                                    *at).stdout)["quarantined"]
        self.assertEqual([t["job"] for t in q], ["a.2", "a.1"])
        for wrong in (("show",), ("mend", "a.1")):
            self.run_ctl("quarantine", *wrong, *at, code=USAGE)
        self.redis("XADD", k + "quarantine", "*", "job", ASSET + ".1", "asset",
                   ASSET, "project", "p9", "task", "t")
        p = self.run_ctl("quarantine", "retry", ASSET + ".1", "--keys",
                         self.keygen()[0], *at, code=DENIED)
        self.assertIn('no key of the project "p9"', p.stderr)

    def test_address(self):
        for bad, code in (("unix:/nowhere/r.sock", UNAVAILABLE),
                          ("127.0.0.1:1", UNAVAILABLE), ("nonsense", USAGE),
                          ("host:99999", USAGE), (":1", USAGE)):
            with self.subTest(bad):
                p = self.run_ctl("jobs", "--redis", bad, code=code)
                self.assertIn(bad, p.stderr)

    def test_password(self):
        self.redis("CONFIG", "SET", "requirepass", "open-sesame-7")
        p = self.run_ctl("jobs", "--redis", self.address, code=UNAVAILABLE)
        self.assertIn("NOAUTH", p.stderr)
        secret = self.path("pw")
        with open(secret, "w") as f:
            f.write("wrong-sesame-8\n")
        p = self.run_ctl("jobs", "--redis", self.address,
                         "--redis-password-file", secret, code=DENIED)
        self.assertNotIn("wrong-sesame", p.stderr)
        with open(secret, "w") as f:
            f.write("open-sesame-7\n")
        self.run_ctl("jobs", "--redis", self.address,
                     "--redis-password-file", secret)

    def checks(self, *args, code):
        p = self.run_ctl("doctor", "--json", "--redis", self.address, *args,
                         code=code)
        answer = json.loads(p.stdout)
        self.assertEqual(answer["ok"], code == OK)
        return [(c["name"], c["result"], c["detail"])
                for c in answer["checks"]]

    def test_doctor_good(self):
        store = self.path("store")
        os.mkdir(store, 0o770)
        os.chmod(store, 0o770)
        lines = self.run_ctl("doctor", "--redis", self.address, "--store",
                             store).stdout.splitlines()
        self.assertRegex(lines[0], r"^skip +keys")
        self.assertRegex("\n".join(lines), r"(?m)^ok +store +\S+: owner")
        self.assertRegex("\n".join(lines), r"(?m)^ok +redis +appendonly yes")
        self.assertRegex("\n".join(lines),
                         r"(?m)^ok +redis +maxmemory-policy noeviction")
        self.assertRegex("\n".join(lines), r"(?m)^warn +workers +none ")
        self.assertRegex("\n".join(lines), r"(?m)^ok +jobs +none ")
        self.assertRegex("\n".join(lines), r"(?m)^ok +given-up +no task ")
        self.assertRegex("\n".join(lines), r"(?m)^skip +webhooks +none ")
        self.assertNotRegex("\n".join(lines), r"(?m)^\S+ +ready ")

    def test_doctor_workers_and_jobs(self):
        k = "reel1:{r0}:"
        now = int(time.time() * 1000)
        self.redis("ZADD", k + "workers", str(now), "w1", "5", "w0")
        self.redis("HSET", k + "worker:w1", "cores", "8", "cores_free", "3")
        self.redis("ZADD", k + "jobs", str(now - 65000), "a.1")
        found = {n: (r, d) for n, r, d in self.checks(code=OK)}
        self.assertEqual(found["workers"],
                         ("ok", "1 alive, 3 of 8 cores are free"))

        # one that drains takes nothing
        self.redis("ZADD", k + "workers", str(now), "w2")
        self.redis("HSET", k + "worker:w2", "cores", "4", "cores_free", "4",
                   "draining", "1")
        found = {n: (r, d) for n, r, d in self.checks(code=OK)}
        self.assertEqual(found["workers"],
                         ("ok", "1 alive, 3 of 8 cores are free"))
        self.redis("HSET", k + "worker:w1", "draining", "1")
        found = {n: (r, d) for n, r, d in self.checks(code=OK)}
        self.assertEqual(found["workers"][0], "warn")
        self.assertIn("all that are alive drain (2)", found["workers"][1])
        self.redis("HSET", k + "worker:w1", "draining", "0")
        found = {n: (r, d) for n, r, d in self.checks(code=OK)}
        self.assertEqual(found["jobs"][0], "ok")
        self.assertRegex(found["jobs"][1], r"submitted 1:0\d ago$")
        self.redis("ZADD", k + "jobs", str(now - 86500000), "b.1")
        found = {n: (r, d) for n, r, d in self.checks(code=OK)}
        self.assertEqual(found["jobs"][0], "warn")
        self.assertRegex(found["jobs"][1], r"^b\.1 was submitted 24 hours ")

    def test_doctor_work_that_stands(self):
        k, now = "reel1:{r0}:", int(time.time() * 1000)
        for task in "v0.0", "x":
            self.redis("XADD", k + "quarantine", "*", "job", "a.1", "task",
                       task)
        self.redis("SADD", k + "queues", "1:384:gpu", "1:0:")
        for queue in "1:384:gpu", "1:0:":
            self.redis("ZADD", k + "ready:" + queue, "1", "p")
            self.redis("ZADD", f"{k}ready:{queue}:p", "1", "a/x", "2", "a/y")
        self.redis("HSET", k + "unmet", "1:384:gpu", f"{now} 1 gpu")
        hooks = os.path.join(self.path("store"), "hooks")
        for asset in "a", "b":
            os.makedirs(os.path.join(hooks, asset), 0o770)
        open(os.path.join(hooks, "on"), "w").close()
        os.chmod(self.path("store"), 0o770)
        at = ("--store", self.path("store"))

        def found():
            checks = self.checks(*at, code=OK)
            self.assertEqual([n for n, r, d in checks].count("ready"), 1)
            return {n: (r, d) for n, r, d in checks}
        self.assertEqual(found()["given-up"], ("warn",
            "2 tasks in quarantine: see reelctl quarantine, then retry or "
            "drop"))
        self.assertEqual(found()["ready"], ("warn",
            "2 tasks of 1:384:gpu wait: no worker has gpu"))
        self.assertEqual(found()["webhooks"][0], "ok")
        self.assertRegex(found()["webhooks"][1],
                         r"^2 assets have what .* the oldest for 0:\d\d$")
        os.utime(os.path.join(hooks, "a"), (now / 1000 - 4000,) * 2)
        self.assertEqual(found()["webhooks"][0], "warn")
        self.assertRegex(found()["webhooks"][1], r"for 1:06:4\d: workerd's")
        for asset in "a", "b":
            os.rmdir(os.path.join(hooks, asset))
        self.assertEqual(found()["webhooks"], ("ok", "all are told"))

    def test_doctor_bad_redis(self):
        self.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.redis("CONFIG", "SET", "appendonly", "no")
        checks = self.checks(code=FAILED)
        self.assertTrue(any(n == "redis" and r == "warn"
                            and "appendonly no" in d for n, r, d in checks))
        self.assertTrue(any(n == "redis" and r == "fail"
                            and "allkeys-lru" in d for n, r, d in checks))

    def test_doctor_channels(self):
        self.redis("ACL", "SETUSER", "x", "on", ">p", "~reel1:*", "+@all")
        with open(self.path("pw"), "w") as f:
            f.write("p\n")
        at = ("--redis-user", "x", "--redis-password-file", self.path("pw"))
        self.redis("MSET", *[w for k in "01" for w in (
            "reel1:{r%s}:shards" % k, "2")])
        for channels, refused in (
                ("resetchannels", "reel1:{r0}:wake"),
                ("&reel1:{r0}:*", "reel1:{r1}:wake"),
                ("&reel1:*", None)):
            self.redis("ACL", "SETUSER", "x", channels)
            told = [(r, d) for n, r, d in self.checks(*at, code=OK)
                    if "may not listen" in d]
            self.assertEqual([r for r, d in told],
                             ["warn"] if refused else [])
            self.assertIn(refused or "", "".join(d for r, d in told))

    def test_doctor_memory(self):
        def memory():
            return [(r, d) for n, r, d in checks
                    if n == "redis" and "maxmemory " in d]
        checks = self.checks(code=OK)
        self.assertEqual(memory(), [])
        used = int(re.search(r"(?m)^used_memory:(\d+)",
                             self.redis("INFO", "memory")).group(1))
        self.redis("CONFIG", "SET", "maxmemory", str(used * 21 // 20))
        checks = self.checks(code=OK)
        self.assertEqual([r for r, d in memory()], ["warn"])
        self.redis("CONFIG", "SET", "maxmemory", str(used // 2))
        checks = self.checks(code=FAILED)
        self.assertEqual([r for r, d in memory()], ["fail"])
        self.assertIn("no memory is left", memory()[0][1])

    def test_doctor_bad_keys_and_store(self):
        keys, _ = self.keygen()
        os.chmod(keys, 0o640)
        store = self.path("store")
        os.mkdir(store)
        os.chmod(store, 0o777)
        checks = self.checks("--keys", keys, "--store", store, "--server",
                             f"http://127.0.0.1:{free_port()}", code=FAILED)
        found = {n: (r, d) for n, r, d in checks}
        self.assertEqual(found["keys"][0], "fail")
        self.assertIn("chmod 600", found["keys"][1])
        self.assertEqual(found["store"][0], "fail")
        self.assertIn("chmod o-rwx", found["store"][1])
        self.assertEqual(found["server"][0], "fail")
        self.assertIn("is nginx running", found["server"][1])
        for store in (keys, self.path("none")):
            checks = self.checks("--store", store, code=FAILED)
            self.assertIn("fail", [r for n, r, d in checks if n == "store"])


class RedisWithoutAuth(RedisCase):
    """It repeats the arguments of what it does not know."""

    options = ("--rename-command", "AUTH", "")

    def test_password(self):
        with open(self.path("pw"), "w") as f:
            f.write("open-sesame-9\n")
        p = self.run_ctl("jobs", "--redis", self.address,
                         "--redis-password-file", self.path("pw"),
                         code=DENIED)
        self.assertIn("unknown command 'AUTH'", p.stderr)
        self.assertNotIn("open-sesame", p.stderr)


class Counting(unittest.TextTestResult):
    """Subtests that fail count once, as their test."""

    def __init__(self, *args):
        super().__init__(*args)
        self.good = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good += 1


def main():
    case.REELCTL = os.path.abspath(sys.argv[1])
    load = unittest.defaultTestLoader.loadTestsFromModule
    suite = unittest.TestSuite([load(m) for m in (
        sys.modules[__name__], fleet, sentinel, upload, check)])
    total = suite.countTestCases()
    r = unittest.TextTestRunner(verbosity=1,
                                resultclass=Counting).run(suite)
    skipped = len(r.skipped)
    failed = total - r.good - skipped
    with open(sys.argv[2], "w") as f:
        f.write(f"{r.good} {failed} {skipped}\n")
    print(f"reelctl: {r.good} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 and r.good > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

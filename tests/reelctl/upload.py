"""reelctl upload against the real module: parts at once, what breaks, and
--resume."""

import hashlib
import http.server
import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import case
from case import (DENIED, FAILED, INTERRUPTED, OK, UNAVAILABLE,
                  USAGE, Case)
from server import KEY_ID, SECRET, Relay, Server, module, wait_for

MIB = 1024 * 1024
PART = 5 * MIB
SIZE = 40 * MIB + 1234          # nine parts


def sha256(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(MIB):
            h.update(data)
    return h.hexdigest()


class Upload(Case):

    def setUp(self):
        super().setUp()
        if not shutil.which("nginx") or not os.path.exists(module()):
            self.skipTest("needs nginx and the module (make module)")
        self.server = Server(self.dir)
        self.addCleanup(self.server.stop)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.file = self.path("film.mp4")
        self.make(self.file)

    def make(self, path, size=SIZE, seed=1):
        with open(path, "wb") as f:
            f.write(random.Random(seed).randbytes(size))

    def relay(self, **kw):
        relay = Relay(self.server.port, **kw)
        self.addCleanup(relay.close)
        return relay

    def arguments(self, url, *more):
        return ["upload", self.file, "--server", url, "--keys",
                self.server.keys, "--part-size", "5M", *more]

    def upload(self, *more, url=None, code=OK):
        return self.run_ctl(*self.arguments(url or self.url, *more),
                            code=code)

    def not_again(self, before):
        """What was taken is not sent again.  (A part may be there though
        its answer, and the line of the log, went with the connection.)"""
        self.assertEqual(self.server.parts()[:len(before)], before)
        self.assertEqual(len(self.server.parts()),
                         len(set(self.server.parts())))

    def begin(self, *args):
        """reelctl in the background; its output when it has ended"""
        p = subprocess.Popen([case.REELCTL, *args], text=True,
                             env=self.environment(), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        self.addCleanup(lambda: (p.poll() is None and p.kill(), p.wait(),
                                 p.stdout.close(), p.stderr.close()))
        return p

    def ended(self, p, code):
        out, err = p.communicate(timeout=120)
        self.assertEqual(p.returncode, code, (out, err))
        return out, err

    def states(self):
        folder = self.path("state/reel/uploads")
        return [os.path.join(folder, n) for n in os.listdir(folder)] \
            if os.path.isdir(folder) else []

    def whole(self, asset, path=None):
        self.assertEqual(self.server.assets(), [asset])
        self.assertEqual(sha256(self.server.source(asset)),
                         sha256(path or self.file))
        self.assertEqual(self.states(), [])


class Parts(Upload):

    def test_at_once(self):
        relay = self.relay(rate=60 * MIB)
        p = self.upload(url=relay.url)
        self.whole(p.stdout.strip())
        self.assertEqual(sorted(self.server.parts()), list(range(1, 10)))
        self.assertGreaterEqual(relay.most, 4)
        self.assertLess(relay.up, SIZE + MIB)
        self.assertRegex(p.stderr, r"film\.mp4: uploaded 100 %")

    def test_one_after_the_other(self):
        relay = self.relay()
        p = self.upload("--parts", "1", url=relay.url)
        self.whole(p.stdout.strip())
        self.assertEqual(self.server.parts(), list(range(1, 10)))

    def test_by_size(self):
        self.make(self.file, 16 * MIB - 1)
        args = ["upload", self.file, "--server", self.url, "--keys",
                self.server.keys]
        self.run_ctl(*args)
        self.assertEqual(self.server.parts(), [])
        self.assertEqual(self.server.count("PUT", "film.mp4"), 1)
        self.make(self.file, 16 * MIB)
        self.run_ctl(*args, "--name", "two")
        self.assertEqual(sorted(self.server.parts()), [1, 2])
        self.make(self.file, 20 * MIB)
        self.run_ctl(*args, "--name", "three", "--part-size", "0")
        self.assertEqual(len(self.server.parts()), 2)
        self.assertEqual(len(self.server.assets()), 3)

    def test_none(self):
        at = ("--server", self.url, "--keys", self.server.keys)
        p = self.run_ctl("uploads", *at)
        self.assertEqual((p.stdout, p.stderr), ("", "no uploads\n"))
        p = self.run_ctl("uploads", "--json", *at)
        self.assertEqual((json.loads(p.stdout)["uploads"], p.stderr), ([], ""))
        self.upload()
        p = self.run_ctl("uploads", *at)
        self.assertEqual((p.stdout.count("\n"), p.stderr), (1, ""))

    def test_limits(self):
        right = sha256(self.file)
        p = self.upload("--max-bytes", "39M", code=FAILED)
        self.assertIn("reel-max-bytes", p.stderr)
        p = self.upload("--sha256", "0" * 64, code=FAILED)
        self.assertIn("XAmzContentSHA256Mismatch", p.stderr)
        self.assertEqual(self.server.assets(), [])
        p = self.upload("--sha256", right, "--max-bytes", str(SIZE),
                        "--reel-name", "Ü", "--type", "video/mp4",
                        "--asset", case.ASSET, "--name", "a b/ü.mp4")
        self.assertEqual(p.stdout.strip(), case.ASSET)
        with open(os.path.join(os.path.dirname(
                self.server.source(case.ASSET)), "request.json")) as f:
            request = json.load(f)
        self.assertEqual((request["name"], request["content_type"]),
                         ("Ü", "video/mp4"))
        p = self.upload("--asset", case.ASSET, code=FAILED)
        self.assertIn("OperationAborted", p.stderr)

    def test_wrong_key(self):
        keys = self.path("wrong.json")
        with open(self.server.keys) as f, open(
                os.open(keys, os.O_WRONLY | os.O_CREAT, 0o600), "w") as g:
            g.write(f.read().replace(SECRET, "another-secret-0123456789"))
        p = self.upload("--keys", keys, code=DENIED)
        self.assertIn("SignatureDoesNotMatch", p.stderr)
        self.assertNotIn("another-secret", p.stderr)
        wait_for(self.server.calls)
        self.assertEqual(len(self.server.calls()), 1)
        self.assertEqual(self.states(), [])

    def test_json(self):
        relay = self.relay(rate=16 * MIB)
        p = self.upload("--json", url=relay.url)
        answer = json.loads(p.stdout)
        self.assertEqual(sorted(answer), ["asset", "seconds", "size"])
        self.assertEqual(answer["size"], SIZE)
        self.whole(answer["asset"])
        events = [json.loads(line) for line in p.stderr.splitlines()]
        self.assertEqual(events[0], {"event": "begin", "size": SIZE,
                                     "sent": 0, "parts": 9,
                                     "part_size": PART})
        self.assertEqual(sorted(e["number"] for e in events
                                if e["event"] == "part"), list(range(1, 10)))
        told = [e for e in events if e["event"] == "progress"]
        self.assertGreater(len(told), 1)
        self.assertEqual([e["sent"] for e in told],
                         sorted(e["sent"] for e in told))
        self.assertTrue(all(e["size"] == SIZE and e["bytes_per_s"] > 0
                            and e["left_s"] >= 0 for e in told))
        self.assertEqual(told[-1]["sent"], SIZE)

    def test_bar(self):
        relay = self.relay(rate=30 * MIB)
        ours, theirs = pty.openpty()
        p = subprocess.Popen(
            [case.REELCTL, *self.arguments(relay.url, "--json")],
            env=self.environment({"TERM": "xterm"}), stderr=theirs,
            stdout=subprocess.PIPE)
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
        os.close(ours)
        out, _ = p.communicate(timeout=60)
        self.assertEqual(p.returncode, OK, seen)
        text = seen.decode()
        self.assertRegex(text, r"\[#+\.+\]\s+\d+ % [\d.]+ MiB  [\d.]+ MiB/s"
                         r"  eta \d+:\d\d")
        self.assertRegex(text, r"100 % .* in \d+:\d\d")
        self.assertNotIn("{", text)
        self.whole(json.loads(out)["asset"])


class Broken(Upload):

    def test_cut(self):
        relay = self.relay(rate=24 * MIB)
        p = self.begin(*self.arguments(relay.url))
        for n in (1, 3, 5):
            wait_for(lambda: len(self.server.parts()) >= n)
            relay.cut()
        out, err = self.ended(p, OK)
        self.assertRegex(err, r"part \d: .*; trying again in 1 s")
        self.whole(out.strip())
        # a part at most for each connection that was cut
        self.assertLess(relay.up, SIZE + 3 * 4 * PART + MIB)

    def test_server_restarts(self):
        relay = self.relay(rate=24 * MIB)
        p = self.begin(*self.arguments(relay.url))
        wait_for(lambda: len(self.server.parts()) >= 3)
        self.server.stop()
        before = self.server.parts()
        time.sleep(1.5)
        self.server.start()
        out, err = self.ended(p, OK)
        self.assertIn("trying again", err)
        self.whole(out.strip())
        self.not_again(before)

    def test_server_stays_away(self):
        relay = self.relay(rate=24 * MIB)
        p = self.begin(*self.arguments(relay.url, "--retries", "1"))
        wait_for(lambda: len(self.server.parts()) >= 2)
        self.server.stop()
        _, err = self.ended(p, UNAVAILABLE)
        self.assertRegex(err, r"broke off at part \d")
        self.assertRegex(err, r"hint: .* are there; .* --resume")
        before = self.server.parts()
        self.server.start()
        p = self.upload("--resume", url=relay.url)
        self.whole(p.stdout.strip())
        self.not_again(before)

    def test_answer_of_complete_is_lost(self):
        lost = []
        relay = self.relay(lose=rb"^POST [^ ]*\?uploadId=",
                           lost=lambda: lost.append(1))
        p = self.upload(url=relay.url)
        self.assertEqual(lost, [1])
        self.assertEqual(self.server.count("POST", r"\?uploadId="), 2)
        self.whole(p.stdout.strip())

    def test_damaged(self):
        relay = self.relay(damage=True)
        p = self.upload(url=relay.url)
        self.assertFalse(relay.damage)
        self.assertIn("the server says 400; trying again", p.stderr)
        self.assertEqual(len(self.server.parts(400)), 1)
        self.whole(p.stdout.strip())

    def test_file_changes(self):
        relay = self.relay(rate=24 * MIB)
        p = self.begin(*self.arguments(relay.url))
        wait_for(lambda: len(self.server.parts()) >= 1)
        os.utime(self.file, ns=(1, 1))
        _, err = self.ended(p, FAILED)
        self.assertIn("changed while it was uploaded", err)
        self.assertEqual(self.server.assets(), [])


class Resume(Upload):
    """Through a relay of one port, as the server's URL is part of what is
    kept."""

    def setUp(self):
        super().setUp()
        self.gate = self.relay(rate=24 * MIB)
        self.url = self.gate.url

    def stop_one(self, sig=signal.SIGINT, code=INTERRUPTED, taken=3,
                 *more):
        p = self.begin(*self.arguments(self.url, *more))
        wait_for(lambda: len(self.server.parts()) >= taken)
        p.send_signal(sig)
        out, err = self.ended(p, code)
        self.assertEqual(out, "")
        time.sleep(0.3)         # the server may be at the end of one
        return self.server.parts(), err

    def go_on(self, before, *more):
        sent = self.gate.up
        self.gate.rate = None
        p = self.upload("--resume", *more)
        self.whole(p.stdout.strip())
        self.not_again(before)
        self.assertLessEqual(self.gate.up - sent,
                             (9 - len(before)) * PART + 64 * 1024)
        return p

    def test_ctrl_c(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(sig):
                before, err = self.stop_one(sig)
                self.assertLess(len(before), 9)
                self.assertRegex(err, r"interrupted: .* of 40\.0 MiB are "
                                 r"there; .* --resume")
                (path,) = self.states()
                self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600)
                with open(path) as f:
                    text = f.read()
                for secret in (SECRET, KEY_ID, "Signature"):
                    self.assertNotIn(secret, text)
                kept = json.loads(text)
                self.assertEqual(
                    (kept["host"], kept["bucket"], kept["key"],
                     kept["part_size"], kept["size"]),
                    (self.url, "video", "film.mp4", PART, SIZE))
                p = self.go_on(before)
                self.assertEqual(p.stdout.strip(), kept["asset"])
            self.forget()

    def forget(self):
        """as if nothing had been uploaded"""
        shutil.rmtree(f"{self.server.dir}/store/assets")
        os.truncate(f"{self.server.dir}/access.log", 0)
        self.gate.rate = 24 * MIB

    def test_kill_9(self):
        before, _ = self.stop_one(signal.SIGKILL, -signal.SIGKILL)
        self.go_on(before)

    def test_part_size_stays(self):
        before, _ = self.stop_one()
        self.go_on(before, "--part-size", "20M", "--parts", "2")

    def test_twice(self):
        self.stop_one(taken=2)
        p = self.begin(*self.arguments(self.url, "--resume"))
        wait_for(lambda: len(self.server.parts()) >= 5)
        p.send_signal(signal.SIGINT)
        self.ended(p, INTERRUPTED)
        time.sleep(0.3)
        self.go_on(self.server.parts())

    def test_complete_and_killed(self):
        box = []
        self.gate.lose = rb"^POST [^ ]*\?uploadId="
        self.gate.lost = lambda: (wait_for(lambda: box),
                                  box[0].kill(), box[0].wait())
        self.gate.rate = None
        box.append(self.begin(*self.arguments(self.url)))
        self.ended(box[0], -signal.SIGKILL)
        (asset,) = self.server.assets()
        p = self.upload("--resume")
        self.assertEqual(p.stdout.strip(), asset)
        self.whole(asset)
        self.not_again([])

    def test_nothing_to_resume(self):
        self.gate.rate = None
        p = self.upload("--resume")
        self.assertIn("begins anew", p.stderr)
        self.whole(p.stdout.strip())

    def test_upload_is_gone(self):
        self.stop_one()
        (path,) = self.states()
        with open(path) as f:
            upload = json.load(f)["upload"]
        url = self.run_ctl("presign", "DELETE",
                           f"/upload/video/film.mp4?uploadId={upload}",
                           "--keys", self.server.keys, "--server",
                           self.url).stdout.strip()
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"))
        self.gate.rate = None
        p = self.upload("--resume")
        self.assertIn("no longer has the earlier upload", p.stderr)
        self.whole(p.stdout.strip())

    def test_file_has_changed(self):
        self.stop_one()
        self.make(self.file, seed=2)
        p = self.upload("--resume", code=FAILED)
        self.assertIn("has changed", p.stderr)
        self.gate.rate = None
        p = self.upload()
        self.assertIn("dropped", p.stderr)
        self.assertEqual(self.server.count("DELETE", "uploadId", 204), 1)
        self.whole(p.stdout.strip())

    def test_wrong_key(self):
        before, _ = self.stop_one()
        keys = self.path("wrong.json")
        with open(self.server.keys) as f, open(
                os.open(keys, os.O_WRONLY | os.O_CREAT, 0o600), "w") as g:
            g.write(f.read().replace(SECRET, "another-secret-0123456789"))
        p = self.upload("--resume", "--keys", keys, code=DENIED)
        self.assertIn("SignatureDoesNotMatch", p.stderr)
        self.go_on(before)

    def test_two_at_once(self):
        p = self.begin(*self.arguments(self.url))
        wait_for(lambda: len(self.server.parts()) >= 1)
        q = self.upload("--resume", code=FAILED)
        self.assertIn("another reelctl", q.stderr)
        out, _ = self.ended(p, OK)
        self.whole(out.strip())

    def test_state_is_broken(self):
        self.stop_one()
        (path,) = self.states()
        for text in ("", "{", "[]", '{"v": 1}', '{"v": 1, "part_size": 1, '
                     f'"size": {SIZE}, "mtime_ns": "x"}}'):
            with open(path, "w") as f:
                f.write(text)
            if text in ("", "{"):
                continue
            p = self.upload("--resume", code=FAILED)
            self.assertIn("begin anew", p.stderr)
        with open(path, "w") as f:
            f.write("{")
        self.gate.rate = None
        p = self.upload("--resume")
        self.assertIn("begins anew", p.stderr)
        self.whole(p.stdout.strip())

    def test_no_place_for_the_state(self):
        with open(self.path("state"), "w"):
            pass
        self.gate.rate = None
        p = self.upload()
        self.assertIn("--resume will not know", p.stderr)
        os.unlink(self.path("state"))
        self.whole(p.stdout.strip())


class Urls(Upload):
    """Presigned URLs alone: no key, and none of the key's options."""

    def presign(self, method, query):
        return self.run_ctl("presign", method,
                            f"/upload/video/u.mp4?{query}", "--keys",
                            self.server.keys, "--server",
                            self.url).stdout.strip()

    def create(self, parts=9, part_size=PART, **more):
        with urllib.request.urlopen(urllib.request.Request(
                self.presign("POST", "uploads="), data=b"",
                method="POST")) as r:
            upload = re.search(r"<UploadId>(.*)</UploadId>",
                               r.read().decode()).group(1)
        doc = {"parts": [self.presign("PUT",
                                      f"partNumber={n + 1}&uploadId={upload}")
                         for n in range(parts)], **more}
        if part_size:
            doc["part_size"] = part_size
        self.complete = self.presign("POST", f"uploadId={upload}")
        self.list = self.presign("GET", f"uploadId={upload}")
        return doc

    def write(self, doc):
        path = self.path("urls.json")
        with open(path, "w") as f:
            json.dump(doc, f)
        return path

    def put(self, doc, *more, code=OK):
        return self.run_ctl("upload", self.file, "--part-urls",
                            self.write(doc), *more, code=code)

    def test_parts(self):
        doc = self.create()
        doc["complete"] = self.complete
        p = self.put(doc)
        self.whole(p.stdout.strip())
        self.assertNotIn("Signature", p.stderr)

    def test_shared(self):
        doc = self.create(parts=4, part_size=None)
        doc["complete"] = self.complete
        p = self.run_ctl("upload", self.file, "--part-urls", "-",
                         stdin=json.dumps(doc))
        self.whole(p.stdout.strip())
        self.assertEqual(sorted(self.server.parts()), [1, 2, 3, 4])

    def test_caller_completes(self):
        doc = self.create()
        answer = json.loads(self.put(doc).stdout)
        self.assertIsNone(answer["asset"])
        self.assertEqual([p["PartNumber"] for p in answer["parts"]],
                         list(range(1, 10)))
        self.assertEqual(self.server.assets(), [])
        body = "".join(f"<Part><PartNumber>{p['PartNumber']}</PartNumber>"
                       f"<ETag>{p['ETag']}</ETag></Part>"
                       for p in answer["parts"])
        with urllib.request.urlopen(
                self.complete, f"<CompleteMultipartUpload>{body}"
                "</CompleteMultipartUpload>".encode()) as r:
            self.whole(r.headers["reel-asset"])
        self.put(self.create(), "--watch", "--keys", self.server.keys,
                 code=FAILED)

    def test_resume(self):
        for listed in (False, True):
            with self.subTest(listed):
                direct = self.url
                relay = self.relay(rate=24 * MIB)
                self.url = relay.url
                doc = self.create()
                doc["complete"] = self.complete
                if listed:
                    doc["list"] = self.list
                os.truncate(f"{self.server.dir}/access.log", 0)
                p = self.begin("upload", self.file, "--part-urls",
                               self.write(doc))
                wait_for(lambda: len(self.server.parts()) >= 3)
                p.send_signal(signal.SIGINT)
                _, err = self.ended(p, INTERRUPTED)
                self.assertIn("--resume", err)
                time.sleep(0.3)
                before = self.server.parts()
                (path,) = self.states()
                with open(path) as f:
                    text = f.read()
                self.assertNotIn("Signature", text)
                self.assertNotIn("Credential", text)
                relay.rate = None
                p = self.put(doc, "--resume")
                asset = p.stdout.strip()
                self.assertEqual(sha256(self.server.source(asset)),
                                 sha256(self.file))
                again = set(self.server.parts()[len(before):]) & set(before)
                if listed:
                    self.assertEqual(again, set())
                else:
                    # what landed while it was interrupted is not known
                    self.assertLessEqual(len(again), 4)
                self.assertEqual(self.states(), [])
                self.url = direct

    def test_refused(self):
        doc = self.create()
        good = dict(doc)
        for bad, says in (
                ({**good, "complet": "http://h/x"}, "nothing else"),
                ({**good, "parts": []}, "parts is empty"),
                ({**good, "parts": ["ftp://h/x"]}, "number 1 is not"),
                ({**good, "parts": good["parts"][:3] + [7]},
                 "number 4 is not"),
                ({**good, "part_size": -1}, "must be an object"),
                ({**good, "parts": good["parts"][:8]},
                 "8 URLs are not enough"),
                ([], "must be an object")):
            with self.subTest(says):
                p = self.put(bad, code=USAGE)
                self.assertIn(says, p.stderr)
                self.assertNotIn("Signature", p.stderr)
        path = self.path("urls.json")
        with open(path, "w") as f:
            f.write('{"parts": ["http://secret')
        p = self.run_ctl("upload", self.file, "--part-urls", path,
                         code=USAGE)
        self.assertNotIn("secret", p.stderr)
        doc["parts"][4] = doc["parts"][4].replace("partNumber=5",
                                                  "partNumber=6")
        p = self.put(doc, code=DENIED)
        self.assertIn("part 5 was refused", p.stderr)

    def test_one_put(self):
        url = self.run_ctl("presign", "PUT", "one.mp4", "--keys",
                           self.server.keys, "--server",
                           self.url).stdout.strip()
        p = self.run_ctl("upload", self.file, "--url", "-", stdin=url)
        self.whole(p.stdout.strip())
        self.assertEqual(self.server.parts(), [])

    def test_another_server(self):
        """one that knows no assets, and fails now and then"""
        got, fail = {}, [503, 500, None]

        class Other(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = (fail.pop(0) if fail else 0) or 200
                if status == 200:
                    got[self.path] = body
                self.send_response(status)
                if status == 200:
                    self.send_header("ETag", f'"{len(body)}"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got["complete"] = body
                answer = b"<Error><Code>InternalError</Code></Error>" \
                    if "bad" in self.path else \
                    b'<CompleteMultipartUploadResult><ETag>"e-9"</ETag>' \
                    b"</CompleteMultipartUploadResult>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        base = f"http://127.0.0.1:{other.server_port}"
        p = self.run_ctl("upload", self.file, "--url", base + "/one?X=1",
                         "--json")
        self.assertEqual(hashlib.sha256(got["/one?X=1"]).hexdigest(),
                         sha256(self.file))
        answer = json.loads(p.stdout)
        self.assertEqual((answer["asset"], answer["etag"]),
                         (None, f'"{SIZE}"'))
        doc = {"parts": [f"{base}/p{n}" for n in range(9)],
               "part_size": PART, "complete": base + "/c"}
        fail[:] = [503, None, 429]
        p = self.put(doc)
        self.assertEqual(p.stdout, "")
        self.assertIn("named no asset", p.stderr)
        self.assertEqual(hashlib.sha256(b"".join(
            got[f"/p{n}"] for n in range(9))).hexdigest(), sha256(self.file))
        self.assertEqual(got["complete"].count(b"<ETag>&quot;5242880&quot;"),
                         8)
        doc["complete"] = base + "/bad"
        p = self.put(doc, code=FAILED)
        self.assertIn("InternalError", p.stderr)


class UploadArguments(Case):

    def test_usage(self):
        keys, _ = self.keygen()
        for args in (["--parts", "0"], ["--parts", "33"],
                     ["--part-size", "1M"], ["--part-size", "6G"],
                     ["--part-size", "x"],
                     ["--url", "http://h/", "--resume"],
                     ["--url", "http://h/", "--parts", "2"],
                     ["--url", "http://h/", "--part-urls", keys],
                     ["--part-urls", keys]):
            with self.subTest(args):
                self.run_ctl("upload", keys, "--keys", keys, *args,
                             code=USAGE)

    def test_too_many_parts(self):
        keys, _ = self.keygen()
        path = self.path("big")
        with open(path, "wb") as f:
            f.truncate(10000 * PART + 1)
        p = self.run_ctl("upload", path, "--keys", keys, "--part-size", "5M",
                         code=USAGE)
        self.assertIn("raise --part-size", p.stderr)

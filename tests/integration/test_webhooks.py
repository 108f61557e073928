"""Webhooks: signed, tried again, in order, never to where they must not go."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

from reel import K, ROOT, Stack, clip, wait_for
from test_metrics import free_port, scrape

SECRET = b"a secret of thirty-two bytes  ok"


class Receiver(http.server.ThreadingHTTPServer):
    """Answers by the list of statuses, the last one for ever."""

    def __init__(self, *answers, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.got, self.silent = list(answers), [], False
        self.let_go = threading.Event()
        if tls:
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ctx.load_cert_chain(*tls)
            self.socket = ctx.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass

    def url(self, scheme="http", host="127.0.0.1"):
        return "%s://%s:%d/hook" % (scheme, host, self.server_address[1])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        s = self.server
        s.got.append((dict(self.headers), body, self.path))
        answer = s.answers.pop(0) if len(s.answers) > 1 else s.answers[0]
        if answer == "silent":
            s.let_go.wait(60)
            return
        self.send_response(answer)
        if answer == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def check(got, secret=SECRET):
    """as a receiver does, by the specification alone"""
    headers, body, path = got
    headers = {k.lower(): v for k, v in headers.items()}
    assert path == "/hook"
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 60
    mac = hmac.new(secret, b".".join(
        [headers["webhook-id"].encode(),
         headers["webhook-timestamp"].encode(), body]), hashlib.sha256)
    assert ("v1," + base64.b64encode(mac.digest()).decode()
            in headers["webhook-signature"].split(" "))
    assert headers["content-type"] == "application/json"
    return headers["webhook-id"], json.loads(body)


def secret_file(stack, name="hook.whsec"):
    path = os.path.join(stack.dir, name)
    with open(path, "w") as f:
        f.write("# old, then new\nwhsec_%s\nwhsec_%s\n"
                % (base64.b64encode(b"o" * 24).decode(),
                   base64.b64encode(SECRET).decode()))
    os.chmod(path, 0o600)
    return path


def endpoint(stack, name, receiver, **conf):
    return {"name": name, "url": receiver.url(), "allow_private": True,
            "secret_file": secret_file(stack), **conf}


def hasten(stack, asset, endpoint):
    """the next try is due"""
    stack.redis("HDEL", K + "hook:" + asset, endpoint + ":next")


def test_sent_until_taken():
    """One endpoint fails in every way before it takes the event, one hangs,
    one wants errors only; meanwhile films are made, and in the end nothing
    is left.  All with one stack: starts are dear."""
    shop, slow, errs = Receiver(500, 302, 200), Receiver("silent"), \
        Receiver(204)
    with Stack() as s:
        s.conf["webhooks"] = [
            endpoint(s, "shop", shop), endpoint(s, "slow", slow),
            endpoint(s, "errs", errs, types=["video.asset.errored"])]
        s.start_redis().start_nginx()
        s.start_workerd()
        a = s.put_source(clip(2))
        s.write(s.path(a, "meta.json"), {"passthrough": "order 7"})
        s.put_pending(a)
        assert s.wait(a)["ready"]

        # 500, then a redirect: neither is an answer
        wait_for(lambda: len(shop.got) == 1)
        wait_for(lambda: "HTTP 500" in s.said())
        hasten(s, a, "shop")
        wait_for(lambda: "HTTP 302" in s.said())
        hasten(s, a, "shop")
        wait_for(lambda: "to shop: sent, try 3" in s.said())
        got = [check(g) for g in shop.got]
        assert len(got) == 3 and got[0] == got[1] == got[2]
        id, event = got[0]
        assert id == "msg_%s_1" % a
        assert event["type"] == "video.asset.ready"
        data = event["data"]
        assert (data["id"], data["status"], data["project"]) == (
            a, "ready", "demo")
        assert data["passthrough"] == "order 7"
        assert abs(data["duration"] - 2) < 0.05

        # who hangs holds up neither films nor the other endpoints
        wait_for(lambda: slow.got)
        b = s.put(b"no film")
        assert s.wait(b)["code"] == "NOT_A_VIDEO"
        wait_for(lambda: len(errs.got) == 1 and len(shop.got) == 4)
        id, event = check(errs.got[0])
        assert (id, event["data"]["error"]["code"]) == (
            "msg_%s_1" % b, "NOT_A_VIDEO")
        check(slow.got[0])
        assert os.listdir(os.path.join(s.store, "hooks", b)) == ["1"]

        # Redis forgets all: told again, by the same id
        shop.got.clear()
        slow.answers[:] = [200]
        slow.let_go.set()
        s.redis("FLUSHALL")
        wait_for(lambda: {check(g)[0] for g in shop.got}
                 == {"msg_%s_1" % a, "msg_%s_1" % b}, 40)
        wait_for(lambda: os.listdir(os.path.join(s.store, "hooks"))
                 == ["on"], 40)

        # again by the command, and deleted: in order
        shop.got.clear()
        ctl = [os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin",
                            "reelctl"), "--server", s.url, "--keys",
               os.path.join(s.dir, "keys.json")]
        subprocess.run(ctl + ["webhook", a], check=True)
        wait_for(lambda: len(shop.got) == 1)
        assert check(shop.got[0])[0] == "msg_%s_1" % a
        subprocess.run(ctl + ["delete", a], check=True)
        wait_for(lambda: len(shop.got) == 2)
        id, event = check(shop.got[1])
        assert (id, event["type"]) == ("msg_%s_deleted" % a,
                                       "video.asset.deleted")
        wait_for(lambda: os.listdir(os.path.join(s.store, "hooks"))
                 == ["on"], 40)
        for secret in (SECRET, base64.b64encode(SECRET)):
            assert secret.decode() not in s.said()


def test_where_it_may_not_go():
    """a private address by whatever name, a certificate of nobody's; and
    with ca_file it is somebody's.  One wants nothing more: 410.  All of it
    is counted"""
    port, gone = free_port(), Receiver(410)
    with Stack(metrics="127.0.0.1:%d" % port) as s:
        pem = os.path.join(s.dir, "tls.pem"), os.path.join(s.dir, "tls.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-out", pem[0], "-keyout",
             pem[1]], check=True, capture_output=True)
        tls = Receiver(200, tls=pem)
        url = tls.url("https", "localhost")
        s.conf["webhooks"] = [
            endpoint(s, "private", tls, url=url, ca_file=pem[0],
                     allow_private=False),
            endpoint(s, "unknown", tls, url=url),
            endpoint(s, "trusted", tls, url=url, ca_file=pem[0]),
            endpoint(s, "gone", gone)]
        s.start_redis()
        s.start_workerd()
        a = s.put(b"no film")
        wait_for(lambda: "to trusted: sent" in s.said())
        wait_for(lambda: "to private: try 1 failed" in s.said())
        wait_for(lambda: "to unknown: try 1 failed" in s.said())
        assert "its address is not public" in s.said()
        assert "certificate" in s.said()
        assert [check(g)[0] for g in tls.got] == ["msg_%s_1" % a]
        wait_for(lambda: "to gone is given up after 1 tries" in s.said())

        def counted():
            get = scrape(port)[0]
            return [get("reel_webhook_attempts_total", outcome=o) for o in
                    ("sent", "refused", "failed")] == [1, 1, 2] \
                and get("reel_webhooks_given_up_total") == 1 \
                and get("reel_webhook_backlog") == 1
        wait_for(counted, every=1)

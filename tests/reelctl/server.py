"""A private nginx with the module, and a relay before it that slows down,
cuts and counts."""

import json
import os
import re
import select
import socket
import subprocess
import threading
import time

import case

KEY_ID, SECRET = "REELTESTKEY", "test-secret-of-the-suite-0123456789"

NGINX = """\
%(user)s
daemon off;
worker_processes 2;
pid %(dir)s/nginx.pid;
error_log %(dir)s/nginx.log info;
load_module %(module)s;
events { worker_connections 256; }
http {
    log_format calls '$status $request_method $request_uri';
    access_log %(dir)s/access.log calls;
    client_body_temp_path %(dir)s/tmp/body;
    proxy_temp_path       %(dir)s/tmp/proxy;
    fastcgi_temp_path     %(dir)s/tmp/fastcgi;
    uwsgi_temp_path       %(dir)s/tmp/uwsgi;
    scgi_temp_path        %(dir)s/tmp/scgi;
    aio threads;
    reel_store       %(dir)s/store;
    reel_access_keys %(dir)s/keys.json;
    server {
        listen 127.0.0.1:%(port)d;
        location /upload/ { reel_upload; }
        location /api/    { reel_api; }
    }
}
"""


def module():
    return os.environ.get("REEL_MODULE") or os.path.join(
        os.path.dirname(os.path.dirname(case.REELCTL)),
        "ngx_http_reel_module.so")


def wait_for(what, timeout=30):
    end = time.monotonic() + timeout
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise TimeoutError(getattr(what, "__name__", "?"))
        time.sleep(0.01)


class Server:

    def __init__(self, folder):
        self.dir = folder
        self.port = case.free_port()
        for name in ("store", "tmp"):
            os.mkdir(os.path.join(folder, name))
        os.chmod(folder, 0o755)
        self.keys = os.path.join(folder, "keys.json")
        with open(os.open(self.keys, os.O_WRONLY | os.O_CREAT, 0o600),
                  "w") as f:
            json.dump({"access_keys": [{
                "id": KEY_ID, "secret": SECRET, "project": "default",
                "buckets": ["video"]}]}, f)
        with open(os.path.join(folder, "nginx.conf"), "w") as f:
            f.write(NGINX % {
                "user": "user root;" if os.geteuid() == 0 else "",
                "dir": folder, "module": module(), "port": self.port})
        self.process = None
        self.start()

    def start(self):
        env = dict(os.environ)
        if env.get("REEL_PRELOAD"):
            env.update(LD_PRELOAD=env["REEL_PRELOAD"],
                       ASAN_OPTIONS="detect_leaks=0")
        self.process = subprocess.Popen(
            ["nginx", "-e", f"{self.dir}/nginx.log", "-c",
             f"{self.dir}/nginx.conf"], env=env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        def listens():
            if self.process.poll() is not None:
                raise RuntimeError(self.log())
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(listens)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        with open(f"{self.dir}/nginx.log") as f:
            return f.read()

    def calls(self):
        """(status, method, URI) of each request that has ended"""
        try:
            with open(f"{self.dir}/access.log") as f:
                rows = [line.split() for line in f]
        except FileNotFoundError:
            return []
        return [(int(r[0]), r[1], r[2]) for r in rows if len(r) == 3]

    def parts(self, status=200):
        """numbers of the parts that were taken, in order"""
        return [int(m.group(1)) for s, method, uri in self.calls()
                for m in [re.search(r"[?&]partNumber=(\d+)", uri)]
                if m and method == "PUT" and s == status]

    def count(self, method, pattern, status=200):
        return sum(1 for s, m, uri in self.calls()
                   if s == status and m == method and re.search(pattern, uri))

    def assets(self):
        out = []
        for here, _, names in os.walk(f"{self.dir}/store/assets"):
            if "request.json" in names:
                out.append(os.path.basename(here))
        return out

    def source(self, asset):
        return f"{self.dir}/store/assets/{asset[-2:]}/{asset}/source"


class Relay:
    """Between reelctl and the server.  rate: bytes a second upwards, of all
    connections.  When lose is a pattern, the answer to the first request
    whose head has it is lost, connection and all, and lost() is called.
    damage: a bit of the first long piece of a body arrives wrong."""

    def __init__(self, port, rate=None, lose=None, lost=None, damage=False):
        self.target = port
        self.rate = rate
        self.damage = damage
        self.lose, self.lost = lose, lost
        self.up = 0             # bytes
        self.open = self.most = 0
        self.lock = threading.Lock()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.free_at = time.monotonic()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def pace(self, n):
        with self.lock:
            self.up += n
            if not self.rate:
                return
            now = time.monotonic()
            self.free_at = max(now, self.free_at) + n / self.rate
            wait = self.free_at - now
        time.sleep(wait)

    def serve(self, client):
        server = socket.socket()
        pair = (client, server)
        losing = False
        with self.lock:
            self.pairs.add(pair)
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            server.connect(("127.0.0.1", self.target))
            while True:
                for s in select.select(pair, [], [])[0]:
                    data = s.recv(65536)
                    if not data:
                        return
                    if s is client:
                        if self.lose and re.search(self.lose, data):
                            self.lose, losing = None, True
                        if self.damage and len(data) > 16000 \
                                and b"HTTP/1.1" not in data:
                            self.damage = False
                            data = bytes([data[0] ^ 1]) + data[1:]
                        self.pace(len(data))
                        server.sendall(data)
                    elif losing and not data.startswith(b"HTTP/1.1 100"):
                        self.lost()
                        return
                    else:
                        client.sendall(data)
        except OSError:
            pass
        finally:
            with self.lock:
                self.pairs.discard(pair)
                self.open -= 1
            for s in pair:
                s.close()

    def cut(self):
        """all connections, as a router that forgets them"""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()
        self.cut()

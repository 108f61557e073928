"""What the integration tests share: a private redis-server, nginx and
workerd in a temporary folder, clips made by ffmpeg, assets put into the
store as the upload door would put them."""

import errno
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
WORKERD = os.path.join(BUILD, "bin", "workerd")

sys.path.insert(0, os.path.join(HERE, "lua"))

import job_hash                                                 # noqa: E402
import reel_index                                               # noqa: E402
import sanitized                                                # noqa: E402
from redis_server import Redis                                  # noqa: E402

K = "reel1:{r0}:"
KEY_ID, SECRET = "REELDEMO", "a-secret-of-the-tests"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# one rung, short chunks: a job of many small tasks; the first chunk is as
# long as every user's
SMALL = """\
preset: ultrafast
chunks: { min_s: 6, target_s: 6, max_s: 12 }
rungs:
  - { short_side: 240, crf: 30, max_kbps: 500, buf_kbits: 750 }
tasks:
  inspect: { attempts: 3, timeout_s: 60 }
  encode_video: { attempts: 3, timeout_s: 120 }
"""

NGINX = """\
%(user)s
daemon off;
worker_processes 2;
pid %(dir)s/nginx.pid;
error_log %(dir)s/nginx.log info;
load_module %(build)s/ngx_http_reel_module.so;
%(main)s
events { worker_connections 256; }
http {
    access_log %(dir)s/access.log;
    client_body_temp_path %(dir)s/tmp/body;
    proxy_temp_path       %(dir)s/tmp/proxy;
    fastcgi_temp_path     %(dir)s/tmp/fastcgi;
    uwsgi_temp_path       %(dir)s/tmp/uwsgi;
    scgi_temp_path        %(dir)s/tmp/scgi;
    aio threads;
    reel_zone        indexes:16m;
    reel_store       %(store)s;
    reel_access_keys %(dir)s/keys.json;
    reel_redis       %(redis)s;
    %(http)s
    server {
        listen 127.0.0.1:%(port)d;
        location /upload/ { reel_upload; }
        location /api/    { reel_api; }
        location /play/   { reel_play; }
        %(server)s
    }
}
"""

_clips = None


def ulid(ms=None):
    v = int(time.time() * 1000 if ms is None else ms) << 80
    v |= random.getrandbits(80)
    return "".join(ALPHABET[v >> 5 * i & 31] for i in range(25, -1, -1))


def wait_for(what, timeout=30, every=0.05):
    """Polls what() until it is true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise TimeoutError(getattr(what, "__doc__", None)
                               or getattr(what, "__name__", "?"))
        time.sleep(every)


def run(*argv, **kw):
    return subprocess.run(argv, check=True, stdin=subprocess.DEVNULL,
                          capture_output=True, **kw)


def clip(seconds=10, size="426x240", rate="30", audio=True, suffix=".mp4",
         options=()):
    """A moving picture, and a murmur; made once for all tests.  (A pure
    tone keeps libavcodec's AAC encoder searching for ten times as long.)"""
    global _clips
    if _clips is None:
        _clips = tempfile.mkdtemp(prefix="reel-clips-")
        import atexit
        atexit.register(shutil.rmtree, _clips, True)
    name = "%s-%s-%s-%s%s" % (seconds, size, rate.replace("/", "_"),
                              "a" if audio else "n", suffix)
    path = os.path.join(_clips, name)
    if os.path.exists(path):
        return path
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
            "testsrc2=s=%s:r=%s:d=%s" % (size, rate, seconds)]
    if audio:
        argv += ["-f", "lavfi", "-i",
                 "anoisesrc=c=pink:a=0.3:seed=1:r=48000:d=%s" % seconds,
                 "-c:a", "aac"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "60",
             "-pix_fmt", "yuv420p", *options, path]
    run(*argv)
    return path


def boxes(data):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if size < 8 or size > len(data) - at:
            raise ValueError("box of %d bytes at %d of %d"
                             % (size, at, len(data)))
        yield data[at + 4:at + 8].decode("latin-1"), at, size
        at += size


def count(path, stream):
    """Packets that decode, as ffprobe counts frames; errors are fatal."""
    out = run("ffprobe", "-v", "error", "-select_streams", stream,
              "-count_frames", "-show_entries", "stream=nb_read_frames",
              "-of", "csv=p=0", path)
    assert out.stderr == b"", out.stderr.decode()
    return int(out.stdout.split()[0].strip(b","))


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def mount(path, mib):
    """a disk that can be filled; False when this user may not"""
    p = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % mib,
                        "tmpfs", path], capture_output=True, check=False)
    return p.returncode == 0


def unmount(path):
    subprocess.run(["umount", "-l", path], check=False)


def fill(disk):
    """to the last byte; the file that has them"""
    path = os.path.join(disk, "other-peoples")
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(bytes(1 << 20)):
                pass
        except OSError as e:
            if e.errno != errno.ENOSPC:
                raise
    return path


class Worker:
    def __init__(self, proc, log):
        self.proc, self.log, self.pid = proc, log, proc.pid

    def children(self):
        return children(self.pid)

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)

    def wait(self, timeout=60):
        return self.proc.wait(timeout)


class Stack:
    """with Stack() as s: …; what is started is stopped at its end."""

    def __init__(self, **conf):
        self.dir = tempfile.mkdtemp(prefix="reel-it-")
        self.store = os.path.join(self.dir, "store")
        self.socket = os.path.join(self.dir, "redis.sock")
        self.log = os.path.join(self.dir, "workerd.log")
        self.pipelines = os.path.join(self.dir, "pipelines")
        os.makedirs(self.store)
        shutil.copytree(os.path.join(ROOT, "conf", "pipelines"),
                        self.pipelines)
        self.pipeline("small", SMALL)
        self.conf = {
            "store": self.store, "pipelines": self.pipelines,
            "redis": "unix:" + self.socket, "slots": 2, "lease_s": 3,
            "poll_ms": 100, "outbox_s": 1, "sweep_s": 3600,
            # they put the same few clips again and again, to be worked on
            "reuse": False, **conf}
        self.redis_proc = self.nginx_proc = None
        self.workers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # pytest shows it when the test failed
        if os.path.exists(self.log):
            print("".join(self.said().splitlines(True)[-80:]))
        self.close()

    def close(self):
        for w in self.workers:
            if w.proc.poll() is None:
                sanitized.end(w)
                w.kill()
                w.wait()
        self.kill_nginx()
        reports = sanitized.reports(self)
        if self.redis_proc is not None and self.redis_proc.poll() is None:
            self.redis_proc.kill()
            self.redis_proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not reports, "\n".join(reports)

    # redis

    def start_redis(self, *options):
        data = os.path.join(self.dir, "redis")
        os.makedirs(data, exist_ok=True)
        self.redis_proc = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket,
             "--dir", data, "--save", "", "--appendonly", "yes",
             "--appendfsync", "always", "--maxmemory-policy", "noeviction",
             *options],
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.socket))
        wait_for(self._pings)
        return self

    def _pings(self):
        try:
            r = Redis(self.socket)
        except OSError:
            return False
        try:
            return r("PING") == "PONG"
        except Exception as e:                  # NOAUTH is alive, LOADING not
            return "NOAUTH" in str(e)
        finally:
            r.close()

    def stop_redis(self):
        self.redis_proc.kill()
        self.redis_proc.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def redis(self, *args):
        r = Redis(self.socket)
        try:
            return r(*args)
        finally:
            r.close()

    def task(self, asset, task, field, publication=1):
        return job_hash.get(self.redis,
                            "%sjob:%s.%d" % (K, asset, publication),
                            "%s:%s" % (task, field))

    def job_state(self, asset):
        return job_hash.get(self.redis, "%sjob:%s.1" % (K, asset), "state")

    def tasks(self, asset, publication=1):
        """state of each task of a job"""
        job = "%sjob:%s.%d" % (K, asset, publication)
        names = (self.redis("HGET", job, "names") or "").split()
        if not names:
            return {}
        states = self.redis("HMGET", job, *[n + ":s" for n in names])
        return {n: s.split(" ")[0] for n, s in zip(names, states)}

    # workerd

    def write_conf(self, **conf):
        path = os.path.join(self.dir, "reel.yaml")
        with open(path, "w") as f:
            for k, v in {**self.conf, **conf}.items():
                f.write("%s: %s\n" % (k, json.dumps(v)))
        return path

    def start_workerd(self, *options, **conf):
        path = self.write_conf(**conf)
        log = open(self.log, "ab")
        w = Worker(subprocess.Popen([WORKERD, "-c", path, *options],
                                    stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log), self.log)
        log.close()
        self.workers.append(w)
        return w

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    # nginx

    def start_nginx(self, server="", http="", main="", port=0,
                    redis=""):
        """with the module, on that port of 127.0.0.1 or a free one:
        self.url"""
        if port == 0:
            with socket.socket() as p:
                p.bind(("127.0.0.1", 0))
                port = p.getsockname()[1]
        keys = self.write(os.path.join(self.dir, "keys.json"), {
            "access_keys": [{"id": KEY_ID, "secret": SECRET,
                             "project": "demo", "buckets": ["video"]}]})
        os.chmod(keys, 0o600)
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX % {"dir": self.dir, "build": BUILD, "port": port,
                             "user": "user root;" if os.getuid() == 0
                             else "", "store": self.store,
                             "redis": redis or "unix:" + self.socket, "main": main,
                             "http": http, "server": server})
        for d in "body", "proxy", "fastcgi", "uwsgi", "scgi":
            os.makedirs(os.path.join(self.dir, "tmp", d), exist_ok=True)
        self.nginx_proc = subprocess.Popen(
            ["nginx", "-e", os.path.join(self.dir, "nginx.log"),
             "-p", self.dir, "-c", conf], stdin=subprocess.DEVNULL,
            env=sanitized.nginx(os.environ, self.dir))
        self.url = "http://127.0.0.1:%d" % port

        def listens():
            assert self.nginx_proc.poll() is None, "nginx did not start"
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_for(listens)
        return self

    def kill_nginx(self):
        """the master first, which would start others, then its workers, which
        would go on without it"""
        if self.nginx_proc is None or self.nginx_proc.poll() is not None:
            return
        self.nginx_proc.send_signal(signal.SIGSTOP)
        for pid in [self.nginx_proc.pid] + children(self.nginx_proc.pid):
            os.kill(pid, signal.SIGKILL)
        self.nginx_proc.wait()

    def nginx_workers(self):
        """those that take requests, not those that a reload lets go"""
        out = []
        for pid in children(self.nginx_proc.pid):
            try:
                with open("/proc/%d/cmdline" % pid) as f:
                    if f.read().rstrip("\0 ") == "nginx: worker process":
                        out.append(pid)
            except OSError:
                pass
        return out

    def ctl(self, *args, **env):
        """reelctl with the server, if one was started, and its key"""
        if self.nginx_proc is not None:
            env = {"REEL_SERVER": self.url,
                   "REEL_KEYS": os.path.join(self.dir, "keys.json"), **env}
        return subprocess.run(
            [os.path.join(BUILD, "bin", "reelctl"), *args], text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
            env={**os.environ, **env})

    # the store

    def pipeline(self, name, text):
        with open(os.path.join(self.pipelines, name + ".yaml"), "w") as f:
            f.write(text)

    def pipeline_names(self):
        return [n[:-5] for n in os.listdir(self.pipelines)
                if n.endswith(".yaml")]

    def folder(self, asset):
        return os.path.join(self.store, "assets", asset[-2:], asset)

    def path(self, asset, *parts):
        return os.path.join(self.folder(asset), *parts)

    def write(self, path, data):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes)
                    else json.dumps(data).encode())
        return path

    def put_source(self, source, pipeline="small", asset=None, **request):
        """source and request.json, as the upload door leaves them"""
        asset = asset or ulid()
        if isinstance(source, bytes):
            self.write(self.path(asset, "source"), source)
        else:
            os.makedirs(self.folder(asset), exist_ok=True)
            shutil.copy(source, self.path(asset, "source"))
        self.write(self.path(asset, "request.json"), {
            "asset": asset, "project": "demo", "pipeline": pipeline,
            "name": "clip.mp4", "max_duration_s": 0,
            "size": os.path.getsize(self.path(asset, "source")),
            "created_ms": int(time.time() * 1000), **request})
        return asset

    def pending(self, asset, publication=1):
        return os.path.join(self.store, "pending",
                            "%s.%d" % (asset, publication))

    def put_pending(self, asset, publication=1):
        self.write(self.pending(asset, publication), b"")

    def put(self, source, pipeline="small", asset=None, **request):
        asset = self.put_source(source, pipeline, asset, **request)
        self.put_pending(asset)
        return asset

    def result(self, asset):
        try:
            with open(self.path(asset, "result.json")) as f:
                return json.load(f)
        except FileNotFoundError:
            return None

    def wait(self, asset, publication=1, timeout=90):
        """the result of a job whose end is settled"""
        def done():
            r = self.result(asset)
            return (r and r["publication"] >= publication
                    and not os.path.exists(self.pending(asset, publication))
                    and r)
        return wait_for(done, timeout)

    def index(self, asset):
        with open(self.path(asset, "index"), "rb") as f:
            return reel_index.read(f.read())

    def objects(self, asset):
        """every stored object: rendition/name"""
        root = self.folder(asset)
        return sorted(os.path.relpath(p, root)
                      for p in glob.glob(os.path.join(root, "*", "*")))

    def join(self, asset, name):
        """a rendition as one file: a header, then all its fragments"""
        ix = self.index(asset)
        q = ix["renditions"][name]
        path = os.path.join(self.dir, "%s-%s.mp4" % (asset, name))
        with open(path, "wb") as out:
            out.write(ix["headers"][q["objects"][0]["header"]])
            k = 0
            for o in q["objects"]:
                with open(self.path(asset, name, o["name"]), "rb") as f:
                    data = f.read()
                n = sum(q["sizes"][k:k + o["fragments"]])
                k += o["fragments"]
                assert o["base"] + n <= len(data), o
                assert data[:o["base"]] == ix["headers"][o["header"]]
                list(boxes(data))
                out.write(data[o["base"]:o["base"] + n])
        return path

    def check_ready(self, asset, frames=None, seconds=None):
        """all renditions stand, whole and of one length; their index"""
        r = self.wait(asset)
        assert r["ready"], r
        ix = self.index(asset)
        assert not ix["growing"]
        assert sorted(ix["renditions"]) == sorted(
            q["name"] for q in r["renditions"])
        for name, q in ix["renditions"].items():
            path = self.join(asset, name)
            if q["kind"] == 1:
                assert sum(q["durations"]) == ix["end_ts"]
                n = count(path, "v:0")
                assert n == sum(q["samples"])
                assert frames is None or n == frames, (name, n)
            else:
                assert count(path, "a:0") >= sum(q["samples"])
                end = sum(q["durations"]) / q["timescale"]
                assert abs(end - ix["end_ts"] / ix["timescale"]) < 0.025
        if seconds is not None:
            assert abs(r["duration_ms"] / 1000 - seconds) < 0.05, r
        return ix

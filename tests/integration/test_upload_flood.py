"""A key holder who makes uploads and sends nothing: how many are open is
bounded by the quota, memory stays, listings answer, the sweep clears up.
`make flood FLOOD=100000` is the long form."""

import http.client
import json
import os
import struct
import tempfile
import threading
import time
import urllib.parse

import pytest

import reel_upload
import sanitized
from client import presign
from reel import Stack, wait_for
from reel_upload import EXPIRED, OPEN

MANY = int(os.environ.get("REEL_FLOOD", 2000))
THREADS = 4

SERVER = """
    location /short/ { reel_upload; reel_upload_expires 2h; }
    keepalive_requests 1000000;
"""

DOORS = (
    ("POST", "/short/video/", {"Tus-Resumable": "1.0.0",
                               "Upload-Defer-Length": "1"}),
    ("POST", "/short/video/", {"Tus-Resumable": "1.0.0",
                               "Upload-Length": "0",
                               "Upload-Concat": "partial"}),
    ("POST", "/short/video/x", {"Upload-Complete": "?0"}),
    ("POST", "/short/video/y", {"uploads": ""}),
)


@pytest.fixture
def stack(monkeypatch):
    # it is not the disk that is tested; the long form needs its room
    if MANY <= 2000 and os.path.isdir("/dev/shm"):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    with Stack(sweep_s=1, sweep_age_s=2, upload_age_h=1,
               sweep_uploads=MANY) as s:
        s.start_redis()
        s.start_nginx(server=SERVER)
        yield s


def connect(stack):
    return http.client.HTTPConnection(
        urllib.parse.urlsplit(stack.url).netloc, timeout=60)


def make(stack, door, n, statuses):
    """n uploads over one connection, by one presigned URL"""
    method, path, headers = DOORS[door]
    query = {"uploads": ""} if "uploads" in headers else {}
    url = presign(stack.url, method, path, **query)[len(stack.url):]
    conn = connect(stack)
    for _ in range(n):
        conn.request(method, url, b"",
                     {k: v for k, v in headers.items() if k != "uploads"})
        r = conn.getresponse()
        r.read()
        statuses.append(r.status)
    conn.close()


def private_kib(pids):
    kib = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            kib += sum(int(x.split()[1]) for x in f
                       if x.startswith("Private"))
    return kib


def listed(stack, state):
    """all uploads of a state, page by page; how long the slowest took"""
    ids, cursor, worst = [], {}, 0
    while True:
        url = presign(stack.url, "GET", "/api/uploads", limit="100",
                      state=state, **cursor)
        conn, begun = connect(stack), time.monotonic()
        conn.request("GET", url[len(stack.url):])
        r = conn.getresponse()
        page = json.loads(r.read())
        assert r.status == 200, page
        worst = max(worst, time.monotonic() - begun)
        ids += [u["id"] for u in page["uploads"]]
        if page["next_cursor"] is None:
            return ids, worst
        cursor = {"cursor": page["next_cursor"]}


def flood(stack, many):
    statuses = []
    threads = [threading.Thread(target=make, args=(
        stack, n % len(DOORS), many // THREADS, statuses))
        for n in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return statuses


def test_uploads_of_nothing(stack):
    wait_for(lambda: len(stack.nginx_workers()) == 2)
    workers = stack.nginx_workers()
    flood(stack, 100)
    before = private_kib(workers)
    statuses = flood(stack, MANY - 100)
    grown = private_kib(workers) - before
    print("FIGURE flood_private_kib %d KiB" % grown)
    assert len(statuses) == MANY - 100
    assert set(statuses) <= {200, 201}, set(statuses)
    # what is freed stays mapped there for a while
    assert grown <= 2048 or sanitized.LIBRARY

    ids, worst = listed(stack, "open")
    print("FIGURE flood_list_s %.3f s" % worst)
    assert len(ids) == len(set(ids)) == MANY
    conn = connect(stack)
    url = presign(stack.url, "GET", "/short/video/", uploads="")
    begun = time.monotonic()
    conn.request("GET", url[len(stack.url):])
    r = conn.getresponse()
    body = r.read()
    print("FIGURE flood_s3_list_s %.3f s" % (time.monotonic() - begun))
    assert r.status == 200
    assert body.count(b"<UploadId>") == min(1000, MANY // THREADS)

    # another upload passes as ever, while they are listed
    t = threading.Thread(target=listed, args=(stack, "expired"))
    t.start()
    url = presign(stack.url, "PUT", "/upload/video/z")
    conn.request("PUT", url[len(stack.url):], b"x")
    r = conn.getresponse()
    r.read()
    assert r.status == 200
    t.join()

    stack.start_workerd()
    clear(stack, set(ids))
    assert workers == stack.nginx_workers()


def clear(stack, ids):
    """what has expired ends, and goes once it was remembered long enough"""
    folder = os.path.join(stack.store, "uploads")
    for i in ids:
        age(folder, i)
    wait_for(lambda: not listed(stack, "open")[0], 60 + MANY / 200)
    wait_for(lambda: not any(os.path.exists(os.path.join(folder, i, "data"))
                             for i in ids), 60 + MANY / 200)
    for i in ids:
        age(folder, i, EXPIRED)
    wait_for(lambda: not os.listdir(folder), 60 + MANY / 200)


def age(folder, upload, phase=OPEN):
    """as if nothing had come for three hours"""
    with open(os.path.join(folder, upload, "state"), "r+b") as f:
        at = int(struct.unpack("<8sQ", f.read(16))[1] % 2 == 0) * 4096
        f.seek(at)
        f.write(reel_upload.slot(1 << 40, phase, reel_upload.UNKNOWN, 0,
                                 int((time.time() - 10800) * 1000)))

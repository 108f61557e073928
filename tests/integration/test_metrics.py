"""Metrics of a worker, as Prometheus reads them."""

import http.client
import os
import re
import socket

from reel import ROOT, Stack, clip, wait_for

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? ([0-9.]+)"
                    % (NAME, LABEL, LABEL))


def parse(text):
    """Text format 0.0.4: {(name, labels): value}, {name: type}; refuses what
    a scraper would."""
    samples, types, helped, at = {}, {}, set(), None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            at = line.split(" ", 3)[2]
            assert at not in helped, line
            helped.add(at)
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name == at and name not in types, line
            assert kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            m = SAMPLE.fullmatch(line)
            assert m, line
            labels = tuple(sorted(re.findall(LABEL, m[2] or "")))
            base = re.sub("_(bucket|sum|count)$", "", m[1]) \
                if types[at] == "histogram" else m[1]
            assert base == at, line
            assert (m[1], labels) not in samples, line
            samples[m[1], labels] = float(m[m.lastindex])
    assert helped == set(types)
    return samples, types


def check_histogram(samples, name):
    """cumulative, the last bucket is all of it"""
    rows = {}
    for (n, labels), v in samples.items():
        if n == name + "_bucket":
            d = dict(labels)
            rows.setdefault(d["type"], []).append((float(d["le"]), v))
    for kind, row in rows.items():
        assert row == sorted(row) and row[-1][0] == float("inf"), row
        assert [v for _, v in row] == sorted(v for _, v in row), row
        key = (("type", kind),)
        assert samples[name + "_count", key] == row[-1][1]
        assert samples[name + "_sum", key] >= 0
    assert len(rows) == 11, rows


def request(port, method="GET", path="/metrics"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request(method, path)
    r = c.getresponse()
    body = r.read()
    c.close()
    return r, body


def scrape(port):
    r, body = request(port)
    assert r.status == 200 and r.getheader("Content-Type").startswith(
        "text/plain; version=0.0.4")
    samples, types = parse(body.decode())

    def get(name, **labels):
        return samples.get((name, tuple(sorted(labels.items()))))
    return get, samples, types


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connects(port):
    try:
        return socket.create_connection(("127.0.0.1", port), 20)
    except ConnectionRefusedError:
        return None


def test_a_worker_is_watched():
    port = free_port()
    with Stack(metrics="127.0.0.1:%d" % port) as s:
        s.start_redis()
        s.start_workerd()
        # who says nothing holds its place, and only for a while
        silent = [wait_for(lambda: connects(port)) for _ in range(8)]
        silent[0].sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        film = s.put(clip(2, size="320x180"))
        junk = s.put(b"not a film" * 1000)
        assert s.wait(film)["ready"]
        assert s.wait(junk)["code"] == "NOT_A_VIDEO"

        def settled():
            get = scrape(port)[0]
            return get("reel_unfinished_jobs") == 0 \
                and get("reel_running_tasks") == 0 \
                and get("reel_outbox_pending") == 0
        wait_for(settled, every=1)
        for c in silent:
            assert c.recv(1) == b""
            c.close()

        get, samples, types = scrape(port)
        check_jobs(get)
        check_histogram(samples, "reel_task_wait_seconds")
        check_histogram(samples, "reel_task_run_seconds")
        text = open(os.path.join(ROOT, "docs", "metrics.md")).read()
        assert types == dict(re.findall(
            r"(?m)^\| `(reel_\w+)` \| (\w+) \|", text))
        assert len(samples) < 600       # whatever is encoded

        check_other_requests(port)

        s.stop_redis()
        wait_for(lambda: scrape(port)[0]("reel_redis_up") == 0)
        wait_for(lambda: scrape(port)[0]("reel_running_tasks") is None)
        get = scrape(port)[0]
        assert get("reel_ready_tasks", kind="light") is None
        assert get("reel_cores") == 2


def check_jobs(get):
    """of one film and one that is none"""
    def ended(kind, outcome):
        return get("reel_tasks_ended_total", type=kind, outcome=outcome)
    assert (ended("inspect", "done"), ended("inspect", "fail")) == (1, 1)
    assert ended("encode_video", "done") == ended("plan", "done") == 1
    assert ended("encode_video", "retry") == ended("exec", "done") == 0
    assert get("reel_task_failures_total", code="NOT_A_VIDEO") == 1
    assert get("reel_task_retries_total", **{"class": "retry",
                                             "code": "CRASHED"}) == 0
    for name in "wait", "run":
        assert get("reel_task_%s_seconds_count" % name, type="inspect") == 2
    for kind in "encode_video", "encode_audio":
        assert 2 <= get("reel_encode_media_seconds_total", type=kind) < 2.1
    assert get("reel_encode_seconds_total", type="encode_video") > 0
    assert get("reel_task_run_seconds_sum", type="encode_video") \
        == get("reel_encode_seconds_total", type="encode_video")
    for kind in "light", "single", "multi":
        assert get("reel_ready_tasks", kind=kind) == 0
        assert get("reel_ready_oldest_seconds", kind=kind) == 0
    assert get("reel_redis_up") == get("reel_workers") == 1
    assert get("reel_cores") == 2 and get("reel_cores_used") == 0
    assert get("reel_memory_bytes") > get("reel_memory_used_bytes") == 0
    assert get("reel_worker_tasks", type="encode_video") == 0


def check_other_requests(port):
    r, _ = request(port, path="/")
    assert r.status == 404
    r, _ = request(port, "POST")
    assert r.status == 405 and r.getheader("Allow") == "GET"
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: "
                  + b"a" * 5000)
        assert c.recv(12) == b"HTTP/1.1 431"
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        for byte in b"GET /metrics HTTP/1.0\r\n\r\n":
            c.sendall(bytes([byte]))
        assert c.recv(12) == b"HTTP/1.1 200"

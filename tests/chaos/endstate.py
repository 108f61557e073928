"""What must stand, and what must not, when all is calm again."""

import json
import os
import re
import time

from reel import K, wait_for

SETTLE_S = 180


def files(root):
    return sorted(os.path.relpath(os.path.join(d, f), root)
                  for d, _, names in os.walk(root) for f in names)


def named(ix):
    """the objects that an index speaks of, rendition/name"""
    out = {"%s/%s" % (q["name"], o["name"])
           for q in ix["renditions"].values() for o in q["objects"]}
    return out | {"image/" + i["object"]
                  for i in ix["images"] + ix["pictures"]}


def check_assets(stack, traffic):
    """each is ready, whole and decodes; there are no others"""
    for asset, film in traffic.assets.items():
        stack.check_ready(asset, film.frames, film.seconds)
    stand = sorted(p for d in os.listdir(os.path.join(stack.store, "assets"))
                   for p in os.listdir(os.path.join(stack.store, "assets",
                                                    d)))
    assert stand == sorted(traffic.assets), "assets that nobody was told of"
    told = []
    for name in files(os.path.join(stack.store, "names")):
        with open(os.path.join(stack.store, "names", name)) as f:
            told.append(json.load(f)["asset"])
    # by the origin and by the S3 key
    assert sorted(told) == sorted(2 * list(traffic.assets)), told


def age_uploads(stack):
    """what killed uploads left is a day old, so that it is swept"""
    old = time.time() - 86400
    for name in files(os.path.join(stack.store, "uploads")):
        os.utime(os.path.join(stack.store, "uploads", name), (old, old))


def check_store(stack, traffic):
    age_uploads(stack)
    for folder in "uploads", "scratch", "pending":
        path = os.path.join(stack.store, folder)
        try:
            wait_for(lambda: not files(path), 60)
        except TimeoutError:
            raise AssertionError("%s/ keeps %s" % (folder, files(path)))
    for asset in traffic.assets:
        stand = set(files(stack.folder(asset))) - {
            "index", "request.json", "result.json", "source"}
        want = named(stack.index(asset))
        assert stand == want, (asset, sorted(stand ^ want))
    assert not [f for f in files(stack.store) if "#" in f]


def check_redis(stack):
    keys = stack.redis("KEYS", K + "ready:*") + [K + "lease", K + "delay"]
    left = {k: stack.redis("ZRANGE", k, 0, -1) for k in keys}
    assert not any(left.values()), left


def check_logs(stack):
    """nobody crashed but by our hand"""
    with open(os.path.join(stack.dir, "nginx.log"), errors="replace") as f:
        said = f.read()
    bad = re.findall(r".*exited on signal (?!9\b).*|.*\[emerg\].*", said)
    assert not bad, bad[:5]
    bad = re.findall(r".*signal (?:11|6|4|7|8)\b.*", stack.said())
    assert not bad, bad[:5]


def settle(stack, traffic):
    traffic.finish_uploads()
    try:
        wait_for(lambda: traffic.unfinished() == 0, SETTLE_S)
    except TimeoutError:
        raise AssertionError("not ended: %s" % {
            a: stack.tasks(a) for a in traffic.assets
            if a not in traffic.results})

"""Plain films against stored assets, and what a first request costs; run by
tests/bench/play/run, whose functions it gets as b."""
import os
import re
import statistics
import subprocess
import time

DROPIN = 1.3
COLD_MOOV_MS = 15
COLD_INDEX_MS = 1
CACHED = 1.0
COPIES = 9

# half a minute of noise: 5 Mbit/s of picture, as a web film has them
NOISE = ("testsrc2=s=640x360:r=30:d=30,noise=alls=30:allf=t,format=yuv420p",
         "sine=f=440:r=48000:d=30")


def make_films(top):
    """ten minutes to be sent, two hours of few bits to be indexed"""
    os.makedirs(top + "/films")
    for name, rate, loops in (("ten", "5M", 19), ("two-hours", "300k", 239)):
        part = "%s/films/%s-part.mp4" % (top, name)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
             NOISE[0], "-f", "lavfi", "-i", NOISE[1], "-c:v", "libx264",
             "-preset", "ultrafast", "-b:v", rate, "-maxrate", rate,
             "-bufsize", rate, "-g", "60", "-c:a", "aac", "-b:a", "128k",
             part], check=True)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop",
             str(loops), "-i", part, "-c", "copy",
             "%s/films/%s.mp4" % (top, name)], check=True)
        os.unlink(part)
    for n in range(COPIES):
        os.link(top + "/films/two-hours.mp4", "%s/films/c%d.mp4" % (top, n))


def segments(b, base, film):
    """of each rendition: the URLs of all segments"""
    master = b.get(base, "/films/%s/master.m3u8" % film).decode()
    found = {}
    for kind, uri in (
            ("video", re.search(r"^[^#\n].*", master, re.M).group(0)),
            ("audio", re.search(r'TYPE=AUDIO.*URI="([^"]+)"',
                                master).group(1))):
        folder = "/films/%s/%s/" % (film, uri.rsplit("/", 1)[0])
        text = b.get(base, folder + "media.m3u8").decode()
        found[kind] = [folder + x for x in
                       re.findall(r"^[^#\n].*", text, re.M)]
    return found


def stored_like(b, top, base, number, kind, urls):
    """an asset whose segments have the mean size; and static files of ours"""
    bodies = [b.get(base, u) for u in urls]
    size = sum(map(len, bodies)) // len(bodies)
    ident, lines = b.make_asset(top, number, [
        "%s:%d" % ("v1080:video" if kind == "video" else "a128:audio",
                   size // b.PER), "fragments=%d" % (len(urls) * b.PER)])
    stored = [x[0] for x in b.split_segments(top, ident, lines)]
    paths = []
    for n, body in enumerate(bodies):
        path = "/static/%s/own-%d.m4s" % (ident, n)
        with open(top + path, "wb") as f:
            f.write(body)
        paths.append(path)
    mean = (size, sum(len(b.get(base, u)) for u in stored) / len(stored))
    return mean, stored, paths


def write_list(top, name, paths):
    with open("%s/%s" % (top, name), "w", encoding="ascii") as f:
        f.write("\n".join(paths) + "\n")
    return f.name


def compare(b, n, top, o):
    """CPU a byte over the stored form's, and requests over static's"""
    low, worst = [], 0
    for number, (kind, urls) in enumerate(
            segments(b, n.base, "ten.mp4").items()):
        (size, stored_size), stored, static = stored_like(
            b, top, n.base, 200 + number, kind, urls)
        lists = [write_list(top, "%s.%d" % (kind, i), x)
                 for i, x in enumerate((urls, stored, static))]
        for x in lists:
            b.load(n.base, n.pid, x, 8, 1)
        over, against = [], []
        for _ in range(o.pairs):
            film, asset, file = (b.load(n.base, n.pid, x, 8, o.seconds)[0]
                                 for x in lists)
            over.append(asset * stored_size / (film * size))
            against.append(film / file)
        print("%s of a plain film (%d KiB): CPU a byte over the stored "
              "form's %s" % (kind, size >> 10, b.spread(over)))
        worst = max(worst, statistics.median(over))
        print("FIGURE dropin_%s_vs_static %.3f ratio"
              % (kind, statistics.median(against)))
    print("FIGURE dropin_vs_indexed %.3f ratio" % worst, flush=True)
    if worst > DROPIN:
        low.append("dropin_vs_indexed %.3f > %.1f" % (worst, DROPIN))
    return low


def playlists(b, n, top, o):
    base = "/films/two-hours.mp4/"
    master = b.get(n.base, base + "master.m3u8").decode()
    rates = []
    for path in ("master.m3u8",
                 re.search(r"^[^#\n].*", master, re.M).group(0)):
        urls = write_list(top, "films.urls", [base + path])
        b.load(n.base, n.pid, urls, 8, 1)
        rates.append(statistics.median(
            b.load(n.base, n.pid, urls, 8, max(1, o.seconds // 2))[0]
            for _ in range(o.pairs)))
    print("FIGURE dropin_playlist_2h_per_s %.0f 1/s" % min(rates), flush=True)


def first(b, base, paths):
    """ms that the first request takes over the second, by one a path"""
    extra = []
    for path in paths:
        took = []
        for _ in range(2):
            begun = time.monotonic()
            b.get(base, path)
            took.append((time.monotonic() - begun) * 1000)
        extra.append(took[0] - took[1])
    return extra


def cold(b, n, top, figure, paths, floor):
    extra = first(b, n.base, paths)
    value = statistics.median(extra)
    print("%s: %s" % (figure, b.spread(extra, "%.2f")))
    print("FIGURE %s %.2f ms" % (figure, value), flush=True)
    return [] if value <= floor else ["%s %.2f > %d" % (figure, value, floor)]


def cached(b, n, top, ident, version, o):
    """kept manifests against a file of the same bytes"""
    worst = []
    os.makedirs(top + "/static/m")
    for i, name in enumerate(("master.m3u8",
                              "v1080~%s/media.m3u8" % version)):
        path = "/cached/%s/%s" % (ident, name)
        with open("%s/static/m/%d.m3u8" % (top, i), "wb") as f:
            f.write(b.get(n.base, path))
        lists = [write_list(top, "m%d" % i, [path]),
                 write_list(top, "s%d" % i, ["/static/m/%d.m3u8" % i])]
        ratios = []
        for x in lists:
            b.load(n.base, n.pid, x, 8, 1)
        for _ in range(o.pairs):
            kept, file = (b.load(n.base, n.pid, x, 8, o.seconds)[0]
                          for x in lists)
            ratios.append(kept / file)
        print("cached %s over static: %s" % (name, b.spread(ratios)))
        worst.append(statistics.median(ratios))
    print("FIGURE cached_manifest_vs_static %.3f ratio" % min(worst),
          flush=True)
    return [] if min(worst) >= CACHED else [
        "cached_manifest_vs_static %.3f < %.1f" % (min(worst), CACHED)]


def bench(b, top, film, version, o):
    low = []
    make_films(top)
    assets = [b.make_asset(top, 300 + i, [
        "data=0", "fragments=3600"] + ["%s:%d" % x for x in b.LADDER])[0]
        for i in range(COPIES)]
    with b.Server(top, o) as n:
        b.get(n.base, "/play/%s/master.m3u8" % film)
        low += cold(b, n, top, "cold_index_extra_ms",
                    ["/play/%s/master.m3u8" % x for x in assets],
                    COLD_INDEX_MS)
        low += cold(b, n, top, "cold_moov_extra_ms",
                    ["/films/c%d.mp4/master.m3u8" % i
                     for i in range(COPIES)], COLD_MOOV_MS)
        low += cached(b, n, top, film, version, o)
        playlists(b, n, top, o)
        low += compare(b, n, top, o)
    return low

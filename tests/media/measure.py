"""What a film is seen and heard to be: by ffprobe, and by decoding it."""

import array
import json
import re
import struct
import subprocess
import tempfile

SYNC_MS = 20
SOUND_HZ = 16000
FASTEST = 240                   # pictures a second, of any camera
TEXTS = ("subrip", "mov_text", "webvtt", "ass", "text")
CURVES = ("smpte2084", "arib-std-b67")  # of HDR
FIELDS = ("tt", "bb", "tb", "bt")       # of interlaced pictures
ALIKE = 0.8                     # what is turned or late has less
EVEN = 2.0                      # a picture's or a sound's least deviation
LARGEST_SIDE = 1080             # the default pipeline's, of the shorter one


def ffprobe(path):
    """its streams and format, or None"""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of",
         "json", path], stdin=subprocess.DEVNULL, capture_output=True)
    try:
        got = json.loads(out.stdout)
    except ValueError:
        return None
    return got if out.returncode == 0 and got.get("streams") else None


def _rate(text):
    num, _, den = text.partition("/")
    return int(num) / int(den) if den and int(den) else 0.0


def _shown(stream):
    """width and height after pixels' aspect and rotation"""
    w, h = stream["width"], stream["height"]
    num, _, den = stream.get("sample_aspect_ratio", "1:1").partition(":")
    if int(num) and int(den):
        w = round(w * int(num) / int(den))
    for side in stream.get("side_data_list", []):
        if int(side.get("rotation", 0)) % 180:
            w, h = h, w
    return w, h


def _packets(path):
    """times and ends of the packets: {"video": [(s, s)], "audio": …}"""
    out = subprocess.run(
        ["ffprobe", "-v", "quiet", "-show_entries",
         "packet=codec_type,pts_time,duration_time", "-of",
         "compact=p=0:nk=1", path],
        stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    times = {}
    for kind, at, lasts in re.findall(r"^(\w+)\|(-?[\d.]+)\|([\d.]*)", out,
                                      re.M):
        times.setdefault(kind, []).append(
            (float(at), float(at) + float(lasts or 0)))
    return times


def _span(packets):
    """seconds from the first picture or sound to the last one's end, or None;
    a text may last longer"""
    times = packets.get("video", []) + packets.get("audio", [])
    return max(end for _, end in times) - min(
        at for at, _ in times) if times else None


def _met_rate(packets, said):
    """pictures a second; by their times where a clock's rate is said"""
    at = sorted(at for at, _ in packets.get("video", []))
    return said if said <= FASTEST or len(at) < 2 or at[-1] == at[0] \
        else (len(at) - 1) / (at[-1] - at[0])


def _on_ladder(size):
    """even, and no larger than the largest rung; nothing is scaled up"""
    short = min(size)
    if short <= LARGEST_SIDE:
        return tuple(n - n % 2 for n in size)
    return tuple(2 * round(n * LARGEST_SIDE / short / 2) for n in size)


def _webp(path):
    """of an animated WebP, which ffprobe cannot read: by its chunks (RFC 9649,
    2.7).  None of other files"""
    with open(path, "rb") as f:
        head = f.read(30)
        if head[:4] + head[8:16] != b"RIFFWEBPVP8X" or not head[20] & 2:
            return None
        size = [1 + int.from_bytes(head[at:at + 3], "little")
                for at in (24, 27)]
        lasts, end = [], f.seek(0, 2)
        at = 30
        while at + 24 <= end:
            f.seek(at)
            kind, length = struct.unpack("<4sI", f.read(8))
            at += 8 + length + length % 2
            if kind == b"ANMF" and at - length % 2 <= end:
                ms = int.from_bytes(f.read(16)[12:15], "little")
                lasts.append(ms / 1000 if ms > 10 else 0.1)
    if not lasts:
        return None
    return {"size": "%dx%d" % _on_ladder(tuple(size)), "channels": None,
            "rate": len(lasts) / sum(lasts), "seconds": sum(lasts)}


def traits(path):
    """what a stranger's file should become; None: nobody can read it"""
    webp = _webp(path)
    if webp:
        return webp
    probe = ffprobe(path)
    if probe is None:
        return None
    packets = _packets(path)
    said, span = float(probe["format"].get("duration", 0)), _span(packets)
    if span and said > span * 1.01 + 0.1:
        said = span                     # more than there is
    t = {"size": None, "rate": None, "channels": None, "seconds": said,
         "texts": 0, "looks": None, "poster": False}
    for s in probe["streams"]:
        if s["codec_type"] == "video":
            t["poster"] = True
            if not t["size"] and not s["disposition"]["attached_pic"]:
                t["size"] = "%dx%d" % _on_ladder(_shown(s))
                t["rate"] = _met_rate(packets, _rate(s["avg_frame_rate"]))
                t["looks"] = "sdr" if s.get("color_transfer") in CURVES \
                    else "progressive" if s.get("field_order") in FIELDS \
                    else None
        elif s.get("codec_name") in TEXTS:
            t["texts"] += 1
        elif s["codec_type"] == "audio" and t["channels"] is None:
            t["channels"] = 2           # the default pipeline's
    return t


def _rises(levels):
    """instants at which (instant, level) rise above the middle"""
    if not levels:
        return []
    low, high = min(v for _, v in levels), max(v for _, v in levels)
    middle = (low + high) / 2
    out, below, last = [], True, None
    for at, v in levels:
        if v < middle:
            below = True
        elif below:
            if last is None or at - last > 0.5:
                out.append(at)
                last = at
            below = False
    return out


def _flashes(text):
    """of framecrc's lines: a grey pixel's Adler sum holds its value"""
    tb, levels = 1.0, []
    for line in text.splitlines():
        if line.startswith("#tb"):
            tb = _rate(line.split(":")[1].strip())
        elif line and line[0] != "#":
            f = [v.strip() for v in line.split(",")]
            levels.append((int(f[2]) * tb, int(f[5], 16) & 0xff))
    return _rises(levels)


def _tones(data):
    samples = array.array("h", data[:len(data) // 2 * 2])
    step = SOUND_HZ // 1000
    return _rises([(i / SOUND_HZ, max(map(abs, samples[i:i + step])))
                   for i in range(0, len(samples), step)])


def events(path, n=0):
    """
    seconds at which picture n turns white, and at which the first sound
    begins to be loud.  Of one run: ffmpeg's zero is the first start of what
    it reads.
    """
    with tempfile.NamedTemporaryFile() as sound:
        out = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path,
             "-map", "0:v:%d" % n, "-vf",
             "scale=1:1:flags=area,format=gray", "-fps_mode", "passthrough",
             "-enc_time_base", "1:90000", "-f", "framecrc", "-",
             "-map", "0:a:0", "-ac", "1", "-af",
             "aresample=%d:async=1:first_pts=0" % SOUND_HZ, "-f", "s16le",
             sound.name], stdin=subprocess.DEVNULL, capture_output=True)
        return _flashes(out.stdout.decode()), _tones(sound.read())


def drift(flash, tone):
    """ms by which each flash comes behind its tone, the nearest one"""
    return [1000 * (f - min(tone, key=lambda t: abs(t - f)))
            for f in flash] if tone else []


def sync(source, url, variants=1):
    """
    the greatest ms by which flash and tone drift from where the source has
    them, over all its flashes and all variants; None: they are not found
    """
    src = drift(*events(source))
    worst = 0.0
    for n in range(variants):
        got = drift(*events(url, n))
        if not got or len(got) < len(src):
            return None
        for i, ms in enumerate(got):
            worst = max(worst, abs(ms - src[min(i, len(src) - 1)]))
    return worst


def _thumbs(path):
    """two grey pictures a second, 16x16, of the first picture track"""
    out = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v:0",
         "-vf", "fps=2,scale=16:16:flags=area,format=gray", "-f", "rawvideo",
         "-"], stdin=subprocess.DEVNULL, capture_output=True).stdout
    return [out[i:i + 256] for i in range(0, len(out) - 255, 256)]


def _at_ends(path):
    """whether the first sound is Vorbis whose times are where its frames end,
    as old muxers wrote: they step by the length of the later of two frames,
    not of the earlier"""
    out = subprocess.run(
        ["ffprobe", "-v", "quiet", "-select_streams", "a:0", "-read_intervals",
         "%+30", "-show_entries", "stream=codec_name,sample_rate:"
         "frame=pts_time,nb_samples", "-of", "json", path],
        stdin=subprocess.DEVNULL, capture_output=True).stdout
    got = json.loads(out or "{}")
    sound = (got.get("streams") or [{}])[0]
    if sound.get("codec_name") != "vorbis":
        return False
    frames = [(float(f["pts_time"]), f["nb_samples"] / int(
        sound["sample_rate"])) for f in got["frames"] if "pts_time" in f]
    late = early = 0
    for (t, n), (u, m) in zip(frames, frames[1:]):
        if abs(n - m) > 0.004:
            late += abs(u - t - m) < 0.002
            early += abs(u - t - n) < 0.002
    return late > 1 and late > 4 * early


def _loudness(path):
    """of each 20 ms of the first sound track, from 0, with its holes (ffmpeg
    alone closes those below 0.1 s, and is early from there on)"""
    starts = "asetpts=PTS-NB_SAMPLES/SR/TB," if _at_ends(path) else ""
    data = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:a:0",
         "-ac", "1", "-af", starts + "aresample=%d:async=1:min_hard_comp=0.02:"
         "first_pts=0" % SOUND_HZ, "-f", "s16le", "-"],
        stdin=subprocess.DEVNULL, capture_output=True).stdout
    samples = array.array("h", data[:len(data) // 2 * 2])
    step = SOUND_HZ // 50
    return [sum(map(abs, samples[i:i + step])) / step
            for i in range(0, len(samples) - step + 1, step)]


def _alike(a, b):
    """correlation of two rows; of even ones, whether they are the same"""
    n = min(len(a), len(b))
    ma, mb = sum(a[:n]) / n, sum(b[:n]) / n
    da, db = [v - ma for v in a[:n]], [v - mb for v in b[:n]]
    ea, eb = sum(v * v for v in da), sum(v * v for v in db)
    if min(ea, eb) < EVEN * EVEN * n:
        return 1.0 if max(ea, eb) < 4 * EVEN * EVEN * n else 0.0
    return sum(x * y for x, y in zip(da, db)) / (ea * eb) ** 0.5


def likeness(source, url, picture, sound):
    """how alike what comes out is to the source, at most 1, the same: by
    "picture" (the mean of all) and "sound", those that are asked for"""
    out = {}
    if picture:
        pairs = list(zip(_thumbs(source), _thumbs(url)))
        out["picture"] = sum(_alike(a, b) for a, b in pairs) / max(
            1, len(pairs))
    if sound:
        a, b = _loudness(source), _loudness(url)
        out["sound"] = _alike(a, b) if a and b else 0.0
    return out


def looks(url, what):
    """whether the first picture track looks like that, or what it is instead"""
    if what == "sdr":
        curve = [s for s in ffprobe(url)["streams"]
                 if s["codec_type"] == "video"][0].get("color_transfer")
        return what if curve == "bt709" else curve or "untagged"
    out = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "info", "-i", url, "-map", "0:v:0",
         "-vf", "idet=intl_thres=1.5", "-f", "null", "-"],
        stdin=subprocess.DEVNULL, capture_output=True).stderr.decode()
    n = re.search(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) "
                  r"Progressive: *(\d+)", out)
    combs, none = int(n[1]) + int(n[2]), int(n[3])
    return what if none > 4 * combs else "combed"


def decodes(url):
    """what ffmpeg complains about when it plays it; "" = nothing"""
    out = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", url, "-map",
         "0:v?", "-map", "0:a?", "-fps_mode", "passthrough",
         "-enc_time_base", "1:90000", "-f", "null", "-"],
        stdin=subprocess.DEVNULL, capture_output=True)
    said = [s for s in out.stderr.decode(errors="replace").splitlines()
            if "deprecated pixel format" not in s and "Skip (" not in s
            and "support the subtitle" not in s]
    if out.returncode and not said:
        said = ["ffmpeg ends with %d" % out.returncode]
    return said[0][:100] if said else ""

"""Where a job's CPU and a worker's idle cores went, from workerd's log."""
import re
from datetime import datetime

BEGINS = re.compile(r'^time=(\S+) .* task=(\S+) msg="begins: ', re.M)
DONE = re.compile(r'^time=(\S+) .* task=(\S+) msg="done in \d+ ms, '
                  r'CPU (\d+) ms"', re.M)

# what takes a core; the others are light
CORES = "video", "sound", "storyboard"


def kind_of(task):
    if re.fullmatch(r"v\d+\.\d+", task):
        return "video"
    if re.fullmatch(r"a\d+", task):
        return "sound"
    return task.rstrip("0")                     # publish0


def seconds(stamp):
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


class Costs:
    """of the only job that the log tells of"""

    def __init__(self, said, slots, begun, end):
        """begun, end: Unix times of the job"""
        self.cpu, self.spans, self.slots = {}, [], slots
        self.begun, self.end = begun, end
        first = {t: seconds(at) for at, t in BEGINS.findall(said)}
        for at, task, ms in DONE.findall(said):
            kind = kind_of(task)
            self.cpu[kind] = self.cpu.get(kind, 0) + int(ms) / 1000
            self.spans.append((first[task], seconds(at), kind))

    def extras(self):
        """what ffmpeg's side does not make"""
        return self.cpu.get("storyboard", 0) + self.cpu.get("poster", 0)

    def idle(self):
        """core seconds: until the first task that takes a core, in between,
        when no more of them waited, and behind the last one"""
        work = sorted(s[:2] for s in self.spans if s[2] in CORES)
        first, last = work[0][0], max(s[1] for s in work)
        tail = max(s[0] for s in work)
        busy = {"between": 0.0, "tail": 0.0}
        for a, b in work:
            busy["between"] += max(0.0, min(b, tail) - a)
            busy["tail"] += max(0.0, b - max(a, tail))
        return {"start": (first - self.begun) * self.slots,
                "between": (tail - first) * self.slots - busy["between"],
                "tail": (last - tail) * self.slots - busy["tail"],
                "end": max(0.0, self.end - last) * self.slots}

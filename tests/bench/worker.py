"""What the benches read of an nginx worker, and how they print it."""

import glob
import os
import socket
import statistics
import sys
import time


def fail(text):
    sys.exit("%s: %s" % (os.path.basename(os.path.dirname(
        os.path.abspath(sys.argv[0]))), text))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def worker_of(master):
    for _ in range(200):
        for task in glob.glob("/proc/%d/task/*/children" % master):
            with open(task, encoding="ascii") as f:
                pids = f.read().split()
            if pids:
                return int(pids[0])
        time.sleep(0.05)
    return fail("nginx has no worker")


def cpu_s(pid):
    """of all threads, from the scheduler (ns) or from stat (10 ms)"""
    try:
        total = 0
        for task in glob.glob("/proc/%d/task/*/schedstat" % pid):
            with open(task, encoding="ascii") as f:
                total += int(f.read().split()[0])
        if total:
            return total / 1e9
    except OSError:
        pass
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def private_mib(pid):
    """what would be free again if it ended"""
    kib = 0
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                kib += int(line.split()[1])
    return kib / 1024


def spread(values, form="%.3f"):
    return "%s (%s to %s)" % tuple(
        form % v for v in (statistics.median(values), min(values),
                           max(values)))

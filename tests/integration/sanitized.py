"""`make test-integration SAN=1`: what the sanitizers said in workerd, its
children and nginx.  REEL_SAN is the address sanitizer's library, which a
plain nginx needs for our module; unset, all of this does nothing."""

import glob
import os
import re
import subprocess

LIBRARY = os.environ.get("REEL_SAN", "")

# No file lets a child's report out of its sandbox: it is in the end of its
# stderr, which goes to Redis and a job's log; how it ended is in workerd's.
SAID = re.compile(r"Sanitizer|: runtime error: |"
                  r"CRASHED in \S+: the child exited with status")


def nginx(env, folder):
    """nginx frees pools, not what lies in them: leaks are not looked for"""
    if not LIBRARY:
        return env
    return {**env, "LD_PRELOAD": LIBRARY, "ASAN_OPTIONS":
            "detect_leaks=0:detect_stack_use_after_return=1:"
            "strict_string_checks=1:log_path=%s/san" % folder}


def end(worker, timeout=15):
    """Leaks are looked for at an end of its own.  Not each can: some are
    stopped, some wait for a Redis that is gone."""
    for _ in range(2 if LIBRARY else 0):
        worker.proc.terminate()         # the second: at once
        try:
            worker.wait(1)
        except subprocess.TimeoutExpired:
            continue
        return
    if LIBRARY:
        try:
            worker.wait(timeout)
        except subprocess.TimeoutExpired:
            pass


def reports(stack):
    """every report of a stack whose processes are gone"""
    if not LIBRARY:
        return []
    out = []
    for path in sorted(glob.glob(os.path.join(stack.dir, "san.*"))):
        with open(path, errors="replace") as f:
            out.append(f.read())
    for name in "workerd.log", "nginx.log":
        path = os.path.join(stack.dir, name)
        if os.path.exists(path):
            with open(path, errors="replace") as f:
                text = f.read()
            at = SAID.search(text)
            if at:
                begin = text.rfind("\n", 0, at.start()) + 1
                out.append(text[begin:begin + 6000])
    return out

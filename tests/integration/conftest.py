"""Counts for `make test`: passed failed skipped, into $REEL_RESULTS."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "chaos: a part is killed, stopped or emptied at work")


def pytest_terminal_summary(terminalreporter):
    path = os.environ.get("REEL_RESULTS")
    if path:
        n = {k: len(v) for k, v in terminalreporter.stats.items()}
        with open(path, "w") as f:
            f.write("%d %d %d\n" % (
                n.get("passed", 0), n.get("failed", 0) + n.get("error", 0),
                n.get("skipped", 0)))

"""Command line, configuration and exit statuses of workerd."""

import os
import re
import signal
import socket
import subprocess

import pytest

from reel import BUILD, ROOT, WORKERD, Stack, wait_for


def workerd(*argv):
    return subprocess.run([WORKERD, *argv], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=20)


@pytest.fixture
def stack():
    with Stack() as s:
        yield s


def test_shipped_configuration_is_fine(tmp_path):
    text = open(os.path.join(ROOT, "conf", "reel.yaml")).read()
    text, n = re.subn("(?m)^pipelines: .*", "pipelines: "
                      + os.path.join(ROOT, "conf", "pipelines"), text)
    assert n == 1
    conf = tmp_path / "reel.yaml"
    conf.write_text(text)
    r = workerd("-c", str(conf), "-t")
    n = sum(name.endswith(".yaml") for name in
            os.listdir(os.path.join(ROOT, "conf", "pipelines")))
    assert r.returncode == 0 and "is fine: %d pipelines" % n in r.stdout, r


def test_configuration_of_make_run_is_fine(stack):
    text = open(os.path.join(ROOT, "conf", "run.reel.yaml")).read()
    assert "@RUN@" in text
    os.makedirs(os.path.join(stack.dir, "conf"))
    os.rename(stack.pipelines, os.path.join(stack.dir, "conf", "pipelines"))
    path = os.path.join(stack.dir, "run.yaml")
    with open(path, "w") as f:
        f.write(text.replace("@RUN@", stack.dir))
    r = workerd("-c", path, "-t")
    assert r.returncode == 0 and "is fine" in r.stdout, r


@pytest.mark.parametrize("line, error", [
    ("slot: 2", "8:1: "),
    ("slots: many", "8:8: "),
    ("slots: 1000", "8:8: "),
    ("lease_s: 1", "8:10: "),
    ("store: relative/path", "8:"),
    ("sandbox: maybe", "8:10: sandbox is"),
    ("log: loud", "8:6: log is"),
    ("worker: a b", "8:9: "),
    ("limits: { memory_mib: 1 }", "8:23: "),
    ("redis: { addres: 'unix:/x' }", "8:"),
])
def test_what_is_wrong_is_named_with_its_place(stack, line, error):
    key = line.split(":")[0]
    conf = {k: v for k, v in stack.conf.items() if k != key}
    stack.conf = dict(list(conf.items()))
    path = stack.write_conf()
    lines = open(path).read().splitlines()[:7]
    keep = [x for x in open(path).read().splitlines()
            if x.split(":")[0] in ("store", "pipelines", "redis")]
    lines = keep + ["# "] * (7 - len(keep)) + [line]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    r = workerd("-c", path, "-t")
    assert r.returncode == 1, r
    assert "%s:%s" % (path, error) in r.stderr, r.stderr


def test_missing_key(stack):
    del stack.conf["store"]
    r = workerd("-c", stack.write_conf(), "-t")
    assert r.returncode == 1 and "store" in r.stderr


def test_broken_pipeline_has_its_place(stack):
    stack.pipeline("broken", "gop_ms: 2000\nrungs:\n  - { side: 1 }\n")
    r = workerd("-c", stack.write_conf(), "-t")
    assert r.returncode == 1
    assert "broken.yaml:3:" in r.stderr, r.stderr


def test_a_program_that_is_not_there_is_warned_of(stack):
    stack.pipeline("lacking", "tasks:\n  x: { type: exec,\n"
                   "       command: /nowhere/x }\n")
    said = "lacking.yaml:3: x cannot run on this machine: /nowhere/x: No such"
    r = workerd("-t", "-c", stack.write_conf())
    assert r.returncode == 0 and "warning: " in r.stderr and said in r.stderr
    out = subprocess.run([os.path.join(BUILD, "bin", "reelctl"), "pipeline",
                          "check", os.path.join(stack.pipelines,
                                                "lacking.yaml")],
                         capture_output=True, text=True)
    assert out.returncode == 0 and said in out.stderr
    os.unlink(os.path.join(stack.pipelines, "lacking.yaml"))


def test_no_pipelines(stack):
    os.makedirs(os.path.join(stack.dir, "none"))
    r = workerd("-c", stack.write_conf(
        pipelines=os.path.join(stack.dir, "none")), "-t")
    assert r.returncode == 1 and "no pipeline" in r.stderr


def test_no_file():
    r = workerd("-c", "/nonexistent/reel.yaml", "-t")
    assert r.returncode == 1 and "/nonexistent/reel.yaml" in r.stderr


@pytest.mark.parametrize("argv", [["--nosuch"], ["extra"], ["--slots", "x"],
                                  ["--slots", "0"]])
def test_wrong_use(argv):
    assert workerd(*argv).returncode == 2


def test_help_and_version():
    for o in "-h", "--help":
        r = workerd(o)
        assert r.returncode == 0 and r.stdout.startswith("usage: workerd")
    assert re.match(r"workerd \d+\.\d+\.\d+\n", workerd("-V").stdout)


@pytest.mark.parametrize("abstract", [False, True])
def test_who_asked_hears_that_it_is_ready(stack, abstract, monkeypatch):
    """and from then on HUP reloads; Redis is not there"""
    at = os.path.join(stack.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("\0" + at if abstract else at)
        s.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + at if abstract else at)
        w = stack.start_workerd()
        assert s.recv(100) == b"READY=1"
    w.kill(signal.SIGHUP)
    wait_for(lambda: "reloaded: " in stack.said())
    w.kill(signal.SIGTERM)
    assert w.wait() == 0


def test_that_nobody_listens_ends_no_worker(stack, monkeypatch):
    for n, at in enumerate((os.path.join(stack.dir, "none"), "relative",
                            "/" + "x" * 200)):
        monkeypatch.setenv("NOTIFY_SOCKET", at)
        w = stack.start_workerd()
        wait_for(lambda: stack.said().count("nobody could be told") > n)
        w.kill(signal.SIGTERM)
        assert w.wait() == 0


def test_metrics_where_another_listens(stack):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        at = "127.0.0.1:%d" % s.getsockname()[1]
        r = workerd("-c", stack.write_conf(metrics=at))
    assert r.returncode == 5, r
    assert "metrics: %s: Address already in use" % at in r.stderr, r


def test_store_that_does_not_exist(stack):
    r = workerd("-c", stack.write_conf(store="/nonexistent/store"))
    assert r.returncode == 3 and "/nonexistent/store" in r.stderr


def test_documented_codes_are_those_of_the_table():
    source = open(os.path.join(ROOT, "workerd", "outcome.c")).read()
    codes = set(re.findall(r'\{ "([A-Z_]+)", (?:true|false)', source))
    doc = open(os.path.join(ROOT, "docs", "child-contract.md")).read()
    doc = doc.split("## Codes")[1].split("\n## ")[0]
    documented = set()
    for row in re.findall(r"(?m)^\| ([A-Z_, ]+) \|", doc):
        documented |= set(row.split(", "))
    assert documented == codes and len(codes) > 15


def test_an_install_that_fails_in_the_middle_fails(tmp_path):
    install = tmp_path / "install"
    install.write_text("#!/bin/sh\ncase \"$*\" in *default.yaml*) exit 1;; "
                       "esac\nexec /usr/bin/install \"$@\"\n")
    install.chmod(0o755)
    r = subprocess.run(
        ["make", "-s", "install", "BUILD=" + BUILD,
         "DESTDIR=%s" % (tmp_path / "root")], cwd=ROOT, capture_output=True,
        text=True, env={**os.environ,
                        "PATH": "%s:%s" % (tmp_path, os.environ["PATH"])})
    assert r.returncode != 0, r


def test_an_upgrade_keeps_the_operators_pipelines(tmp_path):
    """make install again: a file of theirs stays, and is told of"""
    def install():
        return subprocess.run(
            ["make", "-s", "install", "BUILD=" + BUILD, "DESTDIR=%s" % tmp_path],
            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "stays as it is" not in install()
    pipelines = tmp_path / "etc/reel/pipelines"
    mine = pipelines / "default.yaml"
    shipped = mine.read_text()
    names = {p.name for p in pipelines.iterdir()}
    mine.write_text("gop_ms: 3000\n")
    (pipelines / "hevc.yaml").unlink()

    said = install()
    assert mine.read_text() == "gop_ms: 3000\n"
    assert said == "%s stays as it is; the new one is %s.new\n" % (mine, mine)
    assert (pipelines / "default.yaml.new").read_text() == shipped
    assert {p.name for p in pipelines.iterdir()} == names | {"default.yaml.new"}

    conf = tmp_path / "reel.yaml"
    conf.write_text("store: %s\npipelines: %s\nredis: unix:/none\n"
                    % (tmp_path, pipelines))
    out = subprocess.run([tmp_path / "usr/bin/reel-workerd", "-t", "-c", conf],
                         check=True, capture_output=True, text=True)
    assert "fine: %d pipelines" % sum(n.endswith(".yaml") for n in names) \
        in out.stdout + out.stderr

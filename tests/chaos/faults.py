"""What may happen to each part, and how it comes back."""

import os
import re
import signal
import time
from collections import Counter

from redone import Fault
from reel import children, wait_for

LEASE_S = 3
SLOTS = 2
WORKERS = 2
NGINX = "reel_pipelines default chaos;"


class Faults:
    def __init__(self, stack, traffic, rnd, parts):
        self.stack, self.traffic, self.rnd = stack, traffic, rnd
        self.port = int(stack.url.rsplit(":", 1)[1])
        self.workers = [stack.start_workerd() for _ in range(WORKERS)]
        self.journal = []               # all that happened, redone.py
        self.choices = [f for p in parts for f in {
            "workerd": (self.kill_worker, self.kill_worker, self.kill_child,
                        self.kill_child, self.freeze_worker, self.end_worker),
            "redis": (self.kill_redis, self.kill_redis, self.freeze_redis,
                      self.empty_redis),
            "nginx": (self.reload_nginx, self.reload_nginx,
                      self.kill_nginx_worker, self.kill_nginx),
            "client": ()}[p]]

    def happen(self):
        self.look_for_the_dead()
        self.do(self.rnd.choice(self.choices))

    def do(self, fault):
        self.journal.append(Fault(fault.__name__))
        print("%s  %-18s %3d assets, %3d ready" % (
            time.strftime("%X"), fault.__name__, len(self.traffic.assets),
            len(self.traffic.ready)), flush=True)
        fault()
        self.journal[-1].end = time.time()

    def happened(self):
        """how often, of each fault"""
        return ", ".join("%d %s" % (n, name) for name, n in sorted(
            Counter(f.name for f in self.journal).items()))

    def look_for_the_dead(self):
        """those that nobody killed"""
        for w in list(self.workers):
            if w.proc.poll() is not None:
                self.traffic.fail("workerd %d ended by itself: %d"
                                  % (w.pid, w.proc.returncode))
                self.again(w)
        if self.stack.nginx_proc.poll() is not None:
            self.traffic.fail("nginx ended by itself: %d"
                              % self.stack.nginx_proc.returncode)
            self.stack.start_nginx(http=NGINX, port=self.port)

    # workerd

    def tasks(self, worker):
        """its children that do a task (others sweep the store)"""
        begun = set(re.findall(r'msg="begins: [^"]* child (\d+)"',
                               self.stack.said()))
        return [p for p in worker.children() if str(p) in begun]

    def again(self, worker):
        """a dead one comes back, as systemd would have it"""
        self.workers.remove(worker)
        time.sleep(self.rnd.uniform(0, 1.5))
        self.workers.append(self.stack.start_workerd())

    def hit(self, worker):
        self.journal[-1].workers.add(worker.pid)

    def kill_worker(self):
        w = self.rnd.choice(self.workers)
        self.hit(w)
        w.kill(signal.SIGSTOP)          # so that no other task begins now
        self.journal[-1].children.update(w.children())
        w.kill()
        w.wait()
        self.again(w)

    def end_worker(self):
        w = self.rnd.choice(self.workers)
        # before it has read its configuration a signal ends any program
        wait_for(lambda: "pid=%d msg=\"workerd " % w.pid in self.stack.said())
        self.hit(w)
        w.kill(signal.SIGTERM)
        w.wait()
        if w.proc.returncode != 0:
            self.traffic.fail("workerd asked to end: %d" % w.proc.returncode)
        self.again(w)

    def kill_child(self):
        tasks = [p for w in self.workers for p in self.tasks(w)]
        if tasks:
            pid = self.rnd.choice(tasks)
            self.signal(signal.SIGSTOP, [pid])
            if alive(pid):              # and not just done
                self.journal[-1].children.add(pid)
            self.signal(signal.SIGKILL, [pid])

    def freeze_worker(self):
        """shorter or longer than a lease"""
        w = self.rnd.choice(self.workers)
        self.hit(w)
        w.kill(signal.SIGSTOP)
        family = [w.pid] + w.children()
        self.signal(signal.SIGSTOP, family)
        time.sleep(self.rnd.uniform(0.5, 3 * LEASE_S))
        self.signal(signal.SIGCONT, family)

    def signal(self, sig, pids):
        for pid in pids:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass

    # redis

    def kill_redis(self):
        self.stack.stop_redis()
        time.sleep(self.rnd.choice((0, 1, 2 * LEASE_S)))
        self.stack.start_redis()

    def freeze_redis(self):
        pid = self.stack.redis_proc.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.rnd.uniform(0.2, 2 * LEASE_S))
        os.kill(pid, signal.SIGCONT)

    def empty_redis(self):
        self.stack.redis("FLUSHALL")

    # nginx

    def reload_nginx(self):
        """no client may notice"""
        for _ in range(self.rnd.randint(1, 3)):
            self.stack.nginx_proc.send_signal(signal.SIGHUP)
            time.sleep(self.rnd.uniform(0, 0.5))

    def kill_nginx_worker(self):
        workers = children(self.stack.nginx_proc.pid)
        span = self.traffic.outage()
        self.signal(signal.SIGKILL, [self.rnd.choice(workers)])
        time.sleep(0.5)
        span[1] = time.monotonic()

    def kill_nginx(self):
        span = self.traffic.outage()
        family = [self.stack.nginx_proc.pid]
        family += children(family[0])
        self.signal(signal.SIGKILL, family)
        self.stack.nginx_proc.wait()
        wait_for(lambda: not any(map(alive, family)))
        time.sleep(self.rnd.uniform(0, 2))
        self.stack.start_nginx(http=NGINX, port=self.port)
        span[1] = time.monotonic()


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

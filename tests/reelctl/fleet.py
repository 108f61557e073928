"""What workers say that they have, against what pipelines need."""

import json
import os
import time

from case import FAILED, UNAVAILABLE, USAGE, RedisCase

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
FILM = os.path.join(ROOT, "tests/golden/film.inspect.json")
CODECS = "libx264,libx265,libsvtav1,aac"

MIXED = """\
renditions:
  - { short_side: 720, codec: av1, crf: 30, max_kbps: 3000, buf_kbits: 4500 }
  - { short_side: 480, crf: 23, max_kbps: 2000, buf_kbits: 3000 }
tasks:
  slow: { type: encode_video, codec: av1, needs: { labels: [gpu, big] } }
  words: { type: exec, command: [/opt/words], inputs: [source], outputs: [w],
           needs: { slots: 6, memory_mib: 900 } }
"""


class Fleet(RedisCase):

    def worker(self, name, **fields):
        key = "reel1:{r0}:"
        self.redis("ZADD", key + "workers", str(int(time.time() * 1000)),
                   name)
        fields = {"cores": 8, "memory_mib": 4000, "labels": "",
                  "codecs": CODECS, "draining": 0, **fields}
        self.redis("DEL", key + "worker:" + name)
        self.redis("HSET", key + "worker:" + name,
                   *[str(x) for pair in fields.items() for x in pair])

    def report(self, *args, code=FAILED):
        text = self.run_ctl("pipeline", "check", self.file, *args, "--redis",
                            self.address, code=code).stdout.splitlines()
        j = json.loads(self.run_ctl("pipeline", "check", self.file, *args,
                                    "--json", "--redis", self.address,
                                    code=code).stdout)
        self.assertEqual([line.split()[0] for line in text[1:]],
                         ["UNMET"] * len(j["unmet"])
                         + ["mixed"] * len(j["mixed"])
                         + ["large"] * len(j["large"]))
        return j

    def setUp(self):
        super().setUp()
        self.file = self.path("x.yaml")
        with open(self.file, "w") as f:
            f.write(MIXED)

    def unmet(self, j):
        return {u["task"]: u["why"] for u in j["unmet"]}

    def mixed(self, j):
        return [(m["task"], m["worker"], m["lacks"]) for m in j["mixed"]]

    def test_without_redis_nobody_is_asked(self):
        self.assertEqual(self.run_ctl(
            "pipeline", "check", self.file, env={"REEL_REDIS": "unix:/no"}
            ).stdout, "x: 2 renditions, 12 tasks\n")
        self.run_ctl("pipeline", "check", self.file, "--redis", "unix:/no",
                     code=UNAVAILABLE)
        self.run_ctl("pipeline", "check", self.file, "--source", FILM,
                     code=USAGE)

    def test_nobody_lives(self):
        self.worker("w1", draining=1)
        self.redis("ZADD", "reel1:{r0}:workers", "5", "gone")
        self.assertEqual(list(self.unmet(self.report())), ["inspect"])

    def test_labels(self):
        self.worker("w1", pipelines="default,x")
        self.assertEqual(self.unmet(self.report()), {
            "slow": "no worker has the label big,gpu"})
        self.worker("w1", pipelines="x", labels="gpu")
        self.worker("w2", pipelines="x", labels="big")
        j = self.report()
        self.assertEqual(self.unmet(j), {
            "slow": "no worker has all of big,gpu"})
        self.assertEqual((j["workers"], j["mixed"], j["large"]), (2, [], []))
        self.worker("w3", pipelines="x", labels="gpu,big,more")
        self.assertEqual(self.report(code=0)["unmet"], [])

        # one of before says nothing of its pipelines
        self.worker("w3", labels="gpu,big", draining=1)
        self.worker("w4", labels="gpu,big")
        self.assertEqual(self.mixed(self.report(code=0)), [])

    def test_encoders(self):
        self.worker("w1", labels="gpu,big", pipelines="x")
        self.worker("w2", labels="gpu,big", pipelines="x",
                    codecs="libx264,aac")
        j = self.report(code=0)
        self.assertEqual(self.mixed(j), [("slow", "w2",
                                          "the encoder libsvtav1")])
        self.worker("w1", labels="gpu,big", pipelines="x", codecs="libsvtav1")
        self.worker("w2", labels="gpu", pipelines="x", codecs="libx264")
        j = self.report()
        self.assertEqual(list(self.unmet(j)), ["encode_audio"])
        self.assertEqual(self.mixed(j), [
            ("encode_video", "w1", "the encoder libx264"),
            ("encode_audio", "w1", "the encoder aac"),
            ("encode_audio", "w2", "the encoder aac")])

    def test_pipelines_and_programs(self):
        self.worker("w1", labels="gpu,big", pipelines="default,xx")
        self.assertEqual(sorted(self.unmet(self.report())),
                         ["plan", "words"])
        self.worker("w2", pipelines="x", programs_lacking="y/words,x/other")
        j = self.report(code=0)
        self.assertEqual(self.mixed(j), [
            ("plan", "w1", "the pipeline x"),
            ("words", "w1", "the pipeline x")])
        self.worker("w2", pipelines="x", programs_lacking="y/words,x/words")
        j = self.report()
        self.assertEqual(list(self.unmet(j)), ["words"])
        self.assertIn(("words", "w2", "the program /opt/words"),
                      self.mixed(j))

    def test_what_is_large_runs(self):
        self.worker("w1", labels="gpu,big", cores=4, memory_mib=2000)
        self.worker("w2", cores=16, memory_mib=800)
        self.assertEqual(self.report(code=0)["large"], [
            {"task": "words", "slots": 6, "memory_mib": 900}])
        self.worker("w2", cores=16, memory_mib=900)
        self.assertEqual(self.report(code=0)["large"], [])

        # what a film needs besides
        self.worker("w1", labels="gpu,big", cores=1, memory_mib=100)
        self.worker("w2", cores=1, memory_mib=100)
        large = self.report("--source", FILM, code=0)["large"]
        self.assertEqual({x["task"] for x in large} & {
            "encode_video", "words", "slow"}, {"encode_video", "words",
                                               "slow"})

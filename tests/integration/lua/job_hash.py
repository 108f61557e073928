"""What stands in a job's hash, field by field (docs/redis-keys.md)"""

JOB = ("schema", "state", "left", "project", "pipeline")
TASK = ("s", "since", "token", "second", "succ", "n", "credit", "worker",
        "spec")


def words(record, names):
    return dict(zip(names, record.split(" ", len(names) - 1)))


def place(name):
    """the field that holds it, and the names of the words in there"""
    task, _, word = name.rpartition(":")
    if task and word in TASK:
        return task + ":s", TASK
    return ("v", JOB) if name in JOB else (name, None)


def get(redis, job, name):
    """None: it is not there, or empty; job: the hash's key"""
    field, names = place(name)
    value = redis("HGET", job, field)
    if value is None or names is None:
        return value
    return words(value, names).get(name.rpartition(":")[2]) or None


def put(redis, job, **values):
    """sets words of one task (task=) or of the job"""
    task = values.pop("task", None)
    field, names = (task + ":s", TASK) if task else ("v", JOB)
    now = words(redis("HGET", job, field), names)
    now.update({name: str(value) for name, value in values.items()})
    redis("HSET", job, field, " ".join(now[name] for name in names))

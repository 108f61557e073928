/* what `jobs`, `tasks`, `workers` and `top` read of Redis (docs/redis-keys.md) */

#ifndef REEL_CTL_QUEUE_H
#define REEL_CTL_QUEUE_H

#include <jansson.h>

#include "reelctl/list.h"
#include "reelctl/redis.h"

#define REEL_CTL_WORD 96

/* the Redis of the options; else an exit code, and it was told why */
int reel_ctl_queue_open(reel_ctl_t *c, reel_ctl_redis_t **r)
    REEL_WARN_UNUSED;

/* HGETALL of a key that is made of kind and id */
reel_err_t reel_ctl_queue_hash(reel_ctl_redis_t *r, const char *kind,
    const char *id, reel_ctl_strings_t *out, reel_error_t *e)
    REEL_WARN_UNUSED;

/* Redis' own clock, ms */
int64_t reel_ctl_queue_now(reel_ctl_redis_t *r);

/* which word of a job's `v` and of a task's `s` says what */
enum {
    REEL_CTL_JOB_VERSION = 0,
    REEL_CTL_JOB_STATE,
    REEL_CTL_JOB_LEFT,
    REEL_CTL_JOB_PROJECT,
    REEL_CTL_JOB_PIPELINE,
    REEL_CTL_TASK_STATE = 0,
    REEL_CTL_TASK_SINCE,
    REEL_CTL_TASK_SECOND = 3,
    REEL_CTL_TASK_ATTEMPTS = 5,
    REEL_CTL_TASK_WORKER = 7,
    REEL_CTL_TASK_TYPE,
    REEL_CTL_TASK_QUEUE
};

/* the n-th word from 0, each a space behind the one before; some are empty */
const char *reel_ctl_queue_word(char dst[REEL_CTL_WORD], const char *text,
    unsigned n);
int64_t reel_ctl_queue_number(const char *text, unsigned n);

/* of a task's `s`: the worker of its second run; NULL: it has none */
const char *reel_ctl_queue_second(char dst[REEL_CTL_WORD], const char *task);

/* of the hash `unmet`: what tasks of the queue ask for and no worker has
   (csv); NULL: nothing */
const char *reel_ctl_queue_lacks(const reel_ctl_strings_t *unmet,
    const char *queue);

/* "0:42" since then, both ms */
const char *reel_ctl_age(char dst[24], int64_t now, int64_t then);

/* a line each, of reel_ctl_queue_quarantine */
void reel_ctl_put_quarantine(const json_t *tasks, int64_t now);

/* a running task's worker, and that of its second run */
void reel_ctl_put_workers(const json_t *task);

/* "NO WORKER HAS …" behind a row, when its "lacks" says so */
void reel_ctl_put_lacks(const json_t *j);

int64_t reel_ctl_number(const char *z);
int64_t reel_ctl_integer(const json_t *o, const char *name);

/*
 * The three queues, of all shards: ready tasks by what they need, workers, running tasks;
 * and those in quarantine, newest first, each with the "entry" that it is.
 * NULL and e: they cannot be read.
 */
json_t *reel_ctl_queue_ready(reel_ctl_redis_t *r, reel_error_t *e);
json_t *reel_ctl_queue_workers(reel_ctl_redis_t *r, reel_error_t *e);
json_t *reel_ctl_queue_running(reel_ctl_redis_t *r, reel_error_t *e);
json_t *reel_ctl_queue_quarantine(reel_ctl_redis_t *r, reel_error_t *e);

/* of each shard the last task, within two minutes, that a worker lacks the
   program, pipeline or image for: "worker", "task", "lacks" (a text) */
json_t *reel_ctl_queue_lacking(reel_ctl_redis_t *r, reel_error_t *e);

/* a task of quarantine: its entry is no more, also when it was not */
reel_err_t reel_ctl_queue_release(reel_ctl_redis_t *r, const json_t *task,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif

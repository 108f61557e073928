/*
 * The completion queue: K:done of a shard names each job that ended, and each
 * handler of the table in completion.c reads it as a consumer group of its own,
 * so that among all workers one handles each end, at least once.  What a dead
 * worker had taken is claimed by another after a minute.
 */

#ifndef REEL_WORKERD_COMPLETION_H
#define REEL_WORKERD_COMPLETION_H

#include "workerd/worker.h"

/* NULL: no memory */
reel_completion_t *reel_completion_new(reel_worker_t *w);
void reel_completion_free(reel_completion_t *c);        /* NULL is fine */

/* a shard is connected */
void reel_completion_up(reel_completion_t *c, reel_redis_t *r);

/* an entry of the stream */
typedef struct {
    char       job[REEL_JOB_ID_MAX];
    reel_str_t state;           /* done, failed, cancelled; borrowed */
    char       asset[27];
    uint32_t   publication;
} reel_ended_t;

/*
 * The fields of an entry (name, value, …).  REEL_BADDATA when one is
 * missing or not of its form.
 */
reel_err_t reel_ended_parse(reel_ended_t *e, const reel_reply_t *fields)
    REEL_WARN_UNUSED;

#endif

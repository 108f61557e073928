#include "workerd/depth.h"

#include "workerd/log.h"
#include "workerd/shards.h"

/* of a queue; what lies beyond is not counted, so that Redis stays quick */
#define PROJECTS 4096

/* the fields of depth.lua's reply, behind two for each kind of queue */
enum {
    F_RUNNING = 2 * REEL_KINDS, F_DELAYED, F_QUARANTINED, F_JOBS, F_JOB_MS,
    F_WORKERS,
    F_END
};


static uint64_t
field(const reel_reply_t *r, size_t i)
{
    return reel_reply_uint(reel_reply_at(r, i));
}


static void
most(uint64_t *total, uint64_t n)
{
    *total = n > *total ? n : *total;
}


/* each worker is in all shards */
static void
add(reel_depth_t *d, const reel_reply_t *r)
{
    for (unsigned k = 0; k < REEL_KINDS; k++) {
        d->ready[k] += field(r, 2 * k);
        most(&d->wait_ms[k], field(r, 2 * k + 1));
    }

    d->running += field(r, F_RUNNING);
    d->delayed += field(r, F_DELAYED);
    d->quarantined += field(r, F_QUARANTINED);
    d->jobs += field(r, F_JOBS);
    most(&d->job_ms, field(r, F_JOB_MS));
    most(&d->workers, field(r, F_WORKERS));
}


static void
on_depth(void *arg, reel_err_t err, const reel_reply_t *r)
{
    reel_depth_ask_t  *ask = arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_WARN, "redis refused the metrics: %.200s",
                 reel_reply_str(r).p);
    }

    if (err == REEL_OK && reel_reply_len(r) == F_END) {
        add(&ask->depth, r);
        ask->told++;
    }

    if (--ask->awaited == 0) {
        ask->fn(ask->arg, ask->told > 0 ? &ask->depth : NULL);
    }
}


reel_err_t
reel_depth_ask(const reel_shards_t *shards, reel_depth_ask_t *ask)
{
    reel_err_t   err = REEL_AGAIN, rc;
    reel_args_t  a;

    ask->awaited = 0;
    ask->told = 0;
    ask->depth = (reel_depth_t) { 0 };

    for (unsigned k = 0; k < reel_shards_count(shards); k++) {
        reel_args_init(&a);
        reel_args_uint(&a, PROJECTS);

        rc = reel_redis_script(reel_shards_at(shards, k), REEL_LUA_DEPTH,
                               "queues", "", &a, on_depth, ask);
        if (rc == REEL_OK) {
            ask->awaited++;
            err = REEL_OK;
        }
    }

    return err;
}

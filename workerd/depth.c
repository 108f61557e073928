#include "workerd/depth.h"

#include "workerd/log.h"

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
on_depth(void *arg, reel_err_t err, const reel_reply_t *r)
{
    reel_depth_t       d;
    reel_depth_ask_t  *ask = arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_WARN, "redis refused the metrics: %.200s",
                 reel_reply_str(r).p);
    }

    if (err != REEL_OK || reel_reply_len(r) != F_END) {
        ask->fn(ask->arg, NULL);
        return;
    }

    for (unsigned k = 0; k < REEL_KINDS; k++) {
        d.ready[k] = field(r, 2 * k);
        d.wait_ms[k] = field(r, 2 * k + 1);
    }

    d.running = field(r, F_RUNNING);
    d.delayed = field(r, F_DELAYED);
    d.quarantined = field(r, F_QUARANTINED);
    d.jobs = field(r, F_JOBS);
    d.job_ms = field(r, F_JOB_MS);
    d.workers = field(r, F_WORKERS);

    ask->fn(ask->arg, &d);
}


reel_err_t
reel_depth_ask(reel_redis_t *redis, reel_depth_ask_t *ask)
{
    reel_args_t  a;

    reel_args_init(&a);
    reel_args_uint(&a, PROJECTS);

    return reel_redis_script(redis, REEL_LUA_DEPTH, "queues", "", &a,
                             on_depth, ask);
}

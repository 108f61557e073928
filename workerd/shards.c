#include "workerd/shards.h"

#include <stdlib.h>

#include "workerd/drain.h"
#include "workerd/log.h"

/* how long the others wait for the first shard to say how many there are */
#define FIRST_MS 2000

struct reel_shards_s {
    reel_worker_t       *w;
    reel_shards_fn       up;
    reel_shards_wake_fn  wake;
    unsigned             n;
    bool                 started;       /* all of them */
    reel_timer_t         first;
    reel_redis_t        *redis[REEL_SHARDS_MAX];
};


/* of the others, when the first is up or does not come */
static void
start_others(void *arg)
{
    reel_shards_t  *s = arg;

    if (s->started) {
        return;
    }

    s->started = true;
    reel_timer_stop(&s->first);

    for (unsigned k = 1; k < s->n; k++) {
        reel_redis_start(s->redis[k]);
    }
}


static void
on_state(void *arg, reel_redis_t *r, bool up)
{
    reel_shards_t  *s = arg;

    if (!up) {
        return;
    }

    if (reel_redis_shard(r) == 0) {
        for (unsigned k = 1; k < s->n; k++) {
            reel_redis_agreed(s->redis[k]);
        }
        start_others(s);
    }

    s->up(s->w, r);
}


static void
on_refused(void *arg, unsigned held)
{
    reel_shards_refused(arg, held);
}


static void
on_wake(void *arg, reel_redis_t *r, reel_str_t message)
{
    reel_shards_t  *s = arg;

    s->wake(s->w, r, message);
}


reel_shards_t *
reel_shards_new(reel_worker_t *w, reel_shards_fn up, reel_shards_wake_fn wake)
{
    reel_shards_t                *s = calloc(1, sizeof(*s));
    static const reel_redis_ops_t  ops = { on_state, on_refused, on_wake };

    if (s == NULL) {
        return NULL;
    }

    s->w = w;
    s->up = up;
    s->wake = wake;
    s->n = w->conf.redis.shards;

    for (unsigned k = 0; k < s->n; k++) {
        s->redis[k] = reel_redis_new(w->loop, &w->conf.redis, k, &ops, s);
        if (s->redis[k] == NULL) {
            reel_shards_free(s);
            return NULL;
        }
    }

    return s;
}


void
reel_shards_start(reel_shards_t *s)
{
    reel_redis_agreed(s->redis[0]);
    reel_redis_start(s->redis[0]);
    reel_timer_start(s->w->loop, &s->first, FIRST_MS, start_others, s);
}


void
reel_shards_free(reel_shards_t *s)
{
    if (s == NULL) {
        return;
    }

    /* who waits for one of them may look at the others */
    for (unsigned k = 0; k < s->n; k++) {
        reel_redis_close(s->redis[k]);
    }
    for (unsigned k = 0; k < s->n; k++) {
        reel_redis_free(s->redis[k]);
    }
    reel_timer_stop(&s->first);
    free(s);
}


unsigned
reel_shards_count(const reel_shards_t *s)
{
    return s->n;
}


unsigned
reel_shards_up(const reel_shards_t *s)
{
    unsigned  n = 0;

    for (unsigned k = 0; k < s->n; k++) {
        n += reel_redis_up(s->redis[k]);
    }

    return n;
}


reel_redis_t *
reel_shards_at(const reel_shards_t *s, unsigned k)
{
    return s->redis[k];
}


reel_redis_t *
reel_shards_of(const reel_shards_t *s, reel_str_t id)
{
    return s->redis[reel_shard_of(id, s->n)];
}


void
reel_shards_refused(reel_shards_t *s, unsigned held)
{
    if (s->w->refused) {
        return;
    }

    s->w->refused = true;
    reel_log(REEL_LOG_ERROR, "REDIS HAS %u SHARDS, THE CONFIGURATION SAYS "
             "%u: set redis.shards to %u; or let all jobs end, stop all "
             "workers and run \"reelctl shards %u\" first (docs/workerd.md, "
             "Redis)", held, s->n, held, s->n);
    reel_drain(s->w);
}

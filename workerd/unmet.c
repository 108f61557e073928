#include "workerd/unmet.h"

#include "workerd/log.h"

#define NEWS 3                  /* queue, labels, seconds */


static void
say(const reel_reply_t *r, size_t i)
{
    reel_str_t  queue = reel_reply_str(reel_reply_at(r, i));
    reel_str_t  lacks = reel_reply_str(reel_reply_at(r, i + 1));
    uint64_t    waits = reel_reply_uint(reel_reply_at(r, i + 2));

    if (lacks.len == 0) {
        reel_log(REEL_LOG_INFO, "queue %.*s: a worker has what its tasks "
                 "need, after %llu s", (int) queue.len, queue.p,
                 (unsigned long long) waits);
        return;
    }

    reel_log(REEL_LOG_WARN, "queue %.*s: NO WORKER HAS %.*s: its tasks wait "
             "for one, and are given up after an hour", (int) queue.len,
             queue.p, (int) lacks.len, lacks.p);
}


static void
on_unmet(void *arg, reel_err_t err, const reel_reply_t *r)
{
    uint64_t  ended;

    (void) arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_WARN, "redis refused to look for workers: %.200s",
                 reel_reply_str(r).p);
    }
    if (err != REEL_OK) {
        return;
    }

    for (size_t i = 1; i + NEWS <= reel_reply_len(r); i += NEWS) {
        say(r, i);
    }

    ended = reel_reply_uint(reel_reply_at(r, 0));
    if (ended > 0) {
        reel_log(REEL_LOG_ERROR, "%llu tasks were given up: no worker came "
                 "that has what they need", (unsigned long long) ended);
    }
}


void
reel_unmet_look(reel_redis_t *redis)
{
    reel_args_t  a;

    reel_args_init(&a);

    /* without Redis nobody waits there */
    (void) !reel_redis_script(redis, REEL_LUA_UNMET, "queues", "", &a,
                              on_unmet, NULL);
}

/*
 * All leases of a shard are renewed in one call, with the progress of each
 * task.  What Redis does not answer "ok" to is not ours any more: its child is
 * killed and what it made is dropped.  And any worker ends the leases that
 * nobody renewed.
 */

#include <stdlib.h>
#include <string.h>

#include "workerd/log.h"
#include "workerd/shards.h"
#include "workerd/slot.h"

#define SWEEP_LIMIT 64

typedef struct {
    reel_slots_t *slots;
    unsigned      shard;
    unsigned      n;
    struct {
        unsigned  slot;
        char      token[REEL_TOKEN_MAX];
    } entry[];
} renewal_t;


static void
lose(reel_slot_t *s, reel_str_t said)
{
    reel_log_task(REEL_LOG_WARN, s->attempt->job, s->attempt->task,
                  "lease: %.*s", (int) said.len, said.p);

    /* one that is being told hears it from what it tells */
    if (s->state == REEL_SLOT_RUNNING && !s->lost) {
        s->lost = true;
        reel_child_kill(s->proc);
    }
}


static void
on_renewed(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    bool                 again;
    renewal_t           *r = arg;
    reel_str_t           said;
    reel_slot_t         *s;
    reel_slots_shard_t  *shard = &r->slots->shard[r->shard];

    shard->renewing = false;
    again = shard->renew_again;
    shard->renew_again = false;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "redis: renew was refused: %.200s",
                 reel_reply_str(reply).p);
    }

    for (unsigned i = 0; err == REEL_OK && i < r->n; i++) {
        s = &r->slots->slot[r->entry[i].slot];
        said = reel_reply_str(reel_reply_at(reply, i));

        /* the slot may have gone on to another task meanwhile */
        if (s->attempt != NULL && !reel_str_eqz(said, "ok")
            && strcmp(s->attempt->token, r->entry[i].token) == 0)
        {
            lose(s, said);
        }
    }

    if (again) {
        reel_slots_renew_of(r->slots, r->shard);
    }

    free(r);
}


/* what runs and is of the shard, as arguments and as entries of r */
static void
add_leases(reel_slots_t *s, const reel_redis_t *redis, reel_args_t *args,
    renewal_t *r)
{
    const reel_slot_t     *slot;
    const reel_attempt_t  *a;

    for (unsigned i = 0; i < s->n; i++) {
        slot = &s->slot[i];
        a = slot->attempt;

        if (slot->redis == redis && reel_slot_busy(slot)) {
            reel_args_addz(args, a->job);
            reel_args_addz(args, a->task);
            reel_args_addz(args, a->token);
            reel_args_uint(args, slot->progress);

            r->entry[r->n].slot = i;
            memcpy(r->entry[r->n].token, a->token, sizeof(a->token));
            r->n++;
        }
    }
}


static unsigned
busy_of(const reel_slots_t *s, const reel_redis_t *redis)
{
    unsigned  n = 0;

    for (unsigned i = 0; i < s->n; i++) {
        n += s->slot[i].redis == redis && reel_slot_busy(&s->slot[i]);
    }

    return n;
}


void
reel_slots_renew_of(reel_slots_t *s, unsigned shard)
{
    unsigned       n;
    renewal_t     *r;
    reel_args_t    args;
    reel_redis_t  *redis = reel_shards_at(s->w->shards, shard);

    /* an answer that takes longer than lease / 3 is waited for */
    if (s->shard[shard].renewing) {
        s->shard[shard].renew_again = true;
        return;
    }

    n = busy_of(s, redis);
    if (!reel_redis_up(redis) || n == 0) {
        return;
    }

    r = calloc(1, sizeof(*r) + n * sizeof(r->entry[0]));
    if (r == NULL) {
        reel_log(REEL_LOG_ERROR, "no memory to renew the leases");
        return;
    }
    r->slots = s;
    r->shard = shard;

    reel_args_init(&args);
    reel_args_uint(&args, (uint64_t) s->w->conf.lease_s * 1000);
    reel_args_uint(&args, n);
    add_leases(s, redis, &args, r);

    if (reel_redis_script(redis, REEL_LUA_RENEW, "lease", "", &args,
                          on_renewed, r)
        == REEL_OK)
    {
        s->shard[shard].renewing = true;
    } else {
        free(r);
    }
}


void
reel_slots_renew(reel_slots_t *s)
{
    for (unsigned k = 0; k < reel_shards_count(s->w->shards); k++) {
        reel_slots_renew_of(s, k);
    }
}


static void
on_swept(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    uint64_t       lost, overdue;
    reel_slots_t  *s = arg;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "redis: sweep was refused: %.200s",
                 reel_reply_str(reply).p);
    }

    lost = reel_reply_uint(reel_reply_at(reply, 0));
    overdue = reel_reply_uint(reel_reply_at(reply, 2));

    s->w->metrics.leases_lost += lost;
    s->w->metrics.overdue += overdue;

    if (err == REEL_OK && (lost != 0 || overdue != 0)) {
        reel_log(REEL_LOG_WARN, "%llu leases ended, %llu tasks were overdue",
                 (unsigned long long) lost, (unsigned long long) overdue);
    }
}


void
reel_slots_sweep(reel_slots_t *s)
{
    reel_args_t  args;

    for (unsigned k = 0; k < reel_shards_count(s->w->shards); k++) {
        reel_args_init(&args);
        reel_args_uint(&args, 0);       /* Redis has the clock */
        reel_args_uint(&args, SWEEP_LIMIT);

        /* without Redis no lease can be ended */
        (void) !reel_redis_script(reel_shards_at(s->w->shards, k),
                                  REEL_LUA_SWEEP, "lease", "", &args,
                                  on_swept, s);
    }
}

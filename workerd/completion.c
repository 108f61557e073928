#include "workerd/completion.h"

#include <stdlib.h>
#include <string.h>

#include "lib/job/record.h"
#include "lib/store/layout.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/outbox.h"
#include "workerd/shards.h"
#include "workerd/webhooks.h"

#define POLL_MS     1000
#define BATCH       32
#define CLAIM_EVERY 30          /* polls between looks for the dead's */
#define CLAIM_IDLE  60000       /* ms */

/* one for all workers: their ids change with each start, and consumers stay */
#define CONSUMER    "workerd"

/* REEL_OK: handled, never to be seen again; else it comes again */
typedef reel_err_t (*handler_fn)(reel_worker_t *w, const reel_ended_t *e);

static reel_err_t handle_ended(reel_worker_t *w, const reel_ended_t *e);
static reel_err_t handle_catalog(reel_worker_t *w, const reel_ended_t *e);
static reel_err_t handle_webhook(reel_worker_t *w, const reel_ended_t *e);

/* a new one is a row here */
static const struct {
    const char *group;
    handler_fn  fn;
} handlers[] = {
    { "log", handle_ended },            /* its name of before: a new group would
                                           be told of all that ended */
    { "catalog", handle_catalog },
    { "webhook", handle_webhook }
};

#define NHANDLERS (sizeof(handlers) / sizeof(handlers[0]))

typedef struct {
    reel_completion_t *c;
    reel_redis_t      *redis;
    size_t             handler;
    bool               asked;
    unsigned           polls;
} group_t;

struct reel_completion_s {
    reel_worker_t *w;
    reel_timer_t   timer;
    size_t         ngroups;
    group_t       *group;               /* of each shard, NHANDLERS */
};


reel_err_t
reel_ended_parse(reel_ended_t *e, const reel_reply_t *fields)
{
    reel_err_t  err;
    reel_str_t  name, value, job = { NULL, 0 }, asset;

    *e = (reel_ended_t) { 0 };

    for (size_t i = 0; i + 1 < reel_reply_len(fields); i += 2) {
        name = reel_reply_str(reel_reply_at(fields, i));
        value = reel_reply_str(reel_reply_at(fields, i + 1));

        if (reel_str_eqz(name, "job")) {
            job = value;
        } else if (reel_str_eqz(name, "state")) {
            e->state = value;
        }
    }

    if (job.p == NULL || e->state.p == NULL) {
        return REEL_BADDATA;
    }

    err = reel_job_id_parse(job, &asset, &e->publication);
    if (err == REEL_OK) {
        err = reel_str_copy(e->job, sizeof(e->job), job);
    }
    if (err == REEL_OK) {
        err = reel_str_copy(e->asset, sizeof(e->asset), asset);
    }

    return err == REEL_OK ? REEL_OK : REEL_BADDATA;
}


/* false: neither of its entries stands, so who ended it settled it, as the
   outbox does for a deleted asset */
static bool
unsettled(reel_worker_t *w, const reel_ended_t *e)
{
    bool        stands = false;
    reel_key_t  key;

    if (reel_key_pending(key, reel_str(e->asset), e->publication) != REEL_OK
        || reel_store_stands(w->store, key, &stands) != REEL_OK || stands)
    {
        return true;
    }

    return reel_final_cancelled(w->store, e->job, &stands) != REEL_OK
           || stands;
}


static reel_err_t
handle_ended(reel_worker_t *w, const reel_ended_t *e)
{
    reel_log_task(REEL_LOG_INFO, e->job, NULL, "job ended: %.*s",
                  (int) e->state.len, e->state.p);

    /* no worker had a part in that: the store may not know yet */
    if (reel_str_eqz(e->state, "cancelled") && unsettled(w, e)) {
        reel_outbox_take(w->outbox, e->job);
    }

    return REEL_OK;
}


static void
on_ignored(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    (void) arg;

    /* BUSYGROUP: the group was made before */
    if (err == REEL_IO && !reel_reply_full(reply)
        && !reel_str_prefix(reel_reply_str(reply), "BUSYGROUP"))
    {
        reel_log(REEL_LOG_WARN, "redis refused a completion command: %.200s",
                 reel_reply_str(reply).p);
    }
}


/* the catalogue holds what the store does, even if Redis forgot a submit */
static reel_err_t
handle_catalog(reel_worker_t *w, const reel_ended_t *e)
{
    bool             dead;
    reel_err_t       err;
    reel_args_t      a;
    reel_redis_t    *redis = reel_shards_of(w->shards, reel_str(e->asset));
    reel_request_t   rq = { 0 };

    err = reel_final_tombstone(w->store, e->asset, &dead);
    if (err == REEL_OK) {
        err = reel_final_request(w->store, reel_str(e->asset), &rq, NULL);
    }

    if (err == REEL_OK) {
        reel_args_init(&a);
        reel_args_addz(&a, dead ? "ZREM" : "ZADD");
        reel_args_key(&a, redis, "catalog:", rq.project);
        if (!dead) {
            reel_args_addz(&a, "NX");
            reel_args_uint(&a, rq.created_ms < 0 ? 0
                               : (uint64_t) rq.created_ms);
        }
        reel_args_addz(&a, e->asset);
        err = reel_redis_command(redis, &a, on_ignored, w);
    }

    reel_request_release(&rq);

    /* an asset that is wholly gone, or whose record is broken, stays so */
    return err == REEL_AGAIN || err == REEL_IO || err == REEL_NOMEM
           ? err : REEL_OK;
}


/*
 * The event stands in the store, or is about to: who ended the job notes it
 * when it takes away pending/.  This only makes it go soon.
 */
static reel_err_t
handle_webhook(reel_worker_t *w, const reel_ended_t *e)
{
    reel_webhooks_wake(w->webhooks, e->asset);

    return REEL_OK;
}


static void
ack(group_t *g, reel_str_t id)
{
    reel_args_t  a;

    reel_args_init(&a);
    reel_args_addz(&a, "XACK");
    reel_args_key(&a, g->redis, "done", "");
    reel_args_addz(&a, handlers[g->handler].group);
    reel_args_add(&a, id);

    /* unacknowledged, it is handled once more */
    (void) !reel_redis_command(g->redis, &a, on_ignored, g);
}


/* [[id, [name, value, …]], …] */
static void
handle_entries(group_t *g, const reel_reply_t *entries)
{
    reel_str_t           id;
    reel_ended_t         e;
    const reel_reply_t  *entry;

    for (size_t i = 0; i < reel_reply_len(entries); i++) {
        entry = reel_reply_at(entries, i);
        id = reel_reply_str(reel_reply_at(entry, 0));

        if (reel_ended_parse(&e, reel_reply_at(entry, 1)) != REEL_OK) {
            reel_log(REEL_LOG_ERROR, "completion: entry %.*s is not of its "
                     "form", (int) id.len, id.p);
            ack(g, id);

        } else if (handlers[g->handler].fn(g->c->w, &e) == REEL_OK) {
            ack(g, id);
        }
    }
}


static void
make_group(group_t *g)
{
    reel_args_t  a;

    reel_args_init(&a);
    reel_args_addz(&a, "XGROUP");
    reel_args_addz(&a, "CREATE");
    reel_args_key(&a, g->redis, "done", "");
    reel_args_addz(&a, handlers[g->handler].group);
    reel_args_addz(&a, "0");
    reel_args_addz(&a, "MKSTREAM");
    (void) !reel_redis_command(g->redis, &a, on_ignored, g);
}


/* the group is gone when Redis lost its data */
static bool
failed(group_t *g, reel_err_t err, const reel_reply_t *reply)
{
    g->asked = false;

    if (err == REEL_IO) {
        if (reel_str_prefix(reel_reply_str(reply), "NOGROUP")) {
            make_group(g);
        } else {
            on_ignored(g, err, reply);
        }
    }

    return err != REEL_OK;
}


static void ask(group_t *g);


static void
on_read(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    group_t             *g = arg;
    const reel_reply_t  *entries;

    if (failed(g, err, reply)) {
        return;
    }

    /* one stream: [[key, entries]], or nil */
    entries = reel_reply_at(reel_reply_at(reply, 0), 1);
    handle_entries(g, entries);

    if (reel_reply_len(entries) == BATCH) {
        ask(g);                         /* there may be more */
    }
}


static void
on_claimed(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    group_t  *g = arg;

    if (!failed(g, err, reply)) {
        handle_entries(g, reel_reply_at(reply, 1));
    }
}


static void
ask(group_t *g)
{
    bool         claim;
    reel_args_t  a;

    if (g->asked || !reel_redis_up(g->redis)) {
        return;
    }

    claim = g->polls++ % CLAIM_EVERY == 0;
    reel_args_init(&a);

    if (claim) {
        reel_args_addz(&a, "XAUTOCLAIM");
        reel_args_key(&a, g->redis, "done", "");
        reel_args_addz(&a, handlers[g->handler].group);
        reel_args_addz(&a, CONSUMER);
        reel_args_uint(&a, CLAIM_IDLE);
        reel_args_addz(&a, "0");
        reel_args_addz(&a, "COUNT");
        reel_args_uint(&a, BATCH);

    } else {
        reel_args_addz(&a, "XREADGROUP");
        reel_args_addz(&a, "GROUP");
        reel_args_addz(&a, handlers[g->handler].group);
        reel_args_addz(&a, CONSUMER);
        reel_args_addz(&a, "COUNT");
        reel_args_uint(&a, BATCH);
        reel_args_addz(&a, "STREAMS");
        reel_args_key(&a, g->redis, "done", "");
        reel_args_addz(&a, ">");
    }

    g->asked = reel_redis_command(g->redis, &a,
                                  claim ? on_claimed : on_read, g)
               == REEL_OK;
}


static void
on_poll(void *arg)
{
    reel_completion_t  *c = arg;

    for (size_t i = 0; i < c->ngroups; i++) {
        ask(&c->group[i]);
    }

    reel_timer_start(c->w->loop, &c->timer, POLL_MS, on_poll, c);
}


void
reel_completion_up(reel_completion_t *c, reel_redis_t *r)
{
    for (size_t i = 0; i < c->ngroups; i++) {
        if (c->group[i].redis == r) {
            make_group(&c->group[i]);
        }
    }
}


reel_completion_t *
reel_completion_new(reel_worker_t *w)
{
    reel_completion_t  *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        return NULL;
    }

    c->ngroups = NHANDLERS * reel_shards_count(w->shards);
    c->group = calloc(c->ngroups, sizeof(*c->group));
    if (c->group == NULL) {
        free(c);
        return NULL;
    }

    c->w = w;
    for (size_t i = 0; i < c->ngroups; i++) {
        c->group[i].c = c;
        c->group[i].redis = reel_shards_at(w->shards, i / NHANDLERS);
        c->group[i].handler = i % NHANDLERS;
    }

    reel_timer_start(w->loop, &c->timer, POLL_MS, on_poll, c);

    return c;
}


void
reel_completion_free(reel_completion_t *c)
{
    if (c != NULL) {
        reel_timer_stop(&c->timer);
        free(c->group);
        free(c);
    }
}

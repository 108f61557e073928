#include "workerd/outbox_impl.h"

#include <stdlib.h>
#include <string.h>

#include "workerd/cancels.h"
#include "workerd/drain.h"
#include "workerd/log.h"
#include "workerd/shards.h"
#include "workerd/slots.h"

#define SOON_MS 10

/* who writes a result is soon done with it */
#define AGAIN_MS 500

static void on_timer(void *arg);


/*
 * At the end of a turn: while there is much that Redis does not have (it
 * was emptied, or away for long) the next one does not wait.  Entries that
 * go meanwhile shift those behind them, so it goes on until a whole round
 * found nothing to submit.
 */
static void
go_on(reel_outbox_t *o)
{
    if (o->asked > 0) {
        return;
    }

    if (o->at == 0 && !o->submitted) {
        o->eager = false;
    }

    if (o->eager) {
        reel_timer_start(o->w->loop, &o->timer, SOON_MS, on_timer, o);
    }
}


void
reel_outbox_answered(reel_outbox_t *o)
{
    o->asked--;
    go_on(o);
}


void
reel_outbox_warn(const char *job, const char *what, reel_err_t err)
{
    reel_log_task(REEL_LOG_WARN, job, NULL, "outbox: %s: %s", what,
                  reel_err_name(err));
}


static reel_err_t
on_entry(void *arg, const char *name, bool is_prefix)
{
    uint32_t        publication;
    reel_err_t      err = REEL_OK;
    reel_str_t      asset;
    reel_outbox_t  *o = arg;

    if (is_prefix
        || reel_job_id_parse(reel_str(name), &asset, &publication) != REEL_OK)
    {
        /* it is there the next time too: once is enough */
        if (!o->warned) {
            o->warned = true;
            reel_log(REEL_LOG_WARN, "outbox: pending/%s is not named after a "
                     "job: ignored", name);
        }
        return REEL_OK;
    }

    if (o->seen++ >= o->at && o->n < REEL_OUTBOX_BATCH) {
        err = reel_str_copy(o->job[o->n], REEL_JOB_ID_MAX, reel_str(name));
        o->n++;
    }

    return err;
}


void
reel_outbox_look(reel_outbox_t *o)
{
    reel_err_t  err;

    /* that needs no Redis */
    reel_cancels_look(o->w->cancels);

    /* one turn at a time, and none that Redis cannot answer */
    if (o->asked > 0 || reel_shards_up(o->w->shards) == 0) {
        return;
    }

    o->n = 0;
    o->seen = 0;
    if (o->at == 0) {
        o->submitted = false;
    }

    err = reel_store_list(o->w->store, "pending", on_entry, o);
    if (err != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "outbox: pending/ cannot be listed: %s",
                 reel_err_name(err));
        return;
    }

    for (unsigned i = 0; i < o->n; i++) {
        err = reel_outbox_compare(o, o->job[i]);
        if (err != REEL_OK) {
            reel_log(REEL_LOG_ERROR, "outbox: pending/%s: %s", o->job[i],
                     reel_err_name(err));
        }
    }

    o->at = o->at + o->n < o->seen ? o->at + o->n : 0;
    go_on(o);

    if (o->w->once && o->seen == 0 && reel_slots_busy(o->w->slots) == 0) {
        reel_drain(o->w);
    }
}


void
reel_outbox_take(reel_outbox_t *o, const char *job)
{
    reel_err_t  err;

    if (reel_shards_up(o->w->shards) == 0) {
        return;
    }

    err = reel_outbox_compare(o, job);
    if (err != REEL_OK) {
        reel_outbox_warn(job, "cannot be looked at", err);
    }
}


static void
on_soon(void *arg)
{
    char            job[REEL_OUTBOX_AGAIN][REEL_JOB_ID_MAX];
    unsigned        n;
    reel_outbox_t  *o = arg;

    n = o->nagain;
    memcpy(job, o->again, sizeof(job));
    o->nagain = 0;

    for (unsigned i = 0; i < n; i++) {
        reel_outbox_take(o, job[i]);
    }
}


void
reel_outbox_again(reel_outbox_t *o, const char *job)
{
    reel_log_task(REEL_LOG_DEBUG, job, NULL, "its asset is held: its failure "
                  "is written later");

    for (unsigned i = 0; i < o->nagain; i++) {
        if (strcmp(o->again[i], job) == 0) {
            return;
        }
    }

    /* else it is among those of the next round */
    if (o->nagain < REEL_OUTBOX_AGAIN
        && reel_str_copy(o->again[o->nagain], REEL_JOB_ID_MAX, reel_str(job))
           == REEL_OK
        && o->nagain++ == 0)
    {
        reel_timer_start(o->w->loop, &o->soon, AGAIN_MS, on_soon, o);
    }
}


size_t
reel_outbox_pending(const reel_outbox_t *o)
{
    return o->seen;
}


static void
on_timer(void *arg)
{
    reel_outbox_t  *o = arg;

    /* first: the turn may set it to sooner */
    reel_timer_start(o->w->loop, &o->timer,
                     (int64_t) o->w->conf.outbox_s * 1000, on_timer, o);
    reel_outbox_look(o);
}


reel_outbox_t *
reel_outbox_new(reel_worker_t *w)
{
    reel_outbox_t  *o = calloc(1, sizeof(*o));

    if (o != NULL) {
        o->w = w;
        reel_timer_start(w->loop, &o->timer,
                         (int64_t) w->conf.outbox_s * 1000, on_timer, o);
    }

    return o;
}


void
reel_outbox_free(reel_outbox_t *o)
{
    if (o != NULL) {
        reel_timer_stop(&o->timer);
        reel_timer_stop(&o->soon);
        free(o);
    }
}

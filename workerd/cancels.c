#include "workerd/cancels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/job/keys.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/outbox.h"

/* each of them writes and syncs files, and the loop waits meanwhile */
#define BATCH    8
#define SOON_MS  10

/* who writes a result is soon done with it */
#define AGAIN_MS 500

struct reel_cancels_s {
    reel_worker_t *w;
    reel_timer_t   timer;
    bool           again;       /* a result was just being written */
    unsigned       n;           /* taken in this turn: … */
    char           after[REEL_JOB_ID_MAX];      /* … the first behind this, */
    char           job[BATCH][REEL_JOB_ID_MAX]; /* … by their names */
};

static void on_timer(void *arg);


reel_err_t
reel_cancels_take(reel_cancels_t *c, const char *job)
{
    bool        stands;
    reel_err_t  err;

    err = reel_final_cancelled(c->w->store, job, &stands);
    if (err == REEL_OK && stands) {
        err = reel_final_cancel(c->w->store, job);
    }

    if (err == REEL_AGAIN) {
        c->again = true;
        if (!reel_timer_active(&c->timer)) {
            reel_timer_start(c->w->loop, &c->timer, AGAIN_MS, on_timer, c);
        }

    } else if (err != REEL_OK) {
        reel_log_task(REEL_LOG_ERROR, job, NULL, "cannot be cancelled: %s",
                      reel_err_name(err));
    }

    return err;
}


/* the store lists in any order, and entries go meanwhile: names stay */
static reel_err_t
on_entry(void *arg, const char *name, bool is_prefix)
{
    unsigned         i;
    uint32_t         publication;
    reel_str_t       asset;
    reel_cancels_t  *c = arg;

    if (is_prefix || strlen(name) >= REEL_JOB_ID_MAX
        || reel_job_id_parse(reel_str(name), &asset, &publication) != REEL_OK
        || strcmp(name, c->after) <= 0
        || (c->n == BATCH && strcmp(name, c->job[BATCH - 1]) >= 0))
    {
        return REEL_OK;
    }

    i = c->n < BATCH ? c->n++ : BATCH - 1;

    for (; i > 0 && strcmp(c->job[i - 1], name) > 0; i--) {
        memcpy(c->job[i], c->job[i - 1], REEL_JOB_ID_MAX);
    }

    return reel_str_copy(c->job[i], REEL_JOB_ID_MAX, reel_str(name));
}


/* one that stands ended in the store: Redis is to know, and then it goes */
static void
end(reel_cancels_t *c, const char *job)
{
    bool  stands;

    if (reel_cancels_take(c, job) == REEL_OK
        && reel_final_cancelled(c->w->store, job, &stands) == REEL_OK
        && stands)
    {
        reel_outbox_take(c->w->outbox, job);
    }
}


static void
on_timer(void *arg)
{
    reel_err_t       err;
    reel_cancels_t  *c = arg;

    if (c->after[0] == '\0') {
        c->again = false;
    }
    c->n = 0;

    err = reel_store_list(c->w->store, "cancel", on_entry, c);
    if (err != REEL_OK && err != REEL_NOTFOUND) {
        reel_log(REEL_LOG_ERROR, "cancel/ cannot be listed: %s",
                 reel_err_name(err));
    }

    for (unsigned i = 0; i < c->n; i++) {
        end(c, c->job[i]);
    }

    if (c->n == BATCH) {
        memcpy(c->after, c->job[BATCH - 1], REEL_JOB_ID_MAX);
        reel_timer_start(c->w->loop, &c->timer, SOON_MS, on_timer, c);
        return;
    }

    c->after[0] = '\0';
    if (c->again) {
        reel_timer_start(c->w->loop, &c->timer, AGAIN_MS, on_timer, c);
    }
}


void
reel_cancels_look(reel_cancels_t *c)
{
    if (c->after[0] == '\0') {
        reel_timer_start(c->w->loop, &c->timer, SOON_MS, on_timer, c);
    }
}


reel_cancels_t *
reel_cancels_new(reel_worker_t *w)
{
    reel_cancels_t  *c = calloc(1, sizeof(*c));

    if (c != NULL) {
        c->w = w;
    }

    return c;
}


void
reel_cancels_free(reel_cancels_t *c)
{
    if (c != NULL) {
        reel_timer_stop(&c->timer);
        free(c);
    }
}

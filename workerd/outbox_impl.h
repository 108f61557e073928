/* one job of the outbox, for the files that look at it: outbox*.c */

#ifndef REEL_WORKERD_OUTBOX_IMPL_H
#define REEL_WORKERD_OUTBOX_IMPL_H

#include "lib/job/keys.h"
#include "workerd/loop.h"
#include "workerd/outbox.h"

/* entries of one turn; the next turn goes on behind them */
#define REEL_OUTBOX_BATCH 128

/* jobs whose asset is held, that are looked at again soon */
#define REEL_OUTBOX_AGAIN 16

struct reel_outbox_s {
    reel_worker_t *w;
    reel_timer_t   timer;
    reel_timer_t   soon;        /* for those of again */
    unsigned       asked;       /* answers that are awaited */
    bool           submitted;   /* something in this round … */
    bool           eager;       /* … or in one since a round without */
    size_t         at;          /* entries passed in this round */
    size_t         seen;        /* while listing */
    bool           warned;      /* of a name that is no job's */
    bool           unknown;     /* said of a job of another version */
    unsigned       n;           /* taken in this turn */
    char           job[REEL_OUTBOX_BATCH][REEL_JOB_ID_MAX];
    unsigned       nagain;
    char           again[REEL_OUTBOX_AGAIN][REEL_JOB_ID_MAX];
};

/*
 * Compares one job with the store, and with Redis: then o->asked counts the
 * answer that is awaited, and reel_outbox_answered follows.
 */
reel_err_t reel_outbox_compare(reel_outbox_t *o, const char *job)
    REEL_WARN_UNUSED;

/* an answer came, and what follows from it is done or asked for */
void reel_outbox_answered(reel_outbox_t *o);

void reel_outbox_warn(const char *job, const char *what, reel_err_t err);

#endif

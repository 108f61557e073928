/*
 * Jobs that users cancelled: nginx puts cancel/<job> into the store, which any
 * worker finds, with Redis or without.  Here their end is written into the
 * store; the outbox tells Redis, and takes the entry away (docs/store.md).
 * Without Redis it stays, so a look goes through all of them, a few a turn of
 * the loop.
 */

#ifndef REEL_WORKERD_CANCELS_H
#define REEL_WORKERD_CANCELS_H

#include "workerd/worker.h"

reel_cancels_t *reel_cancels_new(reel_worker_t *w);     /* NULL: no memory */
void reel_cancels_free(reel_cancels_t *c);              /* NULL is fine */

/* soon at all that stand, unless it is at it; the outbox is not looked at */
void reel_cancels_look(reel_cancels_t *c);

/*
 * One of them, now.  REEL_OK also when there is none; REEL_AGAIN: another
 * worker writes its result, and all are looked at again soon
 */
reel_err_t reel_cancels_take(reel_cancels_t *c, const char *job)
    REEL_WARN_UNUSED;

#endif

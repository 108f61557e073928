/*
 * Jobs that users cancelled: nginx puts cancel/<job> into the store, which any
 * worker finds, with Redis or without.  Here their end is written into the
 * store; the outbox tells Redis, and takes the entry away (docs/store.md).
 */

#ifndef REEL_WORKERD_CANCELS_H
#define REEL_WORKERD_CANCELS_H

#include "workerd/worker.h"

/*
 * All that stand, some hundred at a time.  true: some are to be looked at
 * again soon, as another worker writes their result just now
 */
bool reel_cancels_look(reel_worker_t *w);

/* one of them.  REEL_OK also when there is none; REEL_AGAIN as above */
reel_err_t reel_cancels_take(reel_worker_t *w, const char *job)
    REEL_WARN_UNUSED;

#endif

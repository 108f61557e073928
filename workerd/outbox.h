/*
 * The outbox: every entry of pending/ is a job whose end is not yet in the
 * store.  Every outbox_s it is compared with Redis: what Redis does not have
 * is submitted (so neither Redis down nor Redis emptied loses a video), what
 * ended is written into the store, and the entry goes.  All of it is
 * idempotent; any worker may do it for any job.  What users cancelled is
 * looked for at the same time (cancels.h).
 */

#ifndef REEL_WORKERD_OUTBOX_H
#define REEL_WORKERD_OUTBOX_H

#include "workerd/worker.h"

reel_outbox_t *reel_outbox_new(reel_worker_t *w);   /* NULL: no memory */
void reel_outbox_free(reel_outbox_t *o);            /* NULL is fine */

/* entries of pending/ when they were listed last */
size_t reel_outbox_pending(const reel_outbox_t *o);

/* looks now, as it does when Redis comes back */
void reel_outbox_look(reel_outbox_t *o);

/* looks at one job now: it ended, and nobody may have written that down */
void reel_outbox_take(reel_outbox_t *o, const char *job);

/* its failure could not be written, for another worker writes a result of the
   asset just now: it is looked at again in half a second */
void reel_outbox_again(reel_outbox_t *o, const char *job);

#endif

/*
 * Webhooks (docs/webhooks.md): events stand in the store's hooks/, one entry
 * each; this role claims them in Redis, endpoint by endpoint and in the order
 * of an asset, and lets a child of the endpoint's own send them, so that a
 * slow or dead one holds up nobody else, and no secret is in this process.
 * An entry goes when every endpoint has it, or was given up.
 */

#ifndef REEL_WORKERD_WEBHOOKS_H
#define REEL_WORKERD_WEBHOOKS_H

#include "workerd/worker.h"

/* NULL: no memory.  Without endpoints it does nothing */
reel_webhooks_t *reel_webhooks_new(reel_worker_t *w);
void reel_webhooks_free(reel_webhooks_t *h);            /* NULL is fine */

/* assets that have events, as hooks/ was listed last; 0 without endpoints */
size_t reel_webhooks_backlog(const reel_webhooks_t *h);

/* something ended, of that asset if it is not NULL: look soon */
void reel_webhooks_wake(reel_webhooks_t *h, const char *asset);

#endif

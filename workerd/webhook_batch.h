/*
 * What one endpoint gets next: claimed events, sent together by a child, and
 * what became of each told to Redis.  One child an endpoint; while it runs,
 * nothing more is claimed for that endpoint.
 */

#ifndef REEL_WORKERD_WEBHOOK_BATCH_H
#define REEL_WORKERD_WEBHOOK_BATCH_H

#include "lib/base/ulid.h"
#include "workerd/webhook_send.h"
#include "workerd/webhooks.h"

typedef struct reel_webhook_batch_s reel_webhook_batch_t;

typedef struct {
    char     asset[REEL_ULID_LEN + 1];
    char     event[REEL_HOOK_NAME_MAX];
    unsigned tried;             /* times, this one too */
} reel_webhook_claim_t;

/* nonce: of our claims; it and conf stay ours.  NULL: no memory */
reel_webhook_batch_t *reel_webhook_batch_new(reel_webhooks_t *h,
    reel_worker_t *w, const reel_webhook_conf_t *conf, const char *nonce);
void reel_webhook_batch_free(reel_webhook_batch_t *b);  /* NULL is fine */

/* takes another event, should one be claimed */
bool reel_webhook_batch_open(const reel_webhook_batch_t *b);

/* m->body is taken over.  What the endpoint does not want is settled */
void reel_webhook_batch_add(reel_webhook_batch_t *b,
    const reel_webhook_claim_t *claim, reel_webhook_message_t *m);

/* sends what was added; nothing when that is nothing */
void reel_webhook_batch_start(reel_webhook_batch_t *b);

/* tells Redis: done with (-1), or to be tried again then */
void reel_webhook_batch_settle(reel_webhook_batch_t *b,
    const reel_webhook_claim_t *claim, int64_t delay_ms);

#endif

#include "workerd/webhooks.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/base/ulid.h"
#include "lib/hook/note.h"
#include "workerd/log.h"
#include "workerd/shards.h"
#include "workerd/webhook_batch.h"

/*
 * Assets looked at in one turn, those that just ended first; the next turn
 * goes on behind them.  Each gives at most one event to a batch, so what is
 * claimed has room.
 */
#define TURN     REEL_WEBHOOK_BATCH
#define FRESH    (TURN / 2)
#define SOON_MS  250
#define IDLE_MS  1000                   /* when nothing moved in a round */
#define EVENTS   16                     /* of one asset, in one look */

/* a claim outlives its batch, and what is told of it */
#define LEASE_MS ((REEL_WEBHOOK_BATCH_S + 30) * 1000)

typedef struct {
    reel_webhooks_t *h;
    char             asset[REEL_ULID_LEN + 1];
    unsigned         n;
    char             event[EVENTS][REEL_HOOK_NAME_MAX];
    bool             wants[REEL_WEBHOOKS_MAX];  /* as it was asked */
} ask_t;

struct reel_webhooks_s {
    reel_worker_t         *w;
    reel_timer_t           timer;
    char                   nonce[17];
    size_t                 at;          /* assets passed in this round */
    size_t                 seen;        /* while listing */
    size_t                 backlog;     /* seen when it was listed last */
    unsigned               asked;       /* answers that are awaited */
    bool                   woken;       /* while they were */
    bool                   soon;        /* the next turn is */
    bool                   moved;       /* something, in this round */
    bool                   idle;        /* nothing in the one before */
    unsigned               nfresh;      /* of asset: ended just now */
    unsigned               n;           /* taken in this turn */
    char                   asset[TURN][REEL_ULID_LEN + 1];
    reel_webhook_batch_t  *batch[REEL_WEBHOOKS_MAX];
};

static void on_timer(void *arg);


static const reel_webhooks_conf_t *
conf(const reel_webhooks_t *h)
{
    return &h->w->conf.webhooks;
}


/* until the next turn */
static int64_t
pause_ms(reel_webhooks_t *h)
{
    if (h->at == 0) {
        h->idle = !h->moved;
        h->moved = false;
    }

    h->soon = h->woken || (h->at != 0 && !h->idle);
    h->woken = false;

    return h->soon ? SOON_MS
           : h->at != 0 ? IDLE_MS : (int64_t) h->w->conf.outbox_s * 1000;
}


/* at the end of a turn: what was claimed goes out */
static void
answered(reel_webhooks_t *h)
{
    if (--h->asked > 0) {
        return;
    }

    /* what is claimed then is sent by another, when the claim has ended */
    for (size_t i = 0; i < conf(h)->n && !h->w->draining; i++) {
        reel_webhook_batch_start(h->batch[i]);
    }

    reel_timer_start(h->w->loop, &h->timer, pause_ms(h), on_timer, h);
}


static void
remove_event(reel_webhooks_t *h, const char *asset, const char *event)
{
    reel_key_t  key;
    reel_err_t  err = reel_key_hook(key, reel_str(asset), event);

    if (err == REEL_OK) {
        err = reel_store_del(h->w->store, key);
    }
    if (err != REEL_OK && err != REEL_NOTFOUND) {
        reel_log(REEL_LOG_WARN, "webhooks: %s cannot be removed: %s", key,
                 reel_err_name(err));
    }
}


/*
 * One that cannot be read is sent to nobody, and said once; one that is gone
 * was asked for again meanwhile.
 */
static void
take(reel_webhooks_t *h, size_t endpoint, const char *asset,
    const char *event, unsigned tried)
{
    reel_key_t              key;
    reel_err_t              err;
    reel_webhook_claim_t    claim = { .tried = tried };
    reel_webhook_message_t  m = { .id = "" };

    (void) !reel_str_copy(claim.asset, sizeof(claim.asset), reel_str(asset));
    (void) !reel_str_copy(claim.event, sizeof(claim.event), reel_str(event));

    err = reel_key_hook(key, reel_str(asset), event);
    if (err == REEL_OK) {
        err = reel_hook_id(m.id, asset, event);
    }
    if (err == REEL_OK) {
        err = reel_store_get(h->w->store, key, REEL_HOOK_EVENT_MAX, &m.body);
    }

    if (err != REEL_OK) {
        reel_log(err == REEL_NOTFOUND ? REEL_LOG_INFO : REEL_LOG_ERROR,
                 "webhooks: %s: %s", key, reel_err_name(err));
        reel_buf_release(&m.body);
        reel_webhook_batch_settle(h->batch[endpoint], &claim,
                                  err == REEL_NOTFOUND || err == REEL_LIMIT
                                  ? -1 : LEASE_MS);
        return;
    }

    reel_webhook_batch_add(h->batch[endpoint], &claim, &m);
}


static void
on_claimed(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    size_t            n, i;
    ask_t            *ask = arg;
    reel_str_t        event;
    reel_webhooks_t  *h = ask->h;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "webhooks: redis refused a claim: %.200s",
                 reel_reply_str(reply).p);
    }

    n = conf(h)->n;

    if (err == REEL_OK && reel_reply_len(reply) >= 2 * n) {
        for (i = 0; i < n; i++) {
            event = reel_reply_str(reel_reply_at(reply, 2 * i));
            if (event.len != 0 && ask->wants[i]) {
                h->moved = true;
                take(h, i, ask->asset, event.p, (unsigned) reel_reply_uint(
                         reel_reply_at(reply, 2 * i + 1)));
            }
        }

        for (i = 2 * n; i < reel_reply_len(reply); i++) {
            h->moved = true;
            remove_event(h, ask->asset,
                         reel_reply_str(reel_reply_at(reply, i)).p);
        }
    }

    free(ask);
    answered(h);
}


/* the first ones, in order: those behind them were never claimed */
static reel_err_t
on_event(void *arg, const char *name, bool is_prefix)
{
    ask_t     *ask = arg;
    unsigned   i;

    if (is_prefix || reel_hook_name_check(reel_str(name)) != REEL_OK) {
        return REEL_OK;
    }

    for (i = ask->n; i > 0; i--) {
        if (reel_hook_name_compare(name, ask->event[i - 1]) > 0) {
            break;
        }
        if (i < EVENTS) {
            memcpy(ask->event[i], ask->event[i - 1], REEL_HOOK_NAME_MAX);
        }
    }

    if (i == EVENTS) {
        return REEL_OK;
    }
    if (ask->n < EVENTS) {
        ask->n++;
    }

    return reel_str_copy(ask->event[i], REEL_HOOK_NAME_MAX, reel_str(name));
}


static reel_err_t
send_claim(ask_t *ask)
{
    reel_args_t       a;
    reel_webhooks_t  *h = ask->h;

    reel_args_init(&a);
    reel_args_uint(&a, LEASE_MS);
    reel_args_addz(&a, h->nonce);
    reel_args_uint(&a, conf(h)->n);

    for (size_t i = 0; i < conf(h)->n; i++) {
        ask->wants[i] = reel_webhook_batch_open(h->batch[i]);
        reel_args_addz(&a, conf(h)->endpoint[i].name);
        reel_args_uint(&a, ask->wants[i] ? 1 : 0);
    }

    for (unsigned i = 0; i < ask->n; i++) {
        reel_args_addz(&a, ask->event[i]);
    }

    return reel_redis_script(reel_shards_of(h->w->shards,
                                            reel_str(ask->asset)),
                             REEL_LUA_HOOK, "hook:", ask->asset, &a,
                             on_claimed, ask);
}


static void
look_at(reel_webhooks_t *h, const char *asset)
{
    ask_t       *ask = calloc(1, sizeof(*ask));
    reel_key_t   key;
    reel_err_t   err;

    if (ask == NULL) {
        return;
    }

    ask->h = h;
    memcpy(ask->asset, asset, sizeof(ask->asset));

    err = reel_key_hook(key, reel_str(asset), NULL);
    if (err == REEL_OK) {
        err = reel_store_list(h->w->store, key, on_event, ask);
    }
    if (err == REEL_OK && ask->n > 0) {
        err = send_claim(ask);
        if (err == REEL_OK) {
            h->asked++;
            return;
        }
    }

    free(ask);
}


static reel_err_t
on_asset(void *arg, const char *name, bool is_prefix)
{
    reel_webhooks_t  *h = arg;

    if (is_prefix && reel_ulid_valid(reel_str(name)) && h->seen++ >= h->at
        && h->n < TURN)
    {
        return reel_str_copy(h->asset[h->n++], REEL_ULID_LEN + 1,
                             reel_str(name));
    }

    return REEL_OK;
}


static void
on_timer(void *arg)
{
    reel_err_t        err;
    reel_webhooks_t  *h = arg;

    /* of the turn itself, so that one which asks nobody is the last step too */
    h->asked = 1;
    h->n = h->nfresh;
    h->seen = 0;

    if (reel_shards_up(h->w->shards) > 0 && !h->w->draining) {
        err = reel_store_list(h->w->store, "hooks", on_asset, h);
        if (err != REEL_OK && err != REEL_NOTFOUND) {
            reel_log(REEL_LOG_ERROR, "webhooks: hooks/ cannot be listed: %s",
                     reel_err_name(err));
        } else {
            h->backlog = h->seen;
        }
    }

    for (unsigned i = 0; i < h->n; i++) {
        look_at(h, h->asset[i]);
    }

    h->at = h->at + h->n - h->nfresh < h->seen ? h->at + h->n - h->nfresh : 0;
    h->nfresh = 0;
    answered(h);
}


size_t
reel_webhooks_backlog(const reel_webhooks_t *h)
{
    return h->backlog;
}


void
reel_webhooks_wake(reel_webhooks_t *h, const char *asset)
{
    if (conf(h)->n == 0) {
        return;
    }

    /* those of a turn were copied when their answers are awaited */
    if (asset != NULL && h->nfresh < FRESH) {
        memcpy(h->asset[h->nfresh++], asset, REEL_ULID_LEN + 1);
    }

    if (h->asked > 0) {
        h->woken = true;

    } else if (!h->soon) {
        h->soon = true;
        reel_timer_start(h->w->loop, &h->timer, SOON_MS, on_timer, h);
    }
}


/* what nginx and workers look for before they note an event */
static void
switch_on(reel_webhooks_t *h)
{
    bool        on;
    reel_err_t  err = reel_hook_on(h->w->store, &on);

    if (err == REEL_OK && !on && conf(h)->n > 0) {
        err = reel_store_put_if_absent(h->w->store, REEL_KEY_HOOKS_ON, "", 0);

    } else if (err == REEL_OK && on && conf(h)->n == 0) {
        reel_log(REEL_LOG_WARN, "webhooks: none here, but %s stands: events "
                 "are noted for another worker", REEL_KEY_HOOKS_ON);
    }

    if (err != REEL_OK && err != REEL_EXISTS) {
        reel_log(REEL_LOG_ERROR, "webhooks: %s: %s", REEL_KEY_HOOKS_ON,
                 reel_err_name(err));
    }
}


reel_webhooks_t *
reel_webhooks_new(reel_worker_t *w)
{
    uint8_t           random[8];
    reel_webhooks_t  *h = calloc(1, sizeof(*h));

    if (h == NULL) {
        return NULL;
    }

    h->w = w;
    reel_random(random, sizeof(random));
    reel_hex(h->nonce, random, sizeof(random));
    switch_on(h);

    for (size_t i = 0; i < conf(h)->n; i++) {
        h->batch[i] = reel_webhook_batch_new(h, w, &conf(h)->endpoint[i],
                                             h->nonce);
        if (h->batch[i] == NULL) {
            reel_webhooks_free(h);
            return NULL;
        }
    }

    reel_webhooks_wake(h, NULL);

    return h;
}


void
reel_webhooks_free(reel_webhooks_t *h)
{
    if (h == NULL) {
        return;
    }

    for (size_t i = 0; i < conf(h)->n; i++) {
        reel_webhook_batch_free(h->batch[i]);
    }
    reel_timer_stop(&h->timer);
    free(h);
}

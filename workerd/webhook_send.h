/*
 * Sends a batch of events to one endpoint, and does not return before: for
 * a child.  The only user of libcurl in workerd.
 */

#ifndef REEL_WORKERD_WEBHOOK_SEND_H
#define REEL_WORKERD_WEBHOOK_SEND_H

#include "lib/hook/event.h"
#include "workerd/config.h"

#define REEL_WEBHOOK_BATCH     32
#define REEL_WEBHOOK_PARALLEL  8
#define REEL_WEBHOOK_TIMEOUT_S 15               /* of one try */

/* the longest that a batch takes */
#define REEL_WEBHOOK_BATCH_S                                                  \
    (REEL_WEBHOOK_BATCH / REEL_WEBHOOK_PARALLEL * REEL_WEBHOOK_TIMEOUT_S)

typedef struct {
    char        id[REEL_HOOK_ID_MAX];
    reel_buf_t  body;                           /* owned */
} reel_webhook_message_t;

/* status: HTTP's, 0 when there was no answer; why: for the log, one line */
typedef void (*reel_webhook_sent_fn)(void *arg, size_t message, long status,
    long retry_after_s, const char *why);

/*
 * REEL_OK: sent was called for each message.  Else for none: secrets or CA
 * cannot be read, and e says so.
 */
reel_err_t reel_webhook_send(const reel_webhook_conf_t *conf,
    reel_webhook_message_t *messages, size_t n, reel_webhook_sent_fn sent,
    void *arg, reel_error_t *e) REEL_WARN_UNUSED;

/* the file of secrets: readable, of mode 0600 at most, and of its form */
reel_err_t reel_webhook_secrets(reel_hook_secrets_t *s, const char *path,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif

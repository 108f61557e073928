/*
 * What a webhook tells: the event as it stands in the store's hooks/ until
 * every endpoint has it, and is sent (docs/webhooks.md).  It follows from the
 * asset's records alone, so that it comes out the same whenever it is made.
 */

#ifndef REEL_HOOK_EVENT_H
#define REEL_HOOK_EVENT_H

#include "lib/job/record.h"

#define REEL_HOOK_EVENT_MAX (64u << 10)
#define REEL_HOOK_NAME_MAX  32          /* of an entry of hooks/<asset>/ */
#define REEL_HOOK_ID_MAX    64          /* of a message */

typedef enum {
    REEL_HOOK_READY,
    REEL_HOOK_ERRORED,
    REEL_HOOK_DELETED,
    REEL_HOOK_TYPES
} reel_hook_type_t;

/* of "video.asset.ready", …; REEL_HOOK_TYPES: none is called so */
reel_hook_type_t reel_hook_type_find(const char *name);

typedef struct {
    reel_hook_type_t      type;
    const char           *asset;
    const char           *project;
    uint32_t              publication;  /* 0: not known (deleted) */
    int64_t               at_ms;
    const reel_request_t *request;      /* these are NULL when deleted */
    const reel_meta_t    *meta;
    const reel_result_t  *result;
} reel_hook_event_t;

/* appends the JSON that a webhook is sent; b's error */
reel_err_t reel_hook_event_print(reel_buf_t *b, const reel_hook_event_t *e)
    REEL_WARN_UNUSED;

/*
 * Names of entries: "<publication>" or "deleted", and "~<ms>" behind it when
 * it was asked for again.  REEL_INVAL for any other.  Compares as they are
 * to be sent: publications, then the end.
 */
void reel_hook_name_print(char dst[REEL_HOOK_NAME_MAX],
    const reel_hook_event_t *e, int64_t again_ms);      /* 0: not again */
reel_err_t reel_hook_name_check(reel_str_t name) REEL_WARN_UNUSED;
int reel_hook_name_compare(const char *a, const char *b);

/* "msg_<asset>_<publication or deleted>": the same when asked for again */
reel_err_t reel_hook_id(char dst[REEL_HOOK_ID_MAX], const char *asset,
    const char *name) REEL_WARN_UNUSED;

#endif

/*
 * One pass over what time leaves behind in a store (docs/store.md).  Pure
 * store work, any number of workers at once, any number of times; now_ms is
 * Unix time.
 */

#ifndef REEL_WORKERD_SWEEP_PASS_H
#define REEL_WORKERD_SWEEP_PASS_H

#include <stdint.h>

#include "lib/store/store.h"

typedef struct {
    int64_t  now_ms;
    int64_t  object_age_ms;     /* what is younger is left alone */
    int64_t  upload_age_ms;
    unsigned jobs;              /* counted: scratch folders removed, */
    unsigned objects;           /* unnamed objects deleted, */
    unsigned uploads;           /* uploads ended, */
    unsigned requeued;          /* of which pending/ was put again */
} reel_sweep_pass_t;

/*
 * Ends uploads older than upload_age_ms: an asset that was never told of is
 * deleted, one with a request and neither result nor pending is queued.
 */
reel_err_t reel_sweep_uploads(reel_store_t *s, reel_sweep_pass_t *p)
    REEL_WARN_UNUSED;

/*
 * scratch/<job> of a job that ended marks an asset to be swept: objects
 * that its index does not name go, then the folder.
 */
reel_err_t reel_sweep_scratch(reel_store_t *s, reel_sweep_pass_t *p)
    REEL_WARN_UNUSED;

/*
 * Deletes the objects of an asset that its index does not name (all, when
 * none stands).  REEL_AGAIN: some were too young.  REEL_BADDATA: the index
 * names what does not stand, or cannot be read; nothing is deleted.
 */
reel_err_t reel_sweep_objects(reel_store_t *s, reel_str_t asset,
    reel_sweep_pass_t *p) REEL_WARN_UNUSED;

#endif

/*
 * One pass over what time leaves behind in a store (docs/store.md).  Pure
 * store work, any number of workers at once, any number of times; now_ms is
 * Unix time.
 */

#ifndef REEL_WORKERD_SWEEP_PASS_H
#define REEL_WORKERD_SWEEP_PASS_H

#include <stdint.h>

#include "lib/store/store.h"
#include "lib/upload/upload.h"

typedef struct {
    const char        *root;            /* the store's folder, in which programs
                                           had theirs; or NULL */
    int64_t            now_ms;
    int64_t            object_age_ms;   /* what is younger is left alone */
    int64_t            retry_age_ms;    /* how long an errored asset keeps what
                                           its retry need not make again */
    uint8_t            twins;           /* which of 256 folders of twins/ */
    int64_t            upload_age_ms;   /* how long an upload that ended is
                                           remembered */
    unsigned           upload_max;      /* expired and removed, at most */
    reel_upload_self_t self;            /* takes turns of uploads */
    void             (*ended)(void *arg, reel_upload_t *u, const char *asset);
    void              *arg;             /* of ended, which hears of each upload
                                           that was completed, of which asset,
                                           or expired, asset NULL; or NULL */
    unsigned           jobs;            /* counted: scratch folders removed, */
    unsigned           objects;         /* unnamed objects deleted, */
    unsigned           completed;       /* uploads rolled forward, */
    unsigned           expired;         /* … ended without their bytes, */
    unsigned           removed;         /* … of which nothing is left */
} reel_sweep_pass_t;

/*
 * Uploads of which nobody has a turn: one that was left in its completion is
 * completed, an open one past its time ended, one that ended long ago or
 * cannot be opened removed.
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
 * Names in one folder of twins/ whose asset is gone, which a crash, or who
 * was deleted while it joined, left there.
 */
reel_err_t reel_sweep_twins(reel_store_t *s, const reel_sweep_pass_t *p)
    REEL_WARN_UNUSED;

/*
 * Deletes the objects of an asset that its index does not name (all, when
 * none stands).  REEL_AGAIN: some were too young.  REEL_BADDATA: the index
 * names what does not stand, or cannot be read; nothing is deleted.
 */
reel_err_t reel_sweep_objects(reel_store_t *s, reel_str_t asset,
    reel_sweep_pass_t *p) REEL_WARN_UNUSED;

#endif

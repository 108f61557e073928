/* what the files of lib/upload share */

#ifndef REEL_UPLOAD_UPLOAD_IMPL_H
#define REEL_UPLOAD_UPLOAD_IMPL_H

#include <stdatomic.h>

#include "lib/crypt/digest.h"
#include "lib/store/layout.h"
#include "lib/upload/part_log.h"
#include "lib/upload/slot.h"
#include "lib/upload/upload.h"

#define REEL_UPLOAD_FACTS  "upload.json"
#define REEL_UPLOAD_STATE  "state"
#define REEL_UPLOAD_DATA   "data"
#define REEL_UPLOAD_PARTS  "parts"
#define REEL_UPLOAD_JOINED "joined"

/* the short lock: parts, part_size and tickets are changed under it */
#define REEL_UPLOAD_MUTEX  (REEL_UPLOAD_PARTS_MAX + 1)

typedef struct {
    reel_upload_t       pub;
    reel_upload_self_t  self;

    reel_multipart_t   *state_file;
    reel_multipart_t   *data;               /* NULL: not opened yet */
    reel_multipart_t   *parts;
    reel_multipart_t   *unsynced;           /* upload.json, NULL: durable */

    /*
     * Of the two slots one, `slot`, was written last.  `spare` is the one to
     * be written next: never the one that was synced last, so that a loss of
     * power while it is written leaves that.
     */
    uint64_t            seq;
    unsigned            slot, spare;
    uint8_t             boot[REEL_UPLOAD_BOOT_LEN];     /* slot's writer's */

    bool                leaving;            /* the last writes of a holder */
    bool                announced;          /* ticket is ours in `turn` */
    uint64_t            zero;               /* turn 0's ticket then */

    /*
     * A sync that failed has maybe dropped what it could not write, and the
     * next one would succeed: from then on only pub.safe counts, the durable
     * of the slot that was synced last.
     */
    _Atomic bool        failed;
    uint64_t            told;               /* durable of the slot that was
                                               written last */

    uint64_t            pos;                /* offset + provisional bytes */
    _Atomic uint64_t    written;            /* = pos, for flush */
    _Atomic uint64_t    flushed;            /* synced up to there */
    reel_sha256_t      *sha;                /* of [0, pos), or NULL */

    uint64_t            part_at;            /* bytes of our part written */
    reel_upload_part_t  before;             /* what is finished of it so far;
                                               number 0: nothing */
    bool                listed;             /* join has said what counts */
} reel_upload_impl_t;

static inline reel_upload_impl_t *
reel_upload_impl(reel_upload_t *u)
{
    return (reel_upload_impl_t *) u;
}

/* uploads/<id>/<part>; the id was checked */
reel_err_t reel_upload_key(const reel_upload_impl_t *u, reel_key_t key,
    const char *part) REEL_WARN_UNUSED;

/* upload.json, of which nothing is left but on REEL_OK */
reel_err_t reel_upload_facts_read(reel_store_t *s, reel_str_t id,
    reel_upload_facts_t *f) REEL_WARN_UNUSED;

/* opens a staged part of it; with create makes it if it is missing */
reel_err_t reel_upload_stage(reel_upload_impl_t *u, const char *part,
    bool create, reel_multipart_t **m) REEL_WARN_UNUSED;

/* turn 0 is held and the phase is p: else REEL_INVAL */
reel_err_t reel_upload_may(const reel_upload_impl_t *u,
    reel_upload_phase_t p) REEL_WARN_UNUSED;

/* touched_ms of an open multipart upload: who writes a part writes no slot */
reel_err_t reel_upload_touched(reel_upload_impl_t *u) REEL_WARN_UNUSED;

/* ---- state.c ---- */

reel_err_t reel_upload_state_read(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* into the spare slot: there after a kill, not after a loss of power */
reel_err_t reel_upload_state_write(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* what was written is durable */
reel_err_t reel_upload_state_sync(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* the same for state and, once, upload.json */
reel_err_t reel_upload_state_settle(reel_upload_impl_t *u) REEL_WARN_UNUSED;

/* ---- turn.c ---- */

/* turn 0 of an upload just made: nobody else knows it yet */
reel_err_t reel_upload_turn_first(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* REEL_AGAIN when somebody has it */
reel_err_t reel_upload_turn_lock(reel_upload_impl_t *u, unsigned turn)
    REEL_WARN_UNUSED;
/* REEL_DENIED when the lock was lost, or somebody else had it since */
reel_err_t reel_upload_turn_ours(reel_upload_impl_t *u) REEL_WARN_UNUSED;
reel_err_t reel_upload_mutex_lock(reel_upload_impl_t *u) REEL_WARN_UNUSED;
void reel_upload_mutex_unlock(reel_upload_impl_t *u);

/* ---- append.c ---- */

/* after a sync that failed: the record says no more than what is safe */
void reel_upload_fall_back(reel_upload_impl_t *u);
/* REEL_IO then */
reel_err_t reel_upload_sound(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* all of data written so far is durable */
reel_err_t reel_upload_data_sync(reel_upload_impl_t *u) REEL_WARN_UNUSED;
/* the bytes go; the record stays */
reel_err_t reel_upload_data_drop(reel_upload_impl_t *u) REEL_WARN_UNUSED;

/* ---- part.c ---- */

/* all that `parts` says; whatever it returns, *t is to be released */
reel_err_t reel_upload_table_load(reel_upload_impl_t *u,
    reel_upload_table_t *t) REEL_WARN_UNUSED;
/* appends finished parts to it, durable */
reel_err_t reel_upload_table_log(reel_upload_impl_t *u,
    const reel_upload_part_t *parts, size_t n) REEL_WARN_UNUSED;
/* when the newest record was written, 0: never */
reel_err_t reel_upload_part_last(reel_upload_impl_t *u, int64_t *ms)
    REEL_WARN_UNUSED;

/* ---- join.c ---- */

/* a sealed result begins at 0 of its file, `joined` if not of `data` */
reel_err_t reel_upload_straighten(reel_upload_impl_t *u) REEL_WARN_UNUSED;

/* ---- publish.c: the asset, step by step ---- */

/* REEL_OK: a part of the asset stands */
reel_err_t reel_upload_asset_stands(reel_store_t *s, const char *asset,
    const char *part) REEL_WARN_UNUSED;
/* bytes is what is published; REEL_EXISTS: the asset is another's */
reel_err_t reel_upload_publish(reel_upload_impl_t *u, reel_multipart_t *bytes,
    const char *bytes_part, bool again, int64_t now_ms, reel_named_t *named)
    REEL_WARN_UNUSED;
/* what was answered, once all steps are done */
reel_err_t reel_upload_named(reel_upload_impl_t *u, reel_named_t *named)
    REEL_WARN_UNUSED;

/* ---- orphan.c ---- */

/*
 * A source without a request keeps an asset's id taken as long as somebody
 * may go on with it: REEL_EXISTS.  REEL_OK: nobody will, and it is gone.
 */
reel_err_t reel_upload_asset_free(reel_upload_impl_t *u, int64_t now_ms)
    REEL_WARN_UNUSED;

#endif

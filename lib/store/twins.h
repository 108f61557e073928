/*
 * Twins: assets of one project whose sources are the same bytes
 * (docs/store.md).  A hash stands for project and bytes; whose it is, and who
 * else has it, are records of their own, so that no asset waits for another.
 */

#ifndef REEL_STORE_TWINS_H
#define REEL_STORE_TWINS_H

#include "lib/store/layout.h"

#define REEL_TWINS_HASH 65      /* SHA-256 in hex, terminated */

/* the asset is one of them from now on */
reel_err_t reel_twins_join(reel_store_t *s, reel_str_t asset,
    const char *hash) REEL_WARN_UNUSED;

/* REEL_NOTFOUND: nobody knows of the asset what its bytes are */
reel_err_t reel_twins_hash(reel_store_t *s, reel_str_t asset,
    char hash[REEL_TWINS_HASH]) REEL_WARN_UNUSED;

/* of an asset that is deleted; REEL_OK too when it was never one */
reel_err_t reel_twins_leave(reel_store_t *s, reel_str_t asset)
    REEL_WARN_UNUSED;

/*
 * Twins do not do the same work at the same time.  digest: of all that its
 * result follows from but the source, 64 hex digits; now_s: Unix seconds.
 * REEL_OK: *work is the asset's, until reel_twins_end or the death of the
 * process.  Else *work is NULL.  REEL_AGAIN: another asset does it, begun
 * *for_s seconds ago (never more than 24 days).  REEL_EXISTS: the asset
 * itself does: in a second run, or in a worker that lost its lease.
 */
reel_err_t reel_twins_begin(reel_store_t *s, const char *hash,
    const char *digest, const char *asset, int64_t now_s,
    reel_multipart_t **work, uint32_t *for_s) REEL_WARN_UNUSED;
void reel_twins_end(reel_multipart_t *work);            /* NULL is fine */

/* all that have the hash, itself too, deleted ones maybe; see
   reel_store_list */
reel_err_t reel_twins_list(reel_store_t *s, const char *hash,
    reel_store_list_fn fn, void *arg) REEL_WARN_UNUSED;

#endif

/*
 * Results that stand already are not made again (docs/store.md, Twins): those
 * of an earlier publication of the asset, and of assets of the project with
 * the same source.  Each asset has its answers in parts/, by the digest of
 * the task; a twin's objects become ours by a second name.  What a twin makes
 * just now is waited for.
 */

#ifndef REEL_WORKERD_REUSE_H
#define REEL_WORKERD_REUSE_H

#include "workerd/attempt.h"

/*
 * REEL_EXISTS: a result was found, and is a's answer.  REEL_AGAIN: another
 * asset makes it just now; a's outcome is TWIN, and a->again_ms set.
 * REEL_OK: there is none, whatever the reason; the task is done, and no twin
 * does the same until reel_reuse_end.
 */
reel_err_t reel_reuse_find(reel_attempt_t *a) REEL_WARN_UNUSED;
void reel_reuse_end(reel_attempt_t *a);

/* the answer that was just put, for others; they go without when it fails */
void reel_reuse_keep(reel_attempt_t *a, const reel_buf_t *text);

/* the same of the answer that stands, if who put it ended before it did that */
void reel_reuse_keep_standing(reel_attempt_t *a,
    const reel_answer_t *answer);

/* the asset's source has this SHA-256 (hex) */
reel_err_t reel_reuse_join(reel_attempt_t *a, const char *sha256)
    REEL_WARN_UNUSED;

/* answers of which an object is gone go */
reel_err_t reel_reuse_sweep(reel_store_t *s, const char *asset)
    REEL_WARN_UNUSED;

#endif

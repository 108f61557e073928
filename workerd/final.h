/*
 * What the store says of an asset and of its job's end, and how that gets
 * there.  All of it may run twice, in two workers, or after a crash at any
 * point.
 */

#ifndef REEL_WORKERD_FINAL_H
#define REEL_WORKERD_FINAL_H

#include "lib/index/index.h"
#include "lib/job/record.h"
#include "lib/store/store.h"
#include "workerd/worker.h"

/*
 * What was asked for, in a zeroed rq, to be released in any case; e: of one
 * that is not of its form, or NULL.  REEL_NOTFOUND: there is no asset.
 */
reel_err_t reel_final_request(reel_store_t *s, reel_str_t asset,
    reel_request_t *rq, reel_error_t *e) REEL_WARN_UNUSED;

/* true in *stands when the asset has a tombstone */
reel_err_t reel_final_tombstone(reel_store_t *s, const char *asset,
    bool *stands) REEL_WARN_UNUSED;

/*
 * The standing result.json: REEL_NOTFOUND, or r filled (release it).  One
 * that cannot be read counts as none: it is written anew.
 */
reel_err_t reel_final_result(reel_store_t *s, const char *asset,
    reel_result_t *r) REEL_WARN_UNUSED;

/* what matters of the standing index; REEL_NOTFOUND as above */
typedef struct {
    uint32_t publication;
    bool     growing;
    int64_t  created_ms;
    uint8_t  salt[REEL_INDEX_SALT];
} reel_standing_t;

reel_err_t reel_final_index(reel_store_t *s, const char *asset,
    reel_standing_t *st) REEL_WARN_UNUSED;

/* true: the asset is ready by this publication, so that none of its tasks is
   of use any more.  False too when that cannot be read */
bool reel_final_ready(reel_store_t *s, const char *asset,
    uint32_t publication);

/*
 * Who writes an asset's index or result.json holds this from the look at what
 * stands to the last write, however long it sleeps between: nobody newer can
 * come meanwhile, and whose lease or node died gives it back.  It lies on
 * request.json, which is never written again.  REEL_NOTFOUND: there is no
 * asset; REEL_AGAIN: it is held, and wait was false.
 */
reel_err_t reel_final_lock(reel_store_t *s, const char *asset, bool wait,
    reel_multipart_t **lock) REEL_WARN_UNUSED;

/* the same of who deletes objects: it excludes those above and below, and
   does not wait */
reel_err_t reel_final_lock_all(reel_store_t *s, const char *asset,
    reel_multipart_t **lock) REEL_WARN_UNUSED;

/* … and of who gives the asset the objects of a twin for the task of this
   digest: others may do that for theirs */
reel_err_t reel_final_lock_task(reel_store_t *s, const char *asset,
    const char *digest, reel_multipart_t **lock) REEL_WARN_UNUSED;

/*
 * Takes pending/<job> (and cancel/<job>) away, and no other job's: as soon as
 * the result stands the module may put that of a retry, so at the same time.
 * Before, what webhooks tell of its end is noted (docs/webhooks.md).
 */
reel_err_t reel_final_settle(reel_store_t *s, const char *job)
    REEL_WARN_UNUSED;

/*
 * Writes result.json (errored) of a failed job, unless a tombstone or a
 * result of the same or a newer publication stands; takes away its growing
 * index; then settles.  REEL_AGAIN: another worker writes just now.
 */
typedef struct {
    const char *code;
    const char *stage;
    const char *detail;         /* of the last attempt, for the log */
    const char *log;
} reel_failure_t;

reel_err_t reel_final_failed(reel_store_t *s, const char *job,
    const reel_failure_t *f) REEL_WARN_UNUSED;

/* whether it says of that publication that its user cancelled it */
bool reel_final_is_cancelled(const reel_result_t *r, uint32_t publication);

/*
 * Ends, in the store, a job that its user cancelled (cancel/<job>): its result
 * becomes CANCELLED, its growing index goes.  pending/<job> is left, or put
 * when it is not there yet, until Redis knows as well; who settles takes both
 * away.  Of a job that ended otherwise, or whose asset is gone, cancel/<job>
 * is taken away.  REEL_AGAIN: another worker writes just now.
 */
reel_err_t reel_final_cancel(reel_store_t *s, const char *job)
    REEL_WARN_UNUSED;

/* true in *stands when the job has a cancel/<job> */
reel_err_t reel_final_cancelled(reel_store_t *s, const char *job,
    bool *stands) REEL_WARN_UNUSED;

#endif

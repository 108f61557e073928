#include "workerd/final.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/hook/note.h"
#include "lib/job/keys.h"
#include "lib/store/layout.h"
#include "workerd/log.h"
#include "workerd/outcome.h"


/* byte 0 of the lock is the publication's, those behind it the tasks' */
#define TASKS (UINT64_C(1) << 32)


static reel_err_t
part_key(reel_key_t key, const char *asset, const char *part)
{
    return reel_key_asset_part(key, reel_str(asset), part);
}


/* a part of the asset into *b, which the caller releases */
static reel_err_t
read_part(reel_store_t *s, reel_str_t asset, const char *part, size_t max,
    reel_key_t key, reel_buf_t *b)
{
    reel_err_t  err;

    *b = (reel_buf_t) { 0 };

    err = reel_key_asset_part(key, asset, part);

    return err == REEL_OK ? reel_store_get(s, key, max, b) : err;
}


reel_err_t
reel_final_request(reel_store_t *s, reel_str_t asset, reel_request_t *rq,
    reel_error_t *e)
{
    reel_key_t  key;
    reel_buf_t  b;
    reel_err_t  err;

    err = read_part(s, asset, REEL_PART_REQUEST, REEL_RECORD_MAX, key, &b);

    if (err == REEL_OK) {
        err = reel_request_parse(rq, reel_buf_cstr(&b), b.len, e);
    }

    reel_buf_release(&b);

    return err;
}


reel_err_t
reel_final_tombstone(reel_store_t *s, const char *asset, bool *stands)
{
    reel_key_t  key;
    reel_err_t  err;

    *stands = false;

    err = part_key(key, asset, REEL_PART_TOMBSTONE);

    return err == REEL_OK ? reel_store_stands(s, key, stands) : err;
}


/* one that cannot be read is as good as none: it is made again */
static reel_err_t
as_none(reel_err_t err, const reel_key_t key, const reel_error_t *e)
{
    if (err != REEL_BADDATA && err != REEL_LIMIT) {
        return err;
    }

    reel_log(REEL_LOG_ERROR, "%s is broken: %s", key, e->text);

    return REEL_NOTFOUND;
}


reel_err_t
reel_final_result(reel_store_t *s, const char *asset, reel_result_t *r)
{
    reel_key_t    key;
    reel_buf_t    b;
    reel_err_t    err;
    reel_error_t  e = { "" };

    *r = (reel_result_t) { 0 };

    err = read_part(s, reel_str(asset), REEL_PART_RESULT, REEL_RECORD_MAX,
                    key, &b);

    if (err == REEL_OK) {
        err = reel_result_parse(r, reel_buf_cstr(&b), b.len, &e);
    }

    reel_buf_release(&b);

    if (err == REEL_BADDATA || err == REEL_LIMIT) {
        reel_result_release(r);
    }

    return as_none(err, key, &e);
}


reel_err_t
reel_final_index(reel_store_t *s, const char *asset, reel_standing_t *st)
{
    reel_key_t     key;
    reel_buf_t     b;
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_index_t  *ix = calloc(1, sizeof(*ix));

    if (ix == NULL) {
        return REEL_NOMEM;
    }

    err = read_part(s, reel_str(asset), REEL_PART_INDEX, REEL_INDEX_MAX_BYTES,
                    key, &b);

    if (err == REEL_OK) {
        err = reel_index_parse(ix, b.data, b.len, &e);
    }

    if (err == REEL_OK) {
        st->publication = ix->publication;
        st->growing = ix->growing;
        st->created_ms = ix->created_ms;
        memcpy(st->salt, ix->salt, sizeof(st->salt));
    }

    reel_buf_release(&b);
    free(ix);

    return as_none(err, key, &e);
}


bool
reel_final_ready(reel_store_t *s, const char *asset, uint32_t publication)
{
    bool               ready;
    reel_key_t         key;
    reel_result_t      r;
    reel_store_stat_t  st;

    ready = reel_final_result(s, asset, &r) == REEL_OK && r.ready
            && r.publication == publication;
    reel_result_release(&r);

    return ready && part_key(key, asset, REEL_PART_INDEX) == REEL_OK
           && reel_store_stat(s, key, &st) == REEL_OK;
}


static reel_err_t
lock_range(reel_store_t *s, const char *asset, uint64_t off, uint64_t len,
    bool wait, reel_multipart_t **lock)
{
    reel_key_t  key;
    reel_err_t  err;

    *lock = NULL;

    err = part_key(key, asset, REEL_PART_REQUEST);
    if (err == REEL_OK) {
        err = reel_multipart_open(s, key, lock);
    }

    if (err == REEL_OK) {
        err = reel_multipart_lock(*lock, off, len, wait);
        if (err != REEL_OK) {
            reel_multipart_close(*lock);
            *lock = NULL;
        }
    }

    return err;
}


reel_err_t
reel_final_lock(reel_store_t *s, const char *asset, bool wait,
    reel_multipart_t **lock)
{
    return lock_range(s, asset, 0, 1, wait, lock);
}


reel_err_t
reel_final_lock_all(reel_store_t *s, const char *asset,
    reel_multipart_t **lock)
{
    return lock_range(s, asset, 0, 1 + TASKS, false, lock);
}


reel_err_t
reel_final_lock_task(reel_store_t *s, const char *asset, const char *digest,
    reel_multipart_t **lock)
{
    uint64_t  at = reel_crc32c(0, digest, strlen(digest));

    return lock_range(s, asset, 1 + at, 1, false, lock);
}


static reel_err_t
job_parts(const char *job, char asset[27], uint32_t *publication)
{
    reel_err_t  err;
    reel_str_t  id;

    err = reel_job_id_parse(reel_str(job), &id, publication);
    if (err == REEL_OK) {
        err = reel_str_copy(asset, 27, id);
    }

    return err;
}


reel_err_t
reel_final_settle(reel_store_t *s, const char *job)
{
    char        asset[27];
    uint32_t    publication;
    reel_key_t  key;
    reel_err_t  err;

    err = job_parts(job, asset, &publication);
    if (err == REEL_OK) {
        err = reel_hook_note_result(s, asset, publication);
    }
    if (err == REEL_OK) {
        err = reel_key_cancel(key, reel_str(asset), publication);
    }
    if (err == REEL_OK) {
        err = reel_store_del(s, key);
    }
    if (err == REEL_OK) {
        err = reel_key_pending(key, reel_str(asset), publication);
    }

    return err == REEL_OK ? reel_store_del(s, key) : err;
}


/* the log as the user gets it: the last detail first */
static char *
join_log(const reel_failure_t *f)
{
    size_t  n = strlen(f->detail) + strlen(f->log) + 2;
    char   *text = malloc(n);

    if (text != NULL) {
        snprintf(text, n, "%s%s%s", f->detail,
                 f->detail[0] != '\0' && f->log[0] != '\0' ? "\n" : "",
                 f->log);
    }

    return text;
}


static reel_err_t
write_result(reel_store_t *s, const char *asset, uint32_t publication,
    const reel_failure_t *f)
{
    char               *log = join_log(f);
    reel_buf_t          b;
    reel_key_t          key;
    reel_err_t          err = REEL_NOMEM;
    const reel_code_t  *code = reel_code_find(f->code);
    reel_result_t       r = {
        .asset = (char *) asset,
        .publication = publication,
        .ready = false,
        .completed_ms = reel_unix_ms(),
        .code = (char *) code->code,
        .stage = (char *) f->stage,
        .detail = (char *) (strcmp(code->code, REEL_REJECTED) == 0
                            && f->detail[0] != '\0' ? f->detail
                                                    : code->sentence),
        .log = log,
        .retryable = code->retryable
    };

    reel_buf_init(&b, REEL_RECORD_MAX);

    if (log != NULL) {
        err = reel_result_print(&b, &r);
    }
    if (err == REEL_OK) {
        err = part_key(key, asset, REEL_PART_RESULT);
    }
    if (err == REEL_OK) {
        err = reel_store_replace(s, key, b.data, b.len);
    }

    reel_buf_release(&b);
    free(log);

    return err;
}


/* what it showed of itself while it was made is shown no longer */
static reel_err_t
drop_growing(reel_store_t *s, const char *asset, uint32_t publication)
{
    reel_key_t       key;
    reel_err_t       err;
    reel_standing_t  st;

    err = reel_final_index(s, asset, &st);
    if (err == REEL_NOTFOUND
        || (err == REEL_OK && (!st.growing || st.publication > publication)))
    {
        return REEL_OK;
    }

    if (err == REEL_OK) {
        err = part_key(key, asset, REEL_PART_INDEX);
    }
    if (err == REEL_OK) {
        err = reel_store_del(s, key);
    }

    return err;
}


static reel_err_t
fail_asset(reel_store_t *s, const char *asset, uint32_t publication,
    const reel_failure_t *f)
{
    bool           ours = false;
    reel_err_t     err;
    reel_result_t  standing;

    err = reel_final_result(s, asset, &standing);

    if (err == REEL_NOTFOUND
        || (err == REEL_OK && standing.publication < publication))
    {
        ours = true;
        err = write_result(s, asset, publication, f);

    } else if (err == REEL_OK) {
        /* written before, by who died then */
        ours = standing.publication == publication && !standing.ready;
    }

    reel_result_release(&standing);

    if (err == REEL_OK && ours) {
        err = drop_growing(s, asset, publication);
    }

    return err;
}


reel_err_t
reel_final_failed(reel_store_t *s, const char *job, const reel_failure_t *f)
{
    bool               dead;
    char               asset[27];
    uint32_t           publication;
    reel_err_t         err;
    reel_multipart_t  *lock = NULL;

    err = job_parts(job, asset, &publication);
    if (err == REEL_OK) {
        err = reel_final_tombstone(s, asset, &dead);
    }
    if (err == REEL_OK && !dead) {
        err = reel_final_lock(s, asset, false, &lock);

        if (err == REEL_OK) {
            err = fail_asset(s, asset, publication, f);
        } else if (err == REEL_NOTFOUND) {
            err = REEL_OK;
        }

        reel_multipart_close(lock);
    }
    if (err == REEL_OK) {
        err = reel_final_settle(s, job);
    }

    return err;
}


reel_err_t
reel_final_cancelled(reel_store_t *s, const char *job, bool *there)
{
    char        asset[27];
    uint32_t    publication;
    reel_key_t  key;
    reel_err_t  err;

    *there = false;

    err = job_parts(job, asset, &publication);
    if (err == REEL_OK) {
        err = reel_key_cancel(key, reel_str(asset), publication);
    }

    return err == REEL_OK ? reel_store_stands(s, key, there) : err;
}


bool
reel_final_is_cancelled(const reel_result_t *r, uint32_t publication)
{
    return r->publication == publication && !r->ready
           && strcmp(r->code, REEL_CANCELLED) == 0;
}


/* under the asset's lock; over: there is nothing to be cancelled any more */
static reel_err_t
cancel_asset(reel_store_t *s, const char *asset, uint32_t publication,
    bool *over)
{
    bool           waits;
    reel_key_t     pending;
    reel_err_t     err;
    reel_result_t  r;

    static const reel_failure_t failure = { REEL_CANCELLED, "", "", "" };

    err = reel_key_pending(pending, reel_str(asset), publication);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_final_result(s, asset, &r);
    if (err == REEL_OK && r.publication >= publication) {
        err = reel_store_stands(s, pending, &waits);
        *over = !reel_final_is_cancelled(&r, publication) || !waits;
        reel_result_release(&r);
        return err;
    }
    reel_result_release(&r);

    /* first: by it the cancelled job is found again */
    if (err == REEL_OK || err == REEL_NOTFOUND) {
        err = reel_store_put_if_absent(s, pending, NULL, 0);
    }
    if (err == REEL_OK || err == REEL_EXISTS) {
        err = fail_asset(s, asset, publication, &failure);
    }

    return err;
}


reel_err_t
reel_final_cancel(reel_store_t *s, const char *job)
{
    bool               over;
    char               asset[27];
    uint32_t           publication;
    reel_key_t         key;
    reel_err_t         err;
    reel_multipart_t  *lock = NULL;

    err = job_parts(job, asset, &publication);
    if (err == REEL_OK) {
        err = reel_key_cancel(key, reel_str(asset), publication);
    }
    if (err == REEL_OK) {
        err = reel_final_tombstone(s, asset, &over);
    }
    if (err == REEL_OK && !over) {
        err = reel_final_lock(s, asset, false, &lock);
        if (err == REEL_NOTFOUND) {
            over = true;
            err = REEL_OK;

        } else if (err == REEL_OK) {
            err = cancel_asset(s, asset, publication, &over);
        }
        reel_multipart_close(lock);
    }

    return err == REEL_OK && over ? reel_store_del(s, key) : err;
}

/*
 * What an upload finds in the store before its body is read (docs/store.md):
 * an earlier answer to be replayed, an id that is taken, what a crash left
 * behind; else its bytes are staged.  In the thread pool.
 */

#include "ngx_module/ngx_http_reel_upload.h"


/* a source without a request is a crash's when it is older, s */
#define NGX_HTTP_REEL_LEFTOVER  60


static reel_err_t ngx_http_reel_requeue(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_find_fixed(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_resume(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_stands(ngx_http_reel_upload_t *up,
    const char *part, reel_store_stat_t *st);
static reel_err_t ngx_http_reel_load_request(ngx_http_reel_upload_t *up);
static reel_err_t ngx_http_reel_stage(ngx_http_reel_upload_t *up);


void
ngx_http_reel_upload_prepare(void *data, ngx_log_t *log)
{
    ngx_http_reel_upload_t  *up = data;

    up->err = ngx_http_reel_upload_replay(up);

    if (up->err == REEL_NOTFOUND && up->fixed) {
        up->err = ngx_http_reel_find_fixed(up);
    }

    if (up->err == REEL_NOTFOUND) {
        up->prepared = NGX_HTTP_REEL_UPLOAD_FRESH;
        up->err = ngx_http_reel_stage(up);
    }

    if (up->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s: cannot begin: %s",
                      up->asset, reel_err_name(up->err));
    }
}


/* REEL_OK: names/<hash> stands and its job is queued; else REEL_NOTFOUND */
reel_err_t
ngx_http_reel_upload_replay(ngx_http_reel_upload_t *up)
{
    reel_buf_t  b;
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_name(key, reel_str(up->name_hash));
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(up->store, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_named_parse(&up->named, (char *) b.data, b.len, NULL);
    reel_buf_release(&b);

    if (err != REEL_OK) {
        /* a broken record must not make a second asset */
        return REEL_IO;
    }

    return ngx_http_reel_requeue(up);
}


/* a crash may have come between the name and the outbox */
static reel_err_t
ngx_http_reel_requeue(ngx_http_reel_upload_t *up)
{
    reel_err_t         err;
    reel_store_stat_t  st;

    up->prepared = NGX_HTTP_REEL_UPLOAD_REPLAY;
    ngx_memcpy(up->asset, up->named.asset, sizeof(up->asset));

    err = ngx_http_reel_stands(up, REEL_PART_RESULT, &st);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_stands(up, REEL_PART_TOMBSTONE, &st);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_load_request(up);
    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_IO : err;
    }

    up->resubmit = 1;

    return ngx_http_reel_upload_put_pending(up);
}


/*
 * reel-asset was signed and no name stands.  REEL_NOTFOUND: the id is free;
 * REEL_OK: it is another's, or an earlier try of this very upload got as far
 * as its request and is brought to its end now.
 */
static reel_err_t
ngx_http_reel_find_fixed(ngx_http_reel_upload_t *up)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_store_stat_t  st;

    up->prepared = NGX_HTTP_REEL_UPLOAD_TAKEN;

    err = ngx_http_reel_stands(up, REEL_PART_TOMBSTONE, &st);
    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_stands(up, REEL_PART_REQUEST, &st);
    if (err == REEL_OK) {
        return ngx_http_reel_resume(up);
    }

    if (err != REEL_NOTFOUND) {
        return err;
    }

    err = ngx_http_reel_stands(up, REEL_PART_SOURCE, &st);
    if (err != REEL_OK) {
        return err;
    }

    /*
     * a source alone: the next write of its upload follows within
     * milliseconds, or never
     */
    if (time(NULL) - st.mtime_ns / 1000000000 < NGX_HTTP_REEL_LEFTOVER) {
        return REEL_EXISTS;
    }

    err = reel_key_asset_part(key, reel_str(up->asset), REEL_PART_SOURCE);

    if (err == REEL_OK) {
        err = reel_store_del(up->store, key);
    }

    return err == REEL_OK ? REEL_NOTFOUND : err;
}


/* uploads/<id>/state tells whose request stands: it holds the name's hash */
static reel_err_t
ngx_http_reel_resume(ngx_http_reel_upload_t *up)
{
    bool        ours;
    reel_buf_t  b;
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_upload(key, reel_str(up->asset), "state");
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(up->store, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_OK : err;
    }

    ours = reel_str_eqz((reel_str_t) { (char *) b.data, b.len },
                        up->name_hash);
    reel_buf_release(&b);

    if (!ours) {
        return REEL_OK;
    }

    err = ngx_http_reel_load_request(up);

    if (err == REEL_OK) {
        err = ngx_http_reel_upload_put_name(up);
    }

    if (err == REEL_OK) {
        err = ngx_http_reel_requeue(up);
    }

    if (err == REEL_OK) {
        ngx_http_reel_upload_drop_state(up);
    }

    return err;
}


static reel_err_t
ngx_http_reel_stands(ngx_http_reel_upload_t *up, const char *part,
    reel_store_stat_t *st)
{
    reel_err_t  err;
    reel_key_t  key;

    err = reel_key_asset_part(key, reel_str(up->asset), part);
    if (err != REEL_OK) {
        return err;
    }

    return reel_store_stat(up->store, key, st);
}


/* the facts of up->asset as they were first told, for its job */
static reel_err_t
ngx_http_reel_load_request(ngx_http_reel_upload_t *up)
{
    reel_buf_t      b;
    reel_err_t      err;
    reel_key_t      key;
    reel_request_t  rq;

    err = reel_key_asset_part(key, reel_str(up->asset), REEL_PART_REQUEST);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(up->store, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_request_parse(&rq, (char *) b.data, b.len, NULL);
    reel_buf_release(&b);

    if (err != REEL_OK) {
        return REEL_IO;
    }

    up->offset = rq.size;
    up->record.created_ms = rq.created_ms;

    err = reel_str_copy(up->pipeline, sizeof(up->pipeline),
                        reel_str(rq.pipeline));
    up->record.pipeline = up->pipeline;

    reel_request_release(&rq);

    return err;
}


static reel_err_t
ngx_http_reel_stage(ngx_http_reel_upload_t *up)
{
    reel_err_t  err;
    reel_key_t  key;

    if (up->expect[0]) {
        up->sha256 = reel_sha256_new();
        if (up->sha256 == NULL) {
            return REEL_NOMEM;
        }
    }

    err = reel_key_upload(key, reel_str(up->asset), "state");
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(up->store, key, up->name_hash,
                                       ngx_strlen(up->name_hash));
        err = err == REEL_EXISTS ? REEL_OK : err;
    }

    if (err == REEL_OK) {
        err = reel_key_upload(key, reel_str(up->asset), up->nonce);
    }

    if (err == REEL_OK) {
        err = reel_multipart_create(up->store, key, up->length,
                                    &up->multipart);
        if (err != REEL_OK) {
            ngx_http_reel_upload_drop_state(up);
        }
    }

    return err;
}

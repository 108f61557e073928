/*
 * The upload door, PutObject: prepare (thread pool) -> read the body -> write
 * it (thread pool) -> ... -> publish (thread pool) -> answer.
 *
 * A request owns two buffers: while one is being written, the other is read
 * into.  When that is full too, nothing is read until the disk has caught up,
 * so the disk holds back the socket, and memory stays flat at any size.
 */

#include "ngx_module/ngx_http_reel_upload.h"


static void ngx_http_reel_put_cleanup(void *data);
static void ngx_http_reel_put_prepared(ngx_http_request_t *r, void *data);
static void ngx_http_reel_put_body(ngx_http_request_t *r);
static void ngx_http_reel_put_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_put_fill(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_uint_t ngx_http_reel_put_full(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_put_take(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_put_swap(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_put_write(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static void ngx_http_reel_put_written(ngx_http_request_t *r, void *data);
static void ngx_http_reel_put_published(ngx_http_request_t *r, void *data);
static ngx_int_t ngx_http_reel_put_answer(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static void ngx_http_reel_put_broken(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_int_t rc);
static void ngx_http_reel_put_failed(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static void ngx_http_reel_put_refuse(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_uint_t status, const char *code,
    const char *detail);
static void ngx_http_reel_put_abort(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_int_t rc);
static void ngx_http_reel_put_aborted(ngx_http_request_t *r, void *data);


ngx_int_t
ngx_http_reel_upload_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_put_t       *put;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_reel_preflight(r, "PUT, OPTIONS");
    }

    if (r->method != NGX_HTTP_PUT) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_NOT_ALLOWED,
                                   "MethodNotAllowed",
                                   "only PUT uploads here", 0);
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ctx = ngx_http_reel_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_put_t));
    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    put = cln->data;
    ngx_memzero(put, sizeof(ngx_http_reel_put_t));
    cln->handler = ngx_http_reel_put_cleanup;
    ctx->data = put;

    put->up.store = rlcf->store;

    if (ngx_array_init(&put->up.pieces, r->pool, 16, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_auth(r, NGX_HTTP_REEL_S3, 0, NULL, &put->auth);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    rc = ngx_http_reel_upload_params(r, put);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    put->busy = 1;

    if (ngx_http_reel_task_post(r, ngx_http_reel_upload_prepare,
                                ngx_http_reel_put_prepared, put)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


/* only for requests that end while no pool work can be posted any more */
static void
ngx_http_reel_put_cleanup(void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_http_reel_upload_abort(&put->up, ngx_cycle->log);
}


static void
ngx_http_reel_put_prepared(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_int_t  rc;

    put->busy = 0;

    if (put->up.err != REEL_OK) {
        ngx_http_reel_put_failed(r, put);
        return;
    }

    if (put->up.prepared == NGX_HTTP_REEL_UPLOAD_TAKEN) {
        ngx_http_reel_put_refuse(r, put, NGX_HTTP_CONFLICT,
                                 "OperationAborted", "the asset of "
                                 "reel-asset exists already");
        return;
    }

    if (put->up.prepared == NGX_HTTP_REEL_UPLOAD_REPLAY) {

        if (r->headers_in.expect) {
            /* this is the answer; the body is not wanted */
            r->expect_tested = 1;
            r->keepalive = 0;
        }

        rc = ngx_http_discard_request_body(r);
        if (rc == NGX_OK) {
            rc = ngx_http_reel_put_answer(r, put);
        }

        ngx_http_finalize_request(r, rc);
        return;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_reel_put_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_reel_put_broken(r, put, rc);
        return;
    }

    /* gives back the reference that the content handler took */
    ngx_http_finalize_request(r, NGX_DONE);
}


static void
ngx_http_reel_put_body(ngx_http_request_t *r)
{
    ngx_http_reel_put_read(r);
}


/* reads until there is nothing to read, or no room */
static void
ngx_http_reel_put_read(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_reel_put_t  *put;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    put = ctx->data;

    if (put->failing) {
        return;
    }

    r->read_event_handler = ngx_http_reel_put_read;

    do {
        rc = ngx_http_reel_put_fill(r, put);

    } while (rc == NGX_OK);

    if (rc != NGX_DONE) {
        ngx_http_reel_put_broken(r, put, rc);
    }
}


/*
 * NGX_OK: a buffer went to the pool, there is room again; NGX_DONE: wait for
 * the socket or the pool, or it ended otherwise; else an error.
 */
static ngx_int_t
ngx_http_reel_put_fill(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_int_t  rc;

    while (r->reading_body && !ngx_http_reel_put_full(r)) {

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        if (rc == NGX_AGAIN) {
            break;
        }
    }

    if (put->busy) {
        if (!r->reading_body || ngx_http_reel_put_full(r)) {
            /* the pool's end goes on from here */
            r->read_event_handler = ngx_http_block_reading;
        }

        return NGX_DONE;
    }

    if (r->reading_body && !ngx_http_reel_put_full(r)) {
#if (NGX_HTTP_V2)
        /* its window opens as data is taken */
        if (r->stream == NULL || r->request_body->bufs == NULL)
#endif
        {
            return NGX_DONE;
        }
    }

    return ngx_http_reel_put_write(r, put);
}


/*
 * HTTP/2 bounds what comes by the stream's window, and its buffer may hold
 * bytes that the core has not passed on yet: there it never counts as full.
 */
static ngx_uint_t
ngx_http_reel_put_full(ngx_http_request_t *r)
{
    ngx_http_request_body_t  *rb;

#if (NGX_HTTP_V2)
    if (r->stream) {
        return 0;
    }
#endif

    rb = r->request_body;

    return rb->bufs && rb->buf && rb->buf->last == rb->buf->end;
}


/* posts what was read; the last of the body together with its publication */
static ngx_int_t
ngx_http_reel_put_write(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    const char  *detail;

    if (ngx_http_reel_put_take(r, put) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (put->max && put->received > put->max) {
        detail = ngx_http_reel_upload_too_large(r, put);
        if (detail == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_reel_put_refuse(r, put, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                 "EntityTooLarge", detail);
        return NGX_DONE;
    }

    put->busy = 1;

    if (!r->reading_body) {
        r->read_event_handler = ngx_http_block_reading;

        if (ngx_http_reel_task_post(r, ngx_http_reel_upload_publish,
                                    ngx_http_reel_put_published, put)
            == NGX_OK)
        {
            return NGX_DONE;
        }

    } else if (ngx_http_reel_put_swap(r, put) == NGX_OK
               && ngx_http_reel_task_post(r, ngx_http_reel_upload_write,
                                          ngx_http_reel_put_written, put)
                  == NGX_OK)
    {
        return NGX_OK;
    }

    put->busy = 0;

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * Notes where the bytes lie and tells the core that they are consumed: it
 * then goes on with the buffer that ngx_http_reel_put_swap gives it.
 */
static ngx_int_t
ngx_http_reel_put_take(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_str_t                *piece;
    ngx_chain_t              *cl, *next;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    put->up.pieces.nelts = 0;

    for (cl = rb ? rb->bufs : NULL; cl; cl = next) {
        next = cl->next;

        if (cl->buf->last != cl->buf->pos) {
            piece = ngx_array_push(&put->up.pieces);
            if (piece == NULL) {
                return NGX_ERROR;
            }

            piece->data = cl->buf->pos;
            piece->len = cl->buf->last - cl->buf->pos;
            put->received += piece->len;
        }

        cl->buf->pos = cl->buf->last;
        ngx_free_chain(r->pool, cl);

        rb->bufs = next;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_swap(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_buf_t                *b;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;
    b = put->spare;

    if (b == NULL) {
        b = ngx_create_temp_buf(r->pool, rb->buf->end - rb->buf->start);
        if (b == NULL) {
            return NGX_ERROR;
        }
    }

    b->pos = b->start;
    b->last = b->start;

    put->spare = rb->buf;
    rb->buf = b;

    return NGX_OK;
}


static void
ngx_http_reel_put_written(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    put->busy = 0;

    if (put->failing) {
        ngx_http_reel_put_abort(r, put, put->rc);

    } else if (put->up.err != REEL_OK) {
        ngx_http_reel_put_failed(r, put);

    } else if (r->connection->error) {
        ngx_http_reel_put_broken(r, put, NGX_ERROR);

    } else {
        ngx_http_reel_put_read(r);
    }
}


static void
ngx_http_reel_put_published(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    put->busy = 0;

    if (put->up.err == REEL_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_put_answer(r, put));
        return;
    }

    if (put->up.mismatch) {
        ngx_http_reel_put_refuse(r, put, NGX_HTTP_BAD_REQUEST,
                                 "XAmzContentSHA256Mismatch",
                                 "the body's SHA-256 is not the signed one");
        return;
    }

    ngx_http_reel_put_failed(r, put);
}


static ngx_int_t
ngx_http_reel_put_answer(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_str_t                  asset, etag, empty;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_upload_t    *up;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    up = &put->up;

    asset.data = (u_char *) up->named.asset;
    asset.len = REEL_ULID_LEN;
    ctx->asset = asset;

    etag.data = (u_char *) up->named.etag;
    etag.len = ngx_strlen(up->named.etag);

    ngx_str_null(&empty);

    if (up->prepared == NGX_HTTP_REEL_UPLOAD_FRESH || up->resubmit) {
        ngx_http_reel_job_submit(rlcf, up->named.asset, 1,
                                 up->record.project, up->record.pipeline,
                                 up->record.created_ms);
    }

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "ETag", &etag) != NGX_OK
        || ngx_http_reel_add_header(r, "reel-asset", &asset) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_send(r, NGX_HTTP_OK, "text/plain", &empty);
}


/* the core gave up reading: the client is gone, too slow or sends nonsense */
static void
ngx_http_reel_put_broken(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_int_t rc)
{
    if (rc == NGX_HTTP_BAD_REQUEST && !r->connection->error) {
        ngx_http_reel_put_refuse(r, put, rc, "InvalidRequest",
                                 "the body is not framed as its headers say");
        return;
    }

    ngx_http_reel_put_abort(r, put, rc);
}


/* the store said no */
static void
ngx_http_reel_put_failed(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    put->retryable = 1;

    switch (put->up.err) {

    case REEL_NOSPACE:
        ngx_http_reel_put_refuse(r, put, NGX_HTTP_INSUFFICIENT_STORAGE,
                                 "InsufficientStorage", "the server's disk "
                                 "is full; nothing was stored");
        return;

    case REEL_EXISTS:
        ngx_http_reel_put_refuse(r, put, NGX_HTTP_CONFLICT,
                                 "OperationAborted", "another upload makes "
                                 "this asset just now");
        return;

    default:
        ngx_http_reel_put_refuse(r, put, NGX_HTTP_INTERNAL_SERVER_ERROR,
                                 "InternalError", "the store failed; nothing "
                                 "was published, try again");
    }
}


static void
ngx_http_reel_put_refuse(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_uint_t status, const char *code, const char *detail)
{
    put->status = status;
    put->code = code;
    put->detail = detail;

    ngx_http_reel_put_abort(r, put, NGX_OK);
}


/* first what is staged goes, then the client hears why */
static void
ngx_http_reel_put_abort(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_int_t rc)
{
    put->failing = 1;
    put->rc = rc;

    r->read_event_handler = ngx_http_block_reading;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    if (put->busy) {
        return;
    }

    if (put->up.multipart
        && ngx_http_reel_task_post(r, ngx_http_reel_upload_abort,
                                   ngx_http_reel_put_aborted, put)
           == NGX_OK)
    {
        return;
    }

    /* else the pool's cleanup removes what is staged */
    ngx_http_reel_put_aborted(r, put);
}


static void
ngx_http_reel_put_aborted(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_int_t  rc;

    rc = put->rc;

    if (put->status) {
        rc = ngx_http_reel_error(r, NGX_HTTP_REEL_S3, put->status, put->code,
                                 put->detail, put->retryable);
    }

    ngx_http_finalize_request(r, rc);
}

/* the pump of an upload's body: see ngx_http_reel_body.h */

#include "ngx_module/ngx_http_reel_body.h"


static ngx_http_reel_body_t *ngx_http_reel_body_of(ngx_http_request_t *r);
static void ngx_http_reel_body_begin(ngx_http_request_t *r);
static void ngx_http_reel_body_event(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_body_fill(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
static ngx_uint_t ngx_http_reel_body_full(ngx_http_request_t *r);
static void ngx_http_reel_body_wait(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_body_post(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
static ngx_int_t ngx_http_reel_body_take(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
static ngx_int_t ngx_http_reel_body_swap(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
static void ngx_http_reel_body_flush(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
static void ngx_http_reel_body_written(ngx_http_request_t *r, void *data);
static void ngx_http_reel_body_flushed(ngx_http_request_t *r, void *data);
static void ngx_http_reel_body_end(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);


void
ngx_http_reel_body_read(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_int_t             rc;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    ctx->body = body;

    if (ngx_array_init(&body->pieces, r->pool, 16, sizeof(ngx_str_t))
        != NGX_OK)
    {
        ngx_http_reel_body_stop(r, body, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_reel_body_begin);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_reel_body_stop(r, body, rc);
        return;
    }

    /* gives back the reference that the content handler took */
    ngx_http_finalize_request(r, NGX_DONE);
}


static ngx_http_reel_body_t *
ngx_http_reel_body_of(ngx_http_request_t *r)
{
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    return ctx->body;
}


static void
ngx_http_reel_body_begin(ngx_http_request_t *r)
{
    ngx_http_reel_body_t     *body;
    ngx_http_request_body_t  *rb;

    body = ngx_http_reel_body_of(r);
    rb = r->request_body;

    if (r->reading_body && rb->buf) {
        body->size = rb->buf->end - rb->buf->start;
        body->direct = ngx_http_reel_pull_may(r, body);
    }

    ngx_http_reel_body_event(r);
}


/* reads until there is nothing to read, or no room */
static void
ngx_http_reel_body_event(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_reel_body_t  *body;

    body = ngx_http_reel_body_of(r);

    if (body->stopped) {
        return;
    }

    r->read_event_handler = ngx_http_reel_body_event;

    do {
        rc = ngx_http_reel_body_fill(r, body);

    } while (rc == NGX_OK);

    if (rc == NGX_DONE && body->draining
        && (body->dry
            || (ngx_msec_int_t) (ngx_current_msec - body->deadline) >= 0))
    {
        rc = body->rc;
    }

    if (rc == NGX_DONE && body->leave && !body->last
        && (ngx_exiting || ngx_terminate))
    {
        rc = NGX_DECLINED;
    }

    if (rc != NGX_DONE) {
        ngx_http_reel_body_stop(r, body, rc);
    }
}


/*
 * NGX_OK: a buffer went to the pool, there is room again; NGX_DONE: wait for
 * the socket or the pool; else why reading ends.
 */
static ngx_int_t
ngx_http_reel_body_fill(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_int_t  rc;

    body->dry = 0;

    while (r->reading_body && !ngx_http_reel_body_full(r)) {

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        if (rc == NGX_AGAIN) {
            /* so it says of a full buffer, too */
            body->dry = !ngx_http_reel_body_full(r);
            break;
        }
    }

    if (body->busy) {
        if (!r->reading_body || ngx_http_reel_body_full(r)) {
            ngx_http_reel_body_wait(r);
        }

        return NGX_DONE;
    }

    if (r->reading_body && !ngx_http_reel_body_full(r)) {
#if (NGX_HTTP_V2)
        /* its window opens as data is taken */
        if (r->stream == NULL || r->request_body->bufs == NULL)
#endif
        {
            return NGX_DONE;
        }
    }

    return ngx_http_reel_body_post(r, body);
}


/*
 * HTTP/2 bounds what comes by the stream's window, and its buffer may hold
 * bytes that the core has not passed on yet: there it never counts as full.
 */
static ngx_uint_t
ngx_http_reel_body_full(ngx_http_request_t *r)
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


/*
 * The pool's end goes on from here.  No event of the socket until then: each
 * packet would wake the loop for nothing.  The next read that finds nothing
 * asks for them again, so one must follow.
 */
static void
ngx_http_reel_body_wait(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->read_event_handler = ngx_http_block_reading;

    if (!r->reading_body || r->http_version >= NGX_HTTP_VERSION_20) {
        return;
    }

    rev = r->connection->read;

    if ((ngx_event_flags & NGX_USE_CLEAR_EVENT) && rev->active
        && ngx_del_event(rev, NGX_READ_EVENT, 0) == NGX_OK)
    {
        rev->ready = 1;
        rev->available = -1;
    }
}


/* posts what was read; the last of the body with what follows it */
static ngx_int_t
ngx_http_reel_body_post(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    if (ngx_http_reel_body_take(r, body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (body->received > body->max) {
        body->pieces.nelts = 0;
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    body->busy = 1;

    if (!r->reading_body) {
        r->read_event_handler = ngx_http_block_reading;
        body->last = 1;

        if (ngx_http_reel_task_post(r, body->finish,
                                    ngx_http_reel_body_written, body->data)
            == NGX_OK)
        {
            return NGX_DONE;
        }

        body->last = 0;

    } else if (body->direct) {
        ngx_http_reel_pull_begin(r, body);
        ngx_http_reel_body_wait(r);

        if (ngx_http_reel_task_post(r, ngx_http_reel_pull_work,
                                    ngx_http_reel_body_written, body)
            == NGX_OK)
        {
            return NGX_DONE;
        }

    } else if (ngx_http_reel_body_swap(r, body) == NGX_OK
               && ngx_http_reel_task_post(r, body->write,
                                          ngx_http_reel_body_written,
                                          body->data)
                  == NGX_OK)
    {
        return NGX_OK;
    }

    body->busy = 0;

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * Notes where the bytes lie and tells the core that they are consumed: it
 * then goes on with the buffer that ngx_http_reel_body_swap gives it.
 */
static ngx_int_t
ngx_http_reel_body_take(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_chain_t              *cl, *next;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    body->pieces.nelts = 0;

    if (ngx_http_reel_body_piece(body, body->start, body->held) != NGX_OK) {
        return NGX_ERROR;
    }

    body->held = 0;

    for (cl = rb ? rb->bufs : NULL; cl; cl = next) {
        next = cl->next;

        if (ngx_http_reel_body_piece(body, cl->buf->pos,
                                     cl->buf->last - cl->buf->pos)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        cl->buf->pos = cl->buf->last;
        ngx_free_chain(r->pool, cl);

        rb->bufs = next;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_body_piece(ngx_http_reel_body_t *body, u_char *data, size_t len)
{
    ngx_str_t  *piece;

    if (len == 0) {
        return NGX_OK;
    }

    piece = body->pieces.elts;
    piece += body->pieces.nelts;

    if (body->pieces.nelts && piece[-1].data + piece[-1].len == data) {
        piece[-1].len += len;

    } else {
        piece = ngx_array_push(&body->pieces);
        if (piece == NULL) {
            return NGX_ERROR;
        }

        piece->data = data;
        piece->len = len;
    }

    body->received += len;
    body->unflushed += len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_body_swap(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_buf_t                *b;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;
    b = body->spare;

    if (b == NULL) {
        b = ngx_create_temp_buf(r->pool, body->size);
        if (b == NULL) {
            return NGX_ERROR;
        }
    }

    b->pos = b->start;
    b->last = b->start;

    body->spare = rb->buf;
    rb->buf = b;

    return NGX_OK;
}


/* what was written so far goes on to the disk while more is read */
static void
ngx_http_reel_body_flush(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    if (body->flush == NULL || body->flushing
        || body->unflushed < body->flush_size)
    {
        return;
    }

    if (ngx_http_reel_task_post(r, body->flush, ngx_http_reel_body_flushed,
                                body->data)
        == NGX_OK)
    {
        body->flushing = 1;
        body->unflushed = 0;
    }
}


static void
ngx_http_reel_body_written(ngx_http_request_t *r, void *data)
{
    ngx_int_t              rc;
    ngx_http_reel_body_t  *body;

    body = ngx_http_reel_body_of(r);

    if (body->direct && !body->last) {
        ngx_http_reel_pull_end(r, body);
    }

    if (body->stopped || body->last) {
        body->busy = 0;
        ngx_http_reel_body_end(r, body);
        return;
    }

    rc = body->written(body->data);

    body->busy = 0;

    if (rc == NGX_OK && r->connection->error) {
        rc = NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_http_reel_body_stop(r, body, rc);
        return;
    }

    ngx_http_reel_body_flush(r, body);
    ngx_http_reel_body_event(r);
}


static void
ngx_http_reel_body_flushed(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_body_t  *body;

    body = ngx_http_reel_body_of(r);

    body->flushing = 0;

    if (body->stopped || body->last) {
        ngx_http_reel_body_end(r, body);
    }
}


void
ngx_http_reel_body_stop(ngx_http_request_t *r, ngx_http_reel_body_t *body,
    ngx_int_t rc)
{
    if (body->stopped || body->last) {
        return;
    }

    body->stopped = 1;
    body->halt = 1;
    body->rc = rc;

    r->read_event_handler = ngx_http_block_reading;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    ngx_http_reel_body_end(r, body);
}


void
ngx_http_reel_body_drain(ngx_http_request_t *r, ngx_http_reel_body_t *body,
    ngx_int_t rc, ngx_msec_t ms)
{
    if (body->stopped || body->last || body->draining) {
        return;
    }

    body->draining = 1;
    body->halt = 1;
    body->deadline = ngx_current_msec + ms;
    body->rc = rc;

    if (!body->busy) {
        ngx_http_reel_body_event(r);
    }
}


/* once the pool is done with the request; first what is to be kept */
static void
ngx_http_reel_body_end(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    if (body->busy || body->flushing) {
        return;
    }

    if (body->last) {
        body->finished(r, body->data);
        return;
    }

    if (body->keep) {
        body->keep = 0;

        if (ngx_http_reel_body_take(r, body) == NGX_OK
            && body->pieces.nelts && body->received <= body->max
            && ngx_http_reel_task_post(r, body->write,
                                       ngx_http_reel_body_written,
                                       body->data)
               == NGX_OK)
        {
            body->busy = 1;
            return;
        }
    }

    body->broken(r, body->data, body->rc);
}

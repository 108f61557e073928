/* answers that are made while they are sent: see ngx_http_reel_stream.h */

#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_stream.h"

#include <sys/mman.h>

/* bytes of one stream a turn of the event loop */
#define SHARE_STREAM  (256 * 1024)

/* to begin costs as much as so many */
#define BEGIN_COST    (128 * 1024)

/* mapped once, never written and hardly ever read */
#define HOLE          (16 * 1024 * 1024)

static void go_on(void *data);
static void run(ngx_http_reel_stream_t *s);
static void finish(ngx_http_reel_stream_t *s, ngx_int_t rc);
static ngx_int_t begin(ngx_http_reel_stream_t *s);
static ngx_int_t range(ngx_http_reel_stream_t *s);
static ngx_int_t parse_range(ngx_str_t *value, off_t *first, off_t *last);
static ngx_int_t skip(ngx_http_reel_stream_t *s, off_t n);
static void writer(ngx_http_request_t *r);
static void flush(ngx_http_reel_stream_t *s);
static void send_more(ngx_http_reel_stream_t *s);
static ngx_int_t fill(ngx_http_reel_stream_t *s);
static void wait_for_socket(ngx_http_reel_stream_t *s);
static void cleanup(void *data);


ngx_int_t
ngx_http_reel_stream_start(ngx_http_request_t *r, ngx_http_reel_stream_t *s)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = cleanup;
    cln->data = s;

    s->play->out = s;
    s->request = r;

    s->turn.request = r;
    s->turn.handler = go_on;
    s->turn.data = s;

    r->main->count++;
    run(s);

    return NGX_DONE;
}


static void
cleanup(void *data)
{
    ngx_http_reel_stream_t *s = data;

    ngx_http_reel_turn_leave(&s->turn);
    ngx_http_reel_stream_drop_read(s);

    if (s->start) {
        ngx_http_reel_buffer_put(s->start);
    }
}


void
ngx_http_reel_stream_resume(ngx_http_reel_stream_t *s)
{
    run(s);
}


/* in another turn */
static void
go_on(void *data)
{
    ngx_http_reel_stream_t *s = data;

    if (s->started) {
        flush(s);

    } else {
        run(s);
    }
}


/* as far as it goes now */
static void
run(ngx_http_reel_stream_t *s)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = s->request;

    if (s->started) {
        send_more(s);
        return;
    }

    if (ngx_http_reel_turn_over()) {
        ngx_http_reel_turn_wait(&s->turn);
        return;
    }

    rc = s->ops->prepare(s);

    if (rc == NGX_AGAIN) {
        return;
    }

    rc = (rc == NGX_OK) ? begin(s)
         : s->window ? ngx_http_reel_remote_failed(s, rc)
                     : ngx_http_reel_object_refuse(r, rc);

    if (rc != NGX_DECLINED) {
        finish(s, rc);
        return;
    }

    s->started = 1;
    send_more(s);
}


/* the request does not end before its subrequests do */
static void
finish(ngx_http_reel_stream_t *s, ngx_int_t rc)
{
    ngx_http_reel_remote_leave(s);
    ngx_http_finalize_request(s->request, rc);
}


/* sends the headers; NGX_DECLINED: a body is to follow */
static ngx_int_t
begin(ngx_http_reel_stream_t *s)
{
    ngx_int_t            rc;
    ngx_str_t            etag;
    ngx_http_request_t  *r;

    r = s->request;

    ngx_http_reel_turn_spend(BEGIN_COST);

    if (ngx_http_reel_play_etag(r, s->play, s->what, 0, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, s->play, s->length, &etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (s->length == NGX_HTTP_REEL_LENGTH_UNKNOWN) {
        r->headers_out.content_length_n = -1;
        r->allow_ranges = 0;
    }

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    s->buf = ngx_calloc_buf(r->pool);
    s->start = ngx_http_reel_buffer_get(r->connection->log);

    if (s->buf == NULL || s->start == NULL) {
        return NGX_ERROR;
    }

    s->buf->start = s->start;
    s->buf->end = s->start + NGX_HTTP_REEL_STREAM_BUFFER;
    s->buf->pos = s->buf->last = s->start;
    s->buf->temporary = 1;
    s->end = s->length;

    r->write_event_handler = writer;
    r->read_event_handler = ngx_http_test_reading;

    return range(s);
}


/*
 * The range filter cuts the wanted bytes out of the whole.  What lies before
 * them is not made: in its place goes a hole of the same length.
 */
static ngx_int_t
range(ngx_http_reel_stream_t *s)
{
    off_t                first, last;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = s->request;
    h = r->headers_out.content_range;

    if (r->headers_out.status != NGX_HTTP_PARTIAL_CONTENT || h == NULL
        || parse_range(&h->value, &first, &last) != NGX_OK
        || last >= s->length)
    {
        return NGX_DECLINED;
    }

    s->end = last + 1;
    s->pos = s->ops->seek(s, first);

    return skip(s, s->pos);
}


/* "bytes <first>-<last>/<length>" */
static ngx_int_t
parse_range(ngx_str_t *value, off_t *first, off_t *last)
{
    u_char  *p, *dash, *slash, *end;

    p = value->data + sizeof("bytes ") - 1;
    end = value->data + value->len;

    if (value->len < sizeof("bytes ") - 1) {
        return NGX_DECLINED;
    }

    dash = ngx_strlchr(p, end, '-');
    slash = ngx_strlchr(p, end, '/');

    if (dash == NULL || slash == NULL || dash > slash) {
        return NGX_DECLINED;
    }

    *first = ngx_atoof(p, dash - p);
    *last = ngx_atoof(dash + 1, slash - dash - 1);

    return (*first < 0 || *last < *first) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
skip(ngx_http_reel_stream_t *s, off_t n)
{
    size_t       size;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    static u_char  *hole;

    if (n && hole == NULL) {
        hole = mmap(NULL, HOLE, PROT_READ, MAP_PRIVATE|MAP_ANON, -1, 0);

        if (hole == MAP_FAILED) {
            hole = NULL;
            return NGX_ERROR;
        }
    }

    for ( /* void */ ; n; n -= size) {
        b = ngx_calloc_buf(s->request->pool);
        if (b == NULL) {
            return NGX_ERROR;
        }

        size = (size_t) ngx_min(n, HOLE);

        b->pos = hole;
        b->last = hole + size;
        b->memory = 1;

        out.buf = b;
        out.next = NULL;

        if (ngx_http_output_filter(s->request, &out) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


static void
writer(ngx_http_request_t *r)
{
    ngx_event_t             *wev;
    ngx_http_reel_ctx_t     *ctx;
    ngx_http_reel_play_t    *p;
    ngx_http_reel_stream_t  *s;

    wev = r->connection->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (ngx_http_reel_socket_timed_out(r)) {
        return;
    }

    p = ctx->data;
    s = p->out;

    if (s->reading || s->turn.waits) {
        return;
    }

    if (wev->delayed) {
        wait_for_socket(s);
        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    if (ngx_http_reel_turn_over()) {
        ngx_http_reel_turn_wait(&s->turn);
        return;
    }

    flush(s);
}


/* what the socket did not take when it was made */
static void
flush(ngx_http_reel_stream_t *s)
{
    size_t               left;
    ngx_http_request_t  *r;

    r = s->request;
    left = s->buf->last - s->buf->pos;

    if (left || r->buffered || r->connection->buffered) {
        if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }

        left -= s->buf->last - s->buf->pos;
        ngx_http_reel_turn_spend(left);
    }

    send_more(s);
}


static void
send_more(ngx_http_reel_stream_t *s)
{
    ngx_int_t            rc;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = s->request;
    s->share = SHARE_STREAM;

    for ( ;; ) {

        if (s->buf->pos != s->buf->last || r->connection->write->delayed) {
            wait_for_socket(s);
            return;
        }

        if (s->share == 0 || ngx_http_reel_turn_over()) {
            ngx_http_reel_turn_wait(&s->turn);
            return;
        }

        rc = fill(s);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc != NGX_OK) {
            /* too late for another answer: cut it short */
            finish(s, NGX_ERROR);
            return;
        }

        out.buf = s->buf;
        out.next = NULL;

        rc = ngx_http_output_filter(r, &out);

        if (rc == NGX_ERROR || s->pos >= s->end) {
            finish(s, rc);
            return;
        }
    }
}


static ngx_int_t
fill(ngx_http_reel_stream_t *s)
{
    size_t      n;
    ngx_int_t   rc;
    ngx_buf_t  *b;

    rc = s->ops->produce(s, s->start, NGX_HTTP_REEL_STREAM_BUFFER, &n);
    if (rc != NGX_OK) {
        return rc;
    }

    /* what is left of it is read again: it is little */
    ngx_http_reel_stream_drop_read(s);

    s->pos += n;
    s->share -= ngx_min(s->share, n);
    ngx_http_reel_turn_spend(n);

    b = s->buf;
    b->pos = s->start;
    b->last = s->start + n;

    /* without it a short one is kept back, and with it the buffer */
    b->flush = 1;

    if (s->pos >= s->length) {
        b->last_buf = (s->request == s->request->main);
        b->last_in_chain = 1;
    }

    return NGX_OK;
}


static void
wait_for_socket(ngx_http_reel_stream_t *s)
{
    if (ngx_http_reel_socket_wait(s->request) != NGX_OK) {
        ngx_http_finalize_request(s->request, NGX_ERROR);
    }
}

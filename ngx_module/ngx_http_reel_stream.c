/* answers that are made while they are sent: see ngx_http_reel_stream.h */

#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_stream.h"

#include <sys/mman.h>

/* bytes of one stream a turn of the event loop */
#define SHARE_STREAM  (256 * 1024)

/* what costs as much as so many: to begin; to read, with what is read */
#define BEGIN_COST    (128 * 1024)
#define READ_COST     (2 * 1024)

/* what the kernel is told to read behind what a thread reads */
#define AHEAD         (1024 * 1024)

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
static u_char *read_buffer(ngx_http_reel_stream_t *s, size_t size);
static ngx_int_t gather_remote(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char **p,
    size_t *len);
static ngx_int_t read_now(ngx_http_reel_stream_t *s, size_t min);
static ngx_int_t read_checked(ngx_http_reel_stream_t *s, ngx_file_t *file,
    size_t min, u_char **p, size_t *n);
static void read_work(void *data, ngx_log_t *log);
static ngx_int_t read_stretch(ngx_http_reel_stream_read_t *rd,
    ngx_http_reel_stretch_t *stretch);
static void read_done(ngx_http_request_t *r, void *data);
static void release_read(ngx_http_reel_stream_t *s);
static ngx_uint_t is_own(ngx_http_reel_stream_t *s);
static void cleanup(void *data);

/* reads that need no thread: used at once, so one for all */
static u_char  *scratch;


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
    release_read(s);

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
    ngx_connection_t        *c;
    ngx_http_reel_ctx_t     *ctx;
    ngx_http_reel_play_t    *p;
    ngx_http_reel_stream_t  *s;

    c = r->connection;
    wev = c->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
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
    release_read(s);

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
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = s->request->connection->write;
    clcf = ngx_http_get_module_loc_conf(s->request, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(s->request, NGX_ERROR);
    }
}


ngx_int_t
ngx_http_reel_stream_read(ngx_http_reel_stream_t *s, ngx_file_t *file,
    off_t offset, size_t min, size_t size, u_char **p, size_t *n)
{
    ngx_http_reel_stretch_t  stretch;

    stretch.offset = offset;
    stretch.size = size;

    return ngx_http_reel_stream_gather(s, file, &stretch, 1, min, p, n);
}


ngx_int_t
ngx_http_reel_stream_gather(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char **p,
    size_t *len)
{
    ngx_uint_t                    i;
    ngx_http_reel_stream_read_t  *rd;

    /* there may be a read for each NAL unit */
    if (!s->started) {
        if (ngx_http_reel_turn_over()) {
            ngx_http_reel_turn_wait(&s->turn);
            return NGX_AGAIN;
        }

        ngx_http_reel_turn_spend(READ_COST);
    }

    if (s->play->place.uri.len) {
        return gather_remote(s, file, stretches, n, min, p, len);
    }

    rd = &s->read;

    if (s->ready && rd->fd == file->fd && rd->n == n
        && rd->one.offset == stretches[0].offset && rd->size >= min
        && (rd->to == NULL || rd->to == rd->buf))
    {
        return read_checked(s, file, min, p, len);
    }

    release_read(s);

    rd->fd = file->fd;
    rd->n = n;
    rd->one = stretches[0];
    rd->stretches = n == 1 ? &rd->one : stretches;
    rd->size = 0;

    for (i = 0; i < n; i++) {
        rd->size += stretches[i].size;
    }

    if (read_now(s, min) == NGX_OK) {
        *p = rd->buf;
        *len = rd->len;
        return NGX_OK;
    }

    rd->buf = rd->to ? rd->to : read_buffer(s, rd->size);
    if (rd->buf == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_reel_task_post(s->request, read_work, read_done, s)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->reading = 1;

    return NGX_AGAIN;
}


/* a copy: it may be changed, and asked for again */
static ngx_int_t
gather_remote(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char **p,
    size_t *len)
{
    size_t      size;
    ngx_uint_t  i;

    size = 0;

    for (i = 0; i < n; i++) {
        size += stretches[i].size;
    }

    release_read(s);

    s->read.buf = s->read.to ? s->read.to : read_buffer(s, size);
    if (s->read.buf == NULL) {
        return NGX_ERROR;
    }

    *p = s->read.buf;

    return ngx_http_reel_remote_gather(s, file, stretches, n, min, *p,
                                       len);
}


/* without waiting for a disk; NGX_DECLINED: that cannot be */
static ngx_int_t
read_now(ngx_http_reel_stream_t *s, size_t min)
{
#ifdef RWF_NOWAIT

    u_char                       *to;
    ssize_t                       n;
    ngx_uint_t                    i;
    struct iovec                  iov;
    ngx_http_reel_stream_read_t  *rd;

    rd = &s->read;

    if (rd->size > NGX_HTTP_REEL_STREAM_BUFFER) {
        return NGX_DECLINED;
    }

    if (rd->to == NULL && scratch == NULL) {
        scratch = ngx_http_reel_buffer_get(s->request->connection->log);
        if (scratch == NULL) {
            return NGX_DECLINED;
        }
    }

    to = rd->to ? rd->to : scratch;
    rd->len = 0;

    for (i = 0; i < rd->n; i++) {
        iov.iov_base = to + rd->len;
        iov.iov_len = rd->stretches[i].size;

        n = preadv2(rd->fd, &iov, 1, rd->stretches[i].offset, RWF_NOWAIT);

        rd->len += ngx_max(n, 0);

        if (n != (ssize_t) iov.iov_len) {
            break;
        }
    }

    if (rd->len >= (ssize_t) min) {
        rd->buf = to;
        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}


static ngx_int_t
read_checked(ngx_http_reel_stream_t *s, ngx_file_t *file, size_t min,
    u_char **p, size_t *n)
{
    ngx_log_t  *log;

    log = s->request->connection->log;

    if (s->read.len == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, s->read.err,
                      "reel: reading \"%V\" at %O failed", &file->name,
                      s->read.one.offset);
        return NGX_ERROR;
    }

    if ((size_t) s->read.len < min) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: object \"%V\" ends at %O, which the index does "
                      "not say", &file->name,
                      s->read.one.offset + s->read.len);
        return NGX_ABORT;
    }

    *p = s->read.buf;
    *n = s->read.len;

    return NGX_OK;
}


/* for a thread, which reads while others use the scratch buffer */
static u_char *
read_buffer(ngx_http_reel_stream_t *s, size_t size)
{
    if (size <= NGX_HTTP_REEL_STREAM_BUFFER) {
        return ngx_http_reel_buffer_get(s->request->connection->log);
    }

    s->large = ngx_alloc(size, s->request->connection->log);

    return s->large;
}


static void
release_read(ngx_http_reel_stream_t *s)
{
    if (s->large) {
        ngx_free(s->large);
        s->large = NULL;

    } else if (s->read.buf && s->read.buf != scratch && !is_own(s)) {
        ngx_http_reel_buffer_put(s->read.buf);
    }

    s->read.buf = NULL;
    s->ready = 0;
}


/* was it read into the stream's buffer? */
static ngx_uint_t
is_own(ngx_http_reel_stream_t *s)
{
    return s->start && s->read.buf >= s->start
           && s->read.buf < s->start + NGX_HTTP_REEL_STREAM_BUFFER;
}


static void
read_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_stream_t *s = data;

    ngx_uint_t                    i;
    ngx_http_reel_stretch_t      *last;
    ngx_http_reel_stream_read_t  *rd;

    rd = &s->read;
    rd->len = 0;

    last = &rd->stretches[rd->n - 1];
    (void) posix_fadvise(rd->fd, last->offset + (off_t) last->size, AHEAD,
                         POSIX_FADV_WILLNEED);

    for (i = 0; i < rd->n; i++) {
        if (read_stretch(rd, &rd->stretches[i]) != NGX_OK) {
            return;
        }
    }
}


/* NGX_DECLINED: the file ends, or rd->err */
static ngx_int_t
read_stretch(ngx_http_reel_stream_read_t *rd,
    ngx_http_reel_stretch_t *stretch)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < stretch->size; done += n) {
        n = pread(rd->fd, rd->buf + rd->len, stretch->size - done,
                  stretch->offset + (off_t) done);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            rd->err = ngx_errno;
            rd->len = -1;
            return NGX_DECLINED;
        }

        if (n == 0) {
            return NGX_DECLINED;
        }

        rd->len += n;
    }

    return NGX_OK;
}


static void
read_done(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_stream_t *s = data;

    s->reading = 0;
    s->ready = 1;

    if (r->connection->error) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    run(s);
}

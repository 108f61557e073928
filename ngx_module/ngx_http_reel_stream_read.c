/*
 * What a stream is made of: from the page cache at once, else by a thread, or
 * from an upstream.  See ngx_http_reel_stream.h.
 */

#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_stream.h"

#include "lib/store/pread.h"

/* what a read costs, with what is read: as much as so many bytes */
#define READ_COST     (2 * 1024)

/* what the kernel is told to read behind what a thread reads */
#define AHEAD         (1024 * 1024)

static size_t size_of(const ngx_http_reel_stretch_t *stretches,
    ngx_uint_t n);
static ngx_int_t gather_remote(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char **p,
    size_t *len);
static ngx_int_t read_now(ngx_http_reel_stream_t *s, size_t min);
static ngx_int_t read_later(ngx_http_reel_stream_t *s);
static u_char *read_buffer(ngx_http_reel_stream_t *s, size_t size);
static void read_work(void *data, ngx_log_t *log);
static ngx_int_t read_stretch(ngx_http_reel_stream_read_t *rd,
    ngx_http_reel_stretch_t *stretch);
static void read_done(ngx_http_request_t *r, void *data);
static ngx_int_t read_checked(ngx_http_reel_stream_t *s, ngx_file_t *file,
    size_t min, u_char **p, size_t *n);
static ngx_uint_t is_own(ngx_http_reel_stream_t *s);

/* reads that need no thread: used at once, so one for all */
static u_char  *scratch;


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

    ngx_http_reel_stream_drop_read(s);

    rd->fd = file->fd;
    rd->n = n;
    rd->one = stretches[0];
    rd->stretches = n == 1 ? &rd->one : stretches;
    rd->size = size_of(stretches, n);

    if (read_now(s, min) == NGX_OK) {
        *p = rd->buf;
        *len = rd->len;
        return NGX_OK;
    }

    return read_later(s);
}


static size_t
size_of(const ngx_http_reel_stretch_t *stretches, ngx_uint_t n)
{
    size_t      size;
    ngx_uint_t  i;

    size = 0;

    for (i = 0; i < n; i++) {
        size += stretches[i].size;
    }

    return size;
}


/* a copy: it may be changed, and asked for again */
static ngx_int_t
gather_remote(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char **p,
    size_t *len)
{
    ngx_http_reel_stream_drop_read(s);

    s->read.buf = s->read.to ? s->read.to
                             : read_buffer(s, size_of(stretches, n));
    if (s->read.buf == NULL) {
        return NGX_ERROR;
    }

    *p = s->read.buf;

    return ngx_http_reel_remote_gather(s, file, stretches, n, min, *p, len);
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


/* in the thread pool, which then has the stream go on */
static ngx_int_t
read_later(ngx_http_reel_stream_t *s)
{
    ngx_http_reel_stream_read_t  *rd;

    rd = &s->read;

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
    ssize_t  n;

    n = reel_pread(rd->fd, rd->buf + rd->len, stretch->size,
                   (uint64_t) stretch->offset);

    if (n == -1) {
        rd->err = ngx_errno;
        rd->len = -1;
        return NGX_DECLINED;
    }

    rd->len += n;

    return (size_t) n == stretch->size ? NGX_OK : NGX_DECLINED;
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

    ngx_http_reel_stream_resume(s);
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


void
ngx_http_reel_stream_drop_read(ngx_http_reel_stream_t *s)
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

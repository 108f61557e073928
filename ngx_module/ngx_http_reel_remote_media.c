/*
 * Bytes of movies behind an internal location: the stretch of the file in
 * which a segment's samples lie is fetched by windows, one behind the other
 * as the client takes them; what lies between the samples is dropped.
 */

#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_zone.h"

/* what a connection has of a file at most, and one request asks for */
#define WINDOW  (2 * 1024 * 1024)

typedef struct {
    ngx_http_reel_stream_t  *stream;
    ngx_http_reel_fetch_t    fetch;
    off_t                    end;       /* of the segment, in the file */
    size_t                   min;       /* that the fetch has to bring */
    unsigned                 failed:1;
    unsigned                 replaced:1;
} window_t;

static size_t in_window(window_t *w, const ngx_http_reel_stretch_t *stretch,
    u_char **p);
static ngx_int_t get_window(ngx_http_reel_stream_t *s, window_t *w,
    off_t first, off_t last);
static window_t *create_window(ngx_http_reel_stream_t *s);
static void free_window(void *data);
static off_t segment_end(ngx_http_reel_play_t *p);
static void fetched(ngx_http_request_t *r, void *data);


ngx_int_t
ngx_http_reel_remote_gather(ngx_http_reel_stream_t *s,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char *to,
    size_t *len)
{
    off_t       first, last;
    size_t      size, need;
    u_char     *p;
    window_t   *w;
    ngx_uint_t  i;

    w = s->window ? s->window : create_window(s);

    if (w == NULL) {
        return NGX_ERROR;
    }

    *len = 0;

    for (i = 0; i < n; i++) {
        size = in_window(w, &stretches[i], &p);

        if (size) {
            to = ngx_cpymem(to, p, size);
            *len += size;
        }

        if (size < stretches[i].size) {
            break;
        }
    }

    if (*len >= min && *len) {
        return NGX_OK;
    }

    /* all that is needed at once, since this will be asked again */
    need = ngx_max(min, 1);
    first = stretches[0].offset;
    last = first;

    for (i = 0; i < n && need; i++) {
        size = ngx_min(need, stretches[i].size);
        first = ngx_min(first, stretches[i].offset);
        last = ngx_max(last, stretches[i].offset + (off_t) size);
        need -= size;
    }

    return get_window(s, w, first, last);
}


/* how many bytes of the stretch are here, from its beginning on */
static size_t
in_window(window_t *w, const ngx_http_reel_stretch_t *stretch, u_char **p)
{
    off_t  start;

    start = (off_t) w->fetch.offset;
    *p = w->fetch.buf;

    if (w->failed || stretch->offset < start
        || stretch->offset >= start + (off_t) w->fetch.n)
    {
        return 0;
    }

    *p += stretch->offset - start;

    return ngx_min(stretch->size,
                   (size_t) (start + (off_t) w->fetch.n - stretch->offset));
}


/* NGX_AGAIN: [first, last) is fetched, and what is likely to follow */
static ngx_int_t
get_window(ngx_http_reel_stream_t *s, window_t *w, off_t first, off_t last)
{
    off_t  end;

    if (w->failed) {
        return NGX_ABORT;
    }

    end = ngx_max(last, ngx_min(w->end, first + WINDOW));

    ngx_free(w->fetch.buf);

    w->min = (size_t) (last - first);
    w->fetch.offset = (uint64_t) first;
    w->fetch.size = (size_t) (end - first);
    w->fetch.n = 0;
    w->fetch.buf = ngx_alloc(w->fetch.size, s->request->connection->log);

    if (w->fetch.buf == NULL
        || ngx_http_reel_fetch(s->request, &w->fetch) != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->reading = 1;

    return NGX_AGAIN;
}


static window_t *
create_window(ngx_http_reel_stream_t *s)
{
    window_t            *w;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(s->request->pool, sizeof(window_t));
    if (cln == NULL) {
        return NULL;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(window_t));
    cln->handler = free_window;

    w->stream = s;
    w->end = segment_end(s->play);
    w->fetch.uri = s->play->place.uri;
    w->fetch.done = fetched;
    w->fetch.data = w;
    s->window = w;

    return w;
}


static void
free_window(void *data)
{
    window_t *w = data;

    ngx_free(w->fetch.buf);
}


static off_t
segment_end(ngx_http_reel_play_t *p)
{
    off_t                  end;
    reel_sample_t          q;
    reel_samples_cursor_t  c;

    reel_samples_seek(&c, &p->index->samples[p->rendition
                                             - p->index->renditions],
                      p->number);

    for (end = 0; reel_samples_next(&c, &q); /* void */) {
        end = ngx_max(end, (off_t) q.offset + q.size);
    }

    return end;
}


static void
fetched(ngx_http_request_t *r, void *data)
{
    window_t *w = data;

    w->stream->reading = 0;

    if (w->fetch.status != NGX_HTTP_PARTIAL_CONTENT) {
        /* it is shorter now */
        w->replaced = w->fetch.status == NGX_HTTP_RANGE_NOT_SATISFIABLE;
        w->failed = 1;

    } else if (!ngx_http_reel_same(&w->fetch.st, &w->stream->play->entry->st)
               || w->fetch.n < w->min)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "reel: \"%V\" was "
                      "replaced while it was read", &w->fetch.uri);
        w->failed = 1;
        w->replaced = 1;
    }

    if (r->connection->error) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    ngx_http_reel_stream_resume(w->stream);
}


ngx_int_t
ngx_http_reel_remote_failed(ngx_http_reel_stream_t *s, ngx_int_t rc)
{
    window_t  *w;

    w = s->window;

    if (w->replaced) {
        return ngx_http_reel_play_again(s->request, s->play);
    }

    return w->failed ? ngx_http_reel_remote_refuse(s->request,
                                                   w->fetch.status)
                     : ngx_http_reel_object_refuse(s->request, rc);
}

/*
 * Bytes of movies behind an internal location: one request asks for the
 * stretch of the file in which a segment's samples lie, and is read as the
 * client takes them; what lies between the samples is dropped.  Another one
 * follows where they do not lie in order, or far apart, or when the server
 * has not waited for the client.
 */

#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_remote.h"
#include "ngx_module/ngx_http_reel_zone.h"

/* what a connection has of a file at most */
#define HELD   (128 * 1024)

/* fewer bytes are not worth a write, if more are asked for */
#define WORTH  (32 * 1024)

/* more than this between two samples is not read to be dropped */
#define APART  (2 * 1024 * 1024)

/* times in a row that an answer may be cut short */
#define CUTS   3

/* bytes that lie in a row, and how many all runs before it have */
typedef struct {
    off_t                    offset;
    uint64_t                 before;
    uint64_t                 size;
} run_t;

/*
 * One of each rendition that the segment has: sound and pictures are read by
 * requests of their own.  Positions are of the bytes of all its samples.
 */
typedef struct window_s  window_t;

struct window_s {
    window_t                *next_one;
    ngx_file_t              *file;      /* whose it is */
    ngx_http_reel_stream_t  *stream;
    ngx_http_reel_fetch_t    fetch;
    ngx_array_t              runs;
    ngx_uint_t               at;        /* the run that was last read of */

    u_char                  *buf;       /* has [start, start + len) … */
    size_t                   len;
    uint64_t                 start;
    uint64_t                 keep;      /* … of which what is before that may
                                           go, when room is needed */

    uint64_t                 next;      /* of the request: what comes next … */
    uint64_t                 end;       /* … and where it ends */
    ngx_uint_t               coming;    /* the run of next */
    ngx_uint_t               cuts;
    unsigned                 waits:1;   /* the stream waits for it */
    unsigned                 failed:1;
    unsigned                 replaced:1;
    unsigned                 checked:1; /* the answer's end */
};

static window_t *window_of(ngx_http_reel_stream_t *s, ngx_file_t *file,
    const ngx_http_reel_stretch_t *stretch);
static window_t *create_window(ngx_http_reel_stream_t *s);
static void free_window(void *data);
static ngx_int_t find_runs(window_t *w, const reel_rendition_t *rendition);
static ngx_int_t find(window_t *w, const ngx_http_reel_stretch_t *stretch,
    uint64_t *pos);
static ngx_int_t go_to_run(window_t *w,
    const ngx_http_reel_stretch_t *stretch);
static ngx_int_t has(const run_t *run,
    const ngx_http_reel_stretch_t *stretch);
static size_t copy(window_t *w, uint64_t pos, size_t size, u_char *to);
static ngx_int_t want(window_t *w, ngx_http_reel_stretch_t *stretches,
    ngx_uint_t n, size_t min);
static ngx_int_t go_to(window_t *w, uint64_t pos);
static ngx_int_t await(window_t *w, uint64_t pos);
static ngx_int_t request(window_t *w);
static uint64_t wake_at(window_t *w, uint64_t pos);
static u_char *room(ngx_http_reel_fetch_t *f, size_t *n);
static void make_room(window_t *w);
static void fetched(ngx_http_request_t *r, void *data);
static void check(window_t *w);


ngx_int_t
ngx_http_reel_remote_gather(ngx_http_reel_stream_t *s, ngx_file_t *file,
    ngx_http_reel_stretch_t *stretches, ngx_uint_t n, size_t min, u_char *to,
    size_t *len)
{
    size_t      size;
    uint64_t    pos;
    window_t   *w;
    ngx_uint_t  i;

    *len = 0;
    w = window_of(s, file, stretches);

    if (w == NULL) {
        return NGX_ERROR;
    }

    if (w->failed) {
        return NGX_ABORT;
    }

    for (i = 0; i < n; i++) {
        if (find(w, &stretches[i], &pos) != NGX_OK) {
            return NGX_ABORT;
        }

        size = copy(w, pos, stretches[i].size, to);
        to += size;
        *len += size;

        if (size < stretches[i].size) {
            break;
        }
    }

    if (*len >= min && *len) {
        return NGX_OK;
    }

    return want(w, stretches, n, ngx_max(min, 1));
}


/* who does not ask for the play's rendition asks for the second one */
static window_t *
window_of(ngx_http_reel_stream_t *s, ngx_file_t *file,
    const ngx_http_reel_stretch_t *stretch)
{
    window_t  *w;

    for (w = s->window; w; w = w->next_one) {
        if (w->file == file) {
            return w;
        }
    }

    w = create_window(s);

    if (w == NULL || find_runs(w, s->play->rendition) != NGX_OK) {
        return NULL;
    }

    w->file = file;

    if (s->play->second && go_to_run(w, stretch) != NGX_OK
        && find_runs(w, s->play->second) != NGX_OK)
    {
        return NULL;
    }

    return w;
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

    w->buf = ngx_alloc(HELD, s->request->connection->log);
    if (w->buf == NULL) {
        return NULL;
    }

    w->stream = s;
    w->fetch.over = 1;
    w->fetch.uri = s->play->place.uri;
    w->fetch.room = room;
    w->fetch.done = fetched;
    w->fetch.data = w;

    w->next_one = s->window;
    s->window = w;

    return w;
}


static void
free_window(void *data)
{
    window_t *w = data;

    ngx_free(w->buf);
}


static ngx_int_t
find_runs(window_t *w, const reel_rendition_t *rendition)
{
    run_t                  *run;
    uint64_t                before;
    reel_sample_t           q;
    ngx_http_reel_play_t   *p;
    reel_samples_cursor_t   c;

    p = w->stream->play;

    if (ngx_array_init(&w->runs, w->stream->request->pool, 16, sizeof(run_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    reel_samples_seek(&c, &p->index->samples[rendition
                                             - p->index->renditions],
                      p->number);

    w->at = 0;
    run = NULL;
    before = 0;

    while (reel_samples_next(&c, &q)) {
        if (q.size == 0) {
            continue;
        }

        if (run == NULL || run->offset + run->size != q.offset) {
            run = ngx_array_push(&w->runs);
            if (run == NULL) {
                return NGX_ERROR;
            }

            run->offset = (off_t) q.offset;
            run->before = before;
            run->size = 0;
        }

        run->size += q.size;
        before += q.size;
    }

    return NGX_OK;
}


static ngx_int_t
find(window_t *w, const ngx_http_reel_stretch_t *stretch, uint64_t *pos)
{
    run_t  *run;

    if (go_to_run(w, stretch) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, w->stream->request->connection->log, 0,
                      "reel: \"%V\" has no such bytes in the segment: %uz "
                      "at %O", &w->fetch.uri, stretch->size,
                      stretch->offset);
        return NGX_ERROR;
    }

    run = (run_t *) w->runs.elts + w->at;
    *pos = run->before + (uint64_t) (stretch->offset - run->offset);

    return NGX_OK;
}


/* they are mostly asked for in order */
static ngx_int_t
go_to_run(window_t *w, const ngx_http_reel_stretch_t *stretch)
{
    run_t       *run;
    ngx_uint_t   i;

    run = w->runs.elts;

    for (i = 0; i < w->runs.nelts && !has(&run[w->at], stretch); i++) {
        w->at = w->at + 1 == w->runs.nelts ? 0 : w->at + 1;
    }

    return i == w->runs.nelts ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
has(const run_t *run, const ngx_http_reel_stretch_t *stretch)
{
    uint64_t  skip;

    if (stretch->offset < run->offset) {
        return 0;
    }

    skip = (uint64_t) (stretch->offset - run->offset);

    return skip < run->size && stretch->size <= run->size - skip;
}


/* what of size bytes is here, from the first on */
static size_t
copy(window_t *w, uint64_t pos, size_t size, u_char *to)
{
    size_t  skip;

    if (pos < w->start || pos - w->start >= w->len) {
        return 0;
    }

    skip = (size_t) (pos - w->start);
    size = ngx_min(size, w->len - skip);
    ngx_memcpy(to, w->buf + skip, size);

    return size;
}


/* all that is needed at once, since this will be asked again */
static ngx_int_t
want(window_t *w, ngx_http_reel_stretch_t *stretches, ngx_uint_t n,
    size_t min)
{
    size_t      size, all;
    uint64_t    pos, first, last;
    ngx_uint_t  i;

    first = UINT64_MAX;
    last = 0;
    all = 0;

    for (i = 0; i < n; i++) {
        if (min) {
            if (find(w, &stretches[i], &pos) != NGX_OK) {
                return NGX_ABORT;
            }

            size = ngx_min(min, stretches[i].size);
            first = ngx_min(first, pos);
            last = ngx_max(last, pos + size);
            min -= size;
        }

        all += stretches[i].size;
    }

    /* samples that share their bytes may be far from each other */
    if (last < first || last - first > HELD) {
        return NGX_ABORT;
    }

    last = ngx_max(last, first + ngx_min(all, WORTH));

    return go_to(w, first) == NGX_OK ? await(w, ngx_min(last, w->end))
                                     : NGX_ERROR;
}


/*
 * What lies before pos may go, and it is under way if it is not here.  Who
 * looked at the end of a sample may go back, so nothing goes before it must.
 */
static ngx_int_t
go_to(window_t *w, uint64_t pos)
{
    w->keep = pos;

    if (pos >= w->start && pos < w->end && w->next < w->end
        && (!w->fetch.over || w->fetch.waiting))
    {
        return NGX_OK;
    }

    if (pos < w->start || pos - w->start > w->len) {
        w->len = 0;
        w->start = pos;
    }

    w->next = w->start + w->len;

    return request(w);
}


static ngx_int_t
await(window_t *w, uint64_t pos)
{
    w->fetch.wake = wake_at(w, pos);
    w->waits = 1;
    w->stream->reading = 1;

    ngx_http_reel_fetch_more(&w->fetch);

    return NGX_AGAIN;
}


/* asks for what lies in order from w->next on */
static ngx_int_t
request(window_t *w)
{
    off_t   first, end;
    run_t  *run, *last;

    ngx_http_reel_fetch_leave(&w->fetch);

    run = w->runs.elts;
    last = run + w->runs.nelts;

    while (w->next - run->before >= run->size) {
        run++;
    }

    w->coming = run - (run_t *) w->runs.elts;

    first = run->offset + (off_t) (w->next - run->before);
    end = run->offset + (off_t) run->size;
    w->end = run->before + run->size;

    for (run++; run < last && run->offset >= end
                && run->offset - end <= APART; run++)
    {
        end = run->offset + (off_t) run->size;
        w->end = run->before + run->size;
    }

    w->fetch.offset = (uint64_t) first;
    w->fetch.size = (uint64_t) (end - first);
    w->checked = 0;

    return ngx_http_reel_fetch(w->stream->request, &w->fetch);
}


/* how many bytes of the answer it takes to have those before pos */
static uint64_t
wake_at(window_t *w, uint64_t pos)
{
    run_t  *run;

    run = (run_t *) w->runs.elts + w->coming;

    while (pos - run->before > run->size) {
        run++;
    }

    return (uint64_t) run->offset + (pos - run->before) - w->fetch.offset;
}


static u_char *
room(ngx_http_reel_fetch_t *f, size_t *n)
{
    window_t *w = f->data;

    run_t     *run;
    u_char    *to;
    uint64_t   at, want, left;

    run = (run_t *) w->runs.elts + w->coming;

    while (w->next < w->end && w->next - run->before >= run->size) {
        run++;
        w->coming++;
    }

    at = f->offset + f->n;
    want = (uint64_t) run->offset + (w->next - run->before);

    if (at < want) {
        *n = (size_t) ngx_min(*n, want - at);
        return NULL;
    }

    left = ngx_min(run->size - (w->next - run->before), w->end - w->next);

    if (w->len == HELD) {
        make_room(w);
    }

    *n = (size_t) ngx_min(*n, ngx_min(left, HELD - w->len));
    to = w->buf + w->len;

    w->next += *n;
    w->len += *n;

    return to;
}


static void
make_room(window_t *w)
{
    size_t  n;

    n = (size_t) ngx_min(w->keep - w->start, HELD / 2);
    w->len -= n;
    w->start += n;

    ngx_memmove(w->buf, w->buf + n, w->len);
}


static void
fetched(ngx_http_request_t *r, void *data)
{
    window_t *w = data;

    ngx_http_reel_stream_t  *s;

    s = w->stream;
    check(w);

    if (!w->waits) {
        return;
    }

    w->waits = 0;
    s->reading = 0;

    if (r->connection->error) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    ngx_http_reel_stream_resume(s);
}


/* an answer that was cut short is asked for again, from there on */
static void
check(window_t *w)
{
    ngx_http_reel_fetch_t  *f;

    f = &w->fetch;

    /* what was left of it is taken now */
    if (w->checked) {
        return;
    }

    w->checked = f->over;

    if (f->length && !ngx_http_reel_same(&f->st, &w->stream->play->entry->st))
    {
        ngx_log_error(NGX_LOG_ERR, w->stream->request->connection->log, 0,
                      "reel: \"%V\" was replaced while it was read",
                      &f->uri);
        w->failed = 1;
        w->replaced = 1;
        return;
    }

    if (!f->over || f->status == NGX_HTTP_PARTIAL_CONTENT) {
        w->cuts = f->over ? 0 : w->cuts;
        return;
    }

    if (f->n && w->cuts < CUTS) {
        w->cuts++;
        return;
    }

    w->failed = 1;

    /* it is shorter now */
    w->replaced = f->status == NGX_HTTP_RANGE_NOT_SATISFIABLE;
}


void
ngx_http_reel_remote_leave(ngx_http_reel_stream_t *s)
{
    window_t  *w;

    for (w = s->window; w; w = w->next_one) {
        ngx_http_reel_fetch_leave(&w->fetch);
    }
}


ngx_int_t
ngx_http_reel_remote_failed(ngx_http_reel_stream_t *s, ngx_int_t rc)
{
    window_t  *w;

    for (w = s->window; w && !w->failed; w = w->next_one) { /* void */ }

    if (w == NULL) {
        return ngx_http_reel_object_refuse(s->request, rc);
    }

    return w->replaced ? ngx_http_reel_play_again(s->request, s->play)
                       : ngx_http_reel_remote_refuse(s->request,
                                                     w->fetch.status);
}

/*
 * Playback: subtitles.  A text is one object, of which a segment shows the
 * cues that are seen in it; those may begin long before.  So what lies before
 * the segment's end is read and cut in the thread pool.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/base/rescale.h"
#include "lib/manifest/span.h"
#include "lib/store/pread.h"
#include "lib/text/webvtt.h"

/* workerd makes no larger ones */
#define TEXT_MAX   (8u << 20)

/* where segments of MPEG-TS begin on their clock of 90 kHz */
#define TS_OFFSET  900000

typedef struct {
    ngx_http_reel_play_t  *play;
    reel_str_t             text;        /* of a movie; else it is read */
    ngx_fd_t               fd;
    uint64_t               offset;
    size_t                 size;
    ngx_uint_t             clip;        /* a file of its own, not a segment */
    ngx_str_t              what;        /* names it in the ETag */
    int64_t                from_ms;
    int64_t                to_ms;
    uint64_t               mpegts;

    reel_buf_t             out;
    reel_err_t             err;
    reel_error_t           e;
} text_t;

static ngx_int_t locate(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    uint32_t fragments, reel_extent_t *ext);
static ngx_int_t whole_of_movie(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static void set_clip(text_t *t);
static ngx_int_t text_start(ngx_http_request_t *r, text_t *t);
static void set_times(text_t *t);
static ngx_int_t text_post(ngx_http_request_t *r, text_t *t,
    const reel_extent_t *ext);
static text_t *text_create(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static void text_cleanup(void *data);
static void text_work(void *data, ngx_log_t *log);
static void text_done(ngx_http_request_t *r, void *data);
static void text_cut(text_t *t, reel_str_t file);
static ngx_int_t text_send(ngx_http_request_t *r, text_t *t, u_char *p,
    size_t len);


/* the object as it is; of a clip a file of its own */
ngx_int_t
ngx_http_reel_text_whole(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    text_t         *t;
    ngx_int_t       rc;
    reel_span_t     span;
    reel_extent_t   ext;

    static ngx_str_t  what = ngx_string("subtitles");

    if (reel_span(&span, p->index, &p->opts) == REEL_NOTFOUND) {
        return ngx_http_reel_play_absent(r, "the clip lies behind the end of "
                                         "the film");
    }

    if (p->index->nsamples) {
        return whole_of_movie(r, p);
    }

    rc = locate(r, p, p->index->fragments, &ext);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!reel_shape_is_clip(&p->opts.shape)) {
        return ngx_http_reel_segment_send(r, p, &ext, 1, p->rendition->name,
                                          &what);
    }

    t = text_create(r, p);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    set_clip(t);

    return text_post(r, t, &ext);
}


/* its index has the text itself */
static ngx_int_t
whole_of_movie(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    text_t  *t;

    static ngx_str_t  what = ngx_string("subtitles");

    t = text_create(r, p);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!reel_shape_is_clip(&p->opts.shape)) {
        t->what = what;
        return text_send(r, t, (u_char *) t->text.p, t->text.len);
    }

    set_clip(t);

    return text_start(r, t);
}


static void
set_clip(text_t *t)
{
    const reel_shape_t *shape = &t->play->opts.shape;

    t->clip = 1;
    t->what = t->play->shape;
    t->from_ms = shape->start_us / 1000;
    t->to_ms = shape->end_us ? (shape->end_us + 999) / 1000 : INT64_MAX;
}


ngx_int_t
ngx_http_reel_text_segment(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    text_t         *t;
    uint64_t        first, last;
    ngx_int_t       rc;
    reel_extent_t   ext;

    first = (uint64_t) p->number * p->opts.per;
    last = ngx_min(first + p->opts.per, p->index->fragments);

    if (first >= p->index->fragments
        || (p->index->growing && last < first + p->opts.per))
    {
        return ngx_http_reel_play_absent(r, "the rendition has no such "
                                         "segment");
    }

    t = text_create(r, p);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    t->what = p->segment;

    if (p->index->nsamples) {
        set_times(t);
        return text_start(r, t);
    }

    rc = locate(r, p, (uint32_t) last, &ext);
    if (rc != NGX_OK) {
        return rc;
    }

    t->from_ms = reel_rescale((int64_t) first * p->index->gop_ts, 1000,
                              p->index->timescale, REEL_ROUND_DOWN);
    t->to_ms = last == p->index->fragments && !p->index->growing
               ? INT64_MAX
               : reel_rescale((int64_t) last * p->index->gop_ts, 1000,
                              p->index->timescale, REEL_ROUND_DOWN);

    return text_post(r, t, &ext);
}


/* opens the object, and has what t says of it made in the thread pool */
static ngx_int_t
text_post(ngx_http_request_t *r, text_t *t, const reel_extent_t *ext)
{
    ngx_int_t              rc;
    ngx_buf_t              b;
    ngx_http_reel_play_t  *p;

    p = t->play;
    ngx_memzero(&b, sizeof(ngx_buf_t));

    rc = ngx_http_reel_segment_open(r, p, p->rendition->name, ext, &b);

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_play_again(r, p);
    }

    if (rc != NGX_OK) {
        return ngx_http_reel_object_refuse(r, rc);
    }

    t->fd = b.file->fd;
    t->offset = ext->offset;
    t->size = ext->size;

    return text_start(r, t);
}


static ngx_int_t
text_start(ngx_http_request_t *r, text_t *t)
{
    if (ngx_http_reel_task_post(r, text_work, text_done, t) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


/* a movie's segments are as long as its pictures say */
static void
set_times(text_t *t)
{
    int64_t                ts;
    reel_runs_t            durations;
    ngx_http_reel_play_t  *p;

    p = t->play;
    durations = reel_runs(p->rendition->duration_bytes);

    ts = (int64_t) reel_runs_sum(&durations, p->number);
    t->from_ms = reel_rescale(ts, 1000, p->rendition->timescale,
                              REEL_ROUND_DOWN);

    if (p->number + 1 == p->index->fragments) {
        t->to_ms = INT64_MAX;
        return;
    }

    ts += (int64_t) reel_runs_sum(&durations, 1);
    t->to_ms = reel_rescale(ts, 1000, p->rendition->timescale,
                            REEL_ROUND_DOWN);
}


/* what of the object the first fragments take: it is one stretch */
static ngx_int_t
locate(ngx_http_request_t *r, ngx_http_reel_play_t *p, uint32_t fragments,
    reel_extent_t *ext)
{
    unsigned       n;
    reel_err_t     err;
    reel_extent_t  all[REEL_EXTENTS_MAX];

    err = reel_index_locate(p->index, p->rendition, 0, fragments, all, &n);

    if (err == REEL_OK && n == 1 && all[0].size <= TEXT_MAX) {
        *ext = all[0];

        /* the name may lie in what goes with this function */
        if (all[0].object.p == all[0].name) {
            ext->object.p = ext->name;
        }

        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: text \"%V\" of asset \"%V\" cannot be located: "
                  "%s, %ud pieces", &p->name, &p->asset, reel_err_name(err),
                  err == REEL_OK ? n : 0);

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_INTERNAL_SERVER_ERROR, "BAD_INDEX",
                               "the asset's index is damaged", 0);
}


static text_t *
text_create(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    text_t              *t;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(text_t));
    if (cln == NULL) {
        return NULL;
    }

    t = cln->data;
    ngx_memzero(t, sizeof(text_t));
    cln->handler = text_cleanup;

    t->play = p;

    if (p->index->nsamples) {
        t->text = p->index->samples[p->rendition
                                    - p->index->renditions].sample_bytes;
    }

    t->mpegts = p->opts.container == REEL_CONTAINER_TS ? TS_OFFSET : 0;

    return t;
}


static void
text_cleanup(void *data)
{
    text_t  *t = data;

    reel_buf_release(&t->out);
}


static void
text_work(void *data, ngx_log_t *log)
{
    char     *file;
    text_t   *t = data;
    ssize_t   n;

    reel_buf_init(&t->out, 2 * TEXT_MAX);

    if (t->text.p) {
        text_cut(t, t->text);
        return;
    }

    file = malloc(t->size);
    if (file == NULL) {
        t->err = REEL_NOMEM;
        return;
    }

    n = reel_pread(t->fd, file, t->size, t->offset);

    if (n < 0 || (size_t) n < t->size) {
        t->err = reel_fail(&t->e, REEL_IO, "it cannot be read");

    } else {
        text_cut(t, (reel_str_t) { file, (size_t) n });
    }

    free(file);
}


static void
text_cut(text_t *t, reel_str_t file)
{
    t->err = t->clip ? reel_vtt_clip(&t->out, file, t->from_ms, t->to_ms,
                                     &t->e)
                     : reel_vtt_cut(&t->out, file, t->from_ms, t->to_ms,
                                    t->mpegts, &t->e);
}


static void
text_done(ngx_http_request_t *r, void *data)
{
    text_t                *t = data;
    ngx_int_t              rc;
    ngx_http_reel_play_t  *p;

    p = t->play;

    if (t->err == REEL_OK) {
        rc = text_send(r, t, t->out.data, t->out.len);

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: %s %V of text \"%V\" in asset \"%V\" "
                      "cannot be cut: %s: %s", t->clip ? "clip" : "segment",
                      &t->what, &p->name, &p->asset, reel_err_name(t->err),
                      t->e.text);

        rc = ngx_http_reel_object_refuse(r, t->err == REEL_BADDATA
                                             ? NGX_ABORT : NGX_ERROR);
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
text_send(ngx_http_request_t *r, text_t *t, u_char *p, size_t len)
{
    ngx_str_t  etag;

    if (ngx_http_reel_play_etag(r, t->play, &t->what, 0, &etag)
           != NGX_OK
        || ngx_http_reel_play_headers(r, t->play, len, &etag)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_play_bytes(r, p, len);
}

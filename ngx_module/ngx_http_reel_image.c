/*
 * Playback: pictures that tasks made, as byte ranges of stored objects.
 * Nothing is decoded or scaled here.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/auth/query.h"
#include "lib/base/rescale.h"

#define TIME_DIGITS  9          /* of whole seconds */
#define WIDTH_MAX    65535

/* without "time": a percentage of the film, as of the poster by default */
#define TIME_PERCENT 10

typedef struct {
    uint64_t    time_ms;
    ngx_uint_t  width;          /* 0: the least there is */
} thumb_t;

static ngx_int_t thumb_parse(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    thumb_t *t, const char **detail);
static ngx_int_t parameter(ngx_http_request_t *r, const char *name,
    char *value, size_t cap);
static ngx_int_t parse_seconds(reel_str_t s, uint64_t *ms);
static ngx_int_t choose(const reel_index_t *ix, ngx_uint_t width,
    ngx_uint_t *k);
static ngx_int_t send_sheet(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_pictures_t *q, uint32_t n, ngx_str_t *what);


ngx_int_t
ngx_http_reel_image_poster(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned             i;
    reel_extent_t        ext;
    const reel_image_t  *image;

    static ngx_str_t  what = ngx_string("poster");

    for (i = 0; i < p->index->nimages; i++) {
        image = &p->index->images[i];

        if (image->kind == REEL_IMAGE_POSTER) {
            ngx_memzero(&ext, sizeof(reel_extent_t));
            ext.object = image->object;
            ext.size = image->size;

            return ngx_http_reel_segment_send(r, p, &ext, 1,
                                              REEL_STR("image"), &what);
        }
    }

    return ngx_http_reel_play_absent(r, "the asset has no poster");
}


/* ?time=<seconds>&width=<pixels>: a frame at or before, at least as wide */
ngx_int_t
ngx_http_reel_image_thumb(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    thumb_t                 t;
    uint64_t                n;
    ngx_int_t               rc;
    ngx_uint_t              k;
    const char             *detail;
    const reel_pictures_t  *q;

    rc = thumb_parse(r, p, &t, &detail);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "BAD_PARAMETER",
                                   detail, 0);
    }

    if (choose(p->index, t.width, &k) != NGX_OK) {
        return ngx_http_reel_image_poster(r, p);
    }

    q = &p->index->pictures[k];
    n = t.time_ms / q->interval_ms;
    n = ngx_min(n, q->count - 1);

    if (!ngx_http_reel_limit_overlaps(p, n * q->interval_ms, q->interval_ms))
    {
        return ngx_http_reel_token_refuse(r, REEL_TOKEN_CLIP);
    }

    /* requests for the same picture are one to caches */
    p->shape.data = ngx_pnalloc(r->pool, sizeof("picture=.") - 1
                                         + 2 * NGX_INT64_LEN);
    if (p->shape.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p->shape.len = ngx_sprintf(p->shape.data, "picture=%ui.%uL", k, n)
                   - p->shape.data;

    return send_sheet(r, p, q, (uint32_t) n, &p->shape);
}


static ngx_int_t
thumb_parse(ngx_http_request_t *r, ngx_http_reel_play_t *p, thumb_t *t,
    const char **detail)
{
    char        value[64];
    uint64_t    n;
    ngx_int_t   rc;

    t->width = 0;
    t->time_ms = (uint64_t) reel_rescale(p->index->end_ts,
                                         1000 * TIME_PERCENT,
                                         (uint64_t) p->index->timescale * 100,
                                         REEL_ROUND_DOWN);

    *detail = "\"time\" is the seconds from the beginning, as 12 or 12.5";
    rc = parameter(r, "time", value, sizeof(value));

    if (rc == NGX_OK) {
        rc = parse_seconds(reel_str(value), &t->time_ms);
    }

    if (rc == NGX_DECLINED || rc == NGX_ERROR) {
        return rc;
    }

    *detail = "\"width\" is a number of pixels from 1 to 65535";
    rc = parameter(r, "width", value, sizeof(value));

    if (rc == NGX_OK) {
        if (reel_str_u64(reel_str(value), WIDTH_MAX, &n) != REEL_OK
            || n == 0)
        {
            return NGX_DECLINED;
        }

        t->width = n;
    }

    return rc == NGX_DONE ? NGX_OK : rc;
}


/*
 * The name as nginx's own $arg_… takes it, in any case and never decoded, so
 * that an edge with it in its key means the same by it.  NGX_DONE: it is not
 * there; NGX_DECLINED: it is nothing that could be.
 */
static ngx_int_t
parameter(ngx_http_request_t *r, const char *name, char *value, size_t cap)
{
    ngx_str_t   raw;
    reel_buf_t  b;
    reel_err_t  err;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        return NGX_DONE;
    }

    reel_buf_init(&b, cap - 1);
    err = reel_uri_decode(&b, (reel_str_t) { (char *) raw.data, raw.len });

    if (err == REEL_OK) {
        err = reel_buf_err(&b);
    }

    if (err == REEL_OK) {
        (void) ngx_cpystrn((u_char *) value, b.len ? b.data : (u_char *) "",
                           b.len + 1);
    }

    reel_buf_release(&b);

    return err == REEL_OK ? NGX_OK
           : err == REEL_NOMEM ? NGX_ERROR : NGX_DECLINED;
}


/* digits[.digits]; what is less than a millisecond is passed over */
static ngx_int_t
parse_seconds(reel_str_t s, uint64_t *ms)
{
    size_t      i;
    uint64_t    v;
    reel_str_t  whole, rest;

    whole = reel_str_cut(s, '.', &rest);

    if (whole.len > TIME_DIGITS
        || reel_str_u64(whole, NGX_MAX_UINT32_VALUE, &v) != REEL_OK
        || (rest.p && rest.len == 0))
    {
        return NGX_DECLINED;
    }

    v *= 1000;

    for (i = 0; rest.p && i < rest.len; i++) {
        if (rest.p[i] < '0' || rest.p[i] > '9') {
            return NGX_DECLINED;
        }

        if (i < 3) {
            v += (uint64_t) (rest.p[i] - '0') * (i == 0 ? 100 : i == 1 ? 10
                                                                       : 1);
        }
    }

    *ms = v;

    return NGX_OK;
}


/* of the sets of single frames the next wider one, else the widest */
static ngx_int_t
choose(const reel_index_t *ix, ngx_uint_t width, ngx_uint_t *k)
{
    ngx_int_t               rc;
    ngx_uint_t              i, better;
    const reel_pictures_t  *q, *best;

    rc = NGX_DECLINED;
    best = NULL;

    for (i = 0; i < ix->npictures; i++) {
        q = &ix->pictures[i];

        if (q->columns * q->rows > 1) {
            continue;
        }

        better = best == NULL
                 || (best->width < width ? q->width > best->width
                     : q->width >= width && q->width < best->width);

        if (better) {
            best = q;
            *k = i;
            rc = NGX_OK;
        }
    }

    return rc;
}


ngx_int_t
ngx_http_reel_image_sheet(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_str_t              *what;
    const reel_pictures_t  *q;

    static ngx_str_t  first = ngx_string("storyboard-0");

    q = reel_storyboard_find(p->index);

    if (q == NULL) {
        return ngx_http_reel_play_absent(r, "the asset has no storyboard");
    }

    /* /<id>/storyboard.jpg is number 0 */
    what = p->name.len ? &p->segment : &first;

    return send_sheet(r, p, q, p->number, what);
}


static ngx_int_t
send_sheet(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_pictures_t *q, uint32_t n, ngx_str_t *what)
{
    uint32_t       size;
    reel_extent_t  ext;

    ngx_memzero(&ext, sizeof(reel_extent_t));
    ext.object = q->object;

    if (reel_index_sheet(q, n, &ext.offset, &size) != REEL_OK) {
        return ngx_http_reel_play_absent(r, "the storyboard has no such "
                                         "sheet");
    }

    ext.size = size;

    return ngx_http_reel_segment_send(r, p, &ext, 1, REEL_STR("image"), what);
}

/*
 * Transport streams, made of stored fragments.  The moofs of a segment's
 * fragments are read before anything is sent: they tell its length, unless
 * its samples are encrypted.
 */

#include <assert.h>

#include "ngx_module/ngx_http_reel_protect.h"
#include "ngx_module/ngx_http_reel_ts.h"

#include "lib/ts/sealed.h"

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_ts_track_t track;
    reel_ts_t                ts;
    reel_ts_sealed_t        *sealed;    /* with SAMPLE-AES, instead of ts */
    uint32_t                 period;    /* of its key */
} ts_t;

/* samples of one byte each that lie apart */
static_assert(NGX_HTTP_REEL_STRETCHES >= REEL_TS_SEALED_IN
              && NGX_HTTP_REEL_STRETCHES >= REEL_TS_INPUT_MIN,
              "no read may gather what gets it on");

static ngx_int_t add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t, uint32_t fragment);
static void release_sealed(void *data);
static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static reel_err_t begin_sealed(ngx_http_reel_play_t *p, ts_t *t);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static off_t seek_sealed(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);


static const ngx_http_reel_stream_ops_t  ops = { prepare, seek, produce };

static const ngx_http_reel_stream_ops_t  sealed_ops = {
    prepare, seek_sealed, produce
};


ngx_int_t
ngx_http_reel_ts_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ts_t           *t;
    uint32_t        first, count;
    ngx_int_t       rc;
    const char     *detail;
    reel_scheme_t   scheme;

    if (p->second) {
        return ngx_http_reel_ts_both(r, p);
    }

    detail = ngx_http_reel_segment_fragments(p, &first, &count);
    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    scheme = reel_protection_scheme(p->opts.protection);

    if (scheme == REEL_SCHEME_CENC) {
        return ngx_http_reel_play_absent(r, "this scheme is not for "
                                         "transport streams");
    }

    t = ngx_pcalloc(r->pool, sizeof(ts_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_ts_track_find(r, p, p->rendition, first, count,
                                     &t->track);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    t->stream.ops = &ops;
    t->stream.data = t;
    t->stream.play = p;
    t->stream.what = &p->segment;

    if (scheme == REEL_SCHEME_CBCS && add_sealed(r, p, t, first) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (scheme == REEL_SCHEME_AES128
        && ngx_http_reel_whole(r, p, &t->stream, REEL_FORM_SEGMENTS, first)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_stream_start(r, &t->stream);
}


static ngx_int_t
add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p, ts_t *t,
    uint32_t fragment)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(reel_ts_sealed_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    t->sealed = cln->data;
    ngx_memzero(t->sealed, sizeof(reel_ts_sealed_t));
    cln->handler = release_sealed;

    t->period = reel_protection_period(p->opts.protection, fragment);
    t->stream.ops = &sealed_ops;

    return NGX_OK;
}


static void
release_sealed(void *data)
{
    reel_ts_sealed_release(data);
}


static ngx_int_t
prepare(ngx_http_reel_stream_t *s)
{
    ts_t *t = s->data;

    ngx_int_t   rc;
    reel_err_t  err;

    rc = ngx_http_reel_ts_track_read(s, &t->track);
    if (rc != NGX_OK) {
        return rc;
    }

    err = t->sealed ? begin_sealed(s->play, t)
                    : reel_ts_init(&t->ts, &t->track.segment);

    if (err != REEL_OK) {
        return ngx_http_reel_piece_damaged(s, &t->track.in.pieces[0],
                                           reel_err_name(err));
    }

    s->length = t->sealed ? NGX_HTTP_REEL_LENGTH_UNKNOWN
                          : (off_t) t->ts.size;

    return NGX_OK;
}


static reel_err_t
begin_sealed(ngx_http_reel_play_t *p, ts_t *t)
{
    u_char              iv[REEL_KEY];
    reel_err_t          err;
    reel_content_key_t  key;

    err = reel_protection_key(&key, &p->opts, p->rendition,
                              REEL_FORM_SEGMENTS, t->period);
    if (err == REEL_OK) {
        err = reel_protection_iv(iv, &p->opts, p->rendition, t->period);
    }

    if (err == REEL_OK) {
        err = reel_ts_sealed_init(t->sealed, &t->track.segment, key.key, iv);
    }

    ngx_explicit_memzero(&key, sizeof(key));

    return err;
}


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    ts_t *t = s->data;

    reel_ts_seek(&t->ts, (uint64_t) offset);

    return (off_t) t->ts.out;
}


/* a range cannot be asked for where no length was told */
static off_t
seek_sealed(ngx_http_reel_stream_t *s, off_t offset)
{
    return 0;
}


/* what one read of one fragment gives */
static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    ts_t *t = s->data;

    size_t                  len, min;
    u_char                 *in;
    ngx_int_t               rc;
    reel_ts_t              *ts;
    reel_err_t              err;
    ngx_http_reel_piece_t  *piece;

    ts = t->sealed ? &t->sealed->ts : &t->ts;
    min = t->sealed ? REEL_TS_SEALED_IN : REEL_TS_INPUT_MIN;

    do {
        piece = &t->track.in.pieces[ts->fragment];
        in = p;
        len = 0;

        if (ts->left) {
            /* as many as the buffer takes, and a bit: packets have heads */
            len = (size_t) ngx_min(ts->left, size);

            rc = ngx_http_reel_piece_read(s, piece, ts->taken,
                                          (size_t) ngx_min(ts->left, min),
                                          len, &in, &len);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        err = t->sealed ? reel_ts_sealed_write(t->sealed, p, size, in, len, n)
                        : reel_ts_write(ts, p, size, in, len, n);
        if (err != REEL_OK) {
            return ngx_http_reel_piece_damaged(s, piece, "a sample is not of "
                                               "whole NAL units");
        }

    } while (*n == 0 && ts->fragment < t->track.in.n);

    if (t->sealed && ts->fragment == t->track.in.n) {
        s->length = s->pos + *n;
        s->end = s->length;
    }

    return *n ? NGX_OK
              : ngx_http_reel_piece_damaged(s, piece, "it ends too early");
}

/*
 * Transport streams, made of stored fragments.  The moofs of a segment's
 * fragments are read before anything is sent: they tell its length, unless
 * its samples are encrypted.
 */

#include <assert.h>

#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/ts/sealed.h"

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_pieces_t   in;
    reel_ts_config_t         configs[REEL_SEGMENT_FRAGMENTS];
    reel_ts_fragment_t       fragments[REEL_SEGMENT_FRAGMENTS];
    reel_ts_segment_t        segment;
    reel_ts_t                ts;
    reel_ts_sealed_t        *sealed;    /* with SAMPLE-AES, instead of ts */
    uint32_t                 period;    /* of its key */
} ts_t;

/* samples of one byte each that lie apart */
static_assert(NGX_HTTP_REEL_STRETCHES >= REEL_TS_SEALED_IN
              && NGX_HTTP_REEL_STRETCHES >= REEL_TS_INPUT_MIN,
              "no read may gather what gets it on");

static ngx_int_t read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t);
static reel_err_t read_config(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t, ngx_uint_t i);
static ngx_int_t add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t, uint32_t fragment);
static void release_sealed(void *data);
static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static reel_err_t begin_sealed(ngx_http_reel_play_t *p, ts_t *t);
static ngx_int_t add_fragment(ngx_http_reel_stream_t *s, ts_t *t,
    ngx_uint_t i);
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

    rc = ngx_http_reel_pieces_find(r, p, first, count, &t->in);

    if (rc == NGX_DECLINED) {
        rc = read_configs(r, p, t);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    t->segment.number = p->number;
    t->segment.fragments = t->fragments;
    t->segment.nfragments = t->in.n;

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


/* NGX_DECLINED: they are read, else what is answered */
static ngx_int_t
read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p, ts_t *t)
{
    ngx_uint_t  i;
    reel_err_t  err;

    for (i = 0; i < t->in.n; i++) {

        if (i && t->in.pieces[i].header == t->in.pieces[i - 1].header) {
            t->fragments[i].config = t->fragments[i - 1].config;
            continue;
        }

        err = read_config(r, p, t, i);

        if (err == REEL_UNSUPPORTED) {
            return ngx_http_reel_play_absent(r, "a transport stream has "
                                             "H.264 or AAC only");
        }

        if (err == REEL_NOMEM) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (err != REEL_OK) {
            return ngx_http_reel_segment_lost(r, p, err);
        }
    }

    return NGX_DECLINED;
}


static reel_err_t
read_config(ngx_http_request_t *r, ngx_http_reel_play_t *p, ts_t *t,
    ngx_uint_t i)
{
    u_char             *mem;
    reel_str_t          header;
    reel_err_t          err;
    reel_ts_codec_t     codec;
    reel_cmaf_track_t   track;

    header = p->index->headers[t->in.pieces[i].header];

    err = reel_cmaf_read_header(&track, header.p, header.len, NULL);
    if (err != REEL_OK) {
        return err;
    }

    switch (track.codec) {

    case REEL_CODEC_AVC:
        codec = REEL_TS_AVC;
        break;

    case REEL_CODEC_AAC:
        codec = REEL_TS_AAC;
        break;

    default:
        return REEL_UNSUPPORTED;
    }

    mem = ngx_pnalloc(r->pool, REEL_TS_SETS_MAX(track.config.len) + 1);
    if (mem == NULL) {
        return REEL_NOMEM;
    }

    t->segment.timescale = track.timescale;
    t->fragments[i].config = &t->configs[i];

    return reel_ts_config(&t->configs[i], codec, track.config, mem);
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
    ngx_uint_t  i;
    reel_err_t  err;

    rc = ngx_http_reel_pieces_read(s, &t->in);

    for (i = 0; i < t->in.n && rc == NGX_OK; i++) {
        rc = add_fragment(s, t, i);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    err = t->sealed ? begin_sealed(s->play, t)
                    : reel_ts_init(&t->ts, &t->segment);

    if (err != REEL_OK) {
        return ngx_http_reel_piece_damaged(s, &t->in.pieces[0],
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
        err = reel_ts_sealed_init(t->sealed, &t->segment, key.key, iv);
    }

    ngx_explicit_memzero(&key, sizeof(key));

    return err;
}


static ngx_int_t
add_fragment(ngx_http_reel_stream_t *s, ts_t *t, ngx_uint_t i)
{
    uint32_t                k;
    reel_ts_sample_t       *to;
    reel_ts_fragment_t     *f;
    reel_cmaf_sample_t     *from;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    to = ngx_palloc(s->request->pool,
                    piece->nsamples * sizeof(reel_ts_sample_t));
    if (to == NULL) {
        return NGX_ERROR;
    }

    for (k = 0; k < piece->nsamples; k++) {
        from = &piece->samples[k];

        to[k] = (reel_ts_sample_t) {
            .size = from->size,
            .duration = from->duration,
            .cts_offset = from->cts_offset,
            .sync = from->sync
        };
    }

    f->samples = to;
    f->nsamples = piece->nsamples;
    f->decode_ts = piece->decode_ts;

    return NGX_OK;
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
        piece = &t->in.pieces[ts->fragment];
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

    } while (*n == 0 && ts->fragment < t->in.n);

    if (t->sealed && ts->fragment == t->in.n) {
        s->length = s->pos + *n;
        s->end = s->length;
    }

    return *n ? NGX_OK
              : ngx_http_reel_piece_damaged(s, piece, "it ends too early");
}

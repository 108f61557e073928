/* a rendition's part of a transport stream: see ngx_http_reel_ts.h */

#include "ngx_module/ngx_http_reel_ts.h"

static ngx_int_t read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_ts_track_t *t);
static reel_err_t read_config(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_ts_track_t *t, ngx_uint_t i);
static ngx_int_t add_fragment(ngx_http_reel_stream_t *s,
    ngx_http_reel_ts_track_t *t, ngx_uint_t i);


ngx_int_t
ngx_http_reel_ts_track_find(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t first, uint32_t count,
    ngx_http_reel_ts_track_t *t)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_pieces_find(r, p, rendition, first, count, &t->in);

    if (rc == NGX_DECLINED) {
        rc = read_configs(r, p, t);
    }

    t->segment.number = p->number;
    t->segment.fragments = t->fragments;
    t->segment.nfragments = t->in.n;

    return rc;
}


/* NGX_DECLINED: they are read, else what is answered */
static ngx_int_t
read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_ts_track_t *t)
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
read_config(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_ts_track_t *t, ngx_uint_t i)
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


ngx_int_t
ngx_http_reel_ts_track_read(ngx_http_reel_stream_t *s,
    ngx_http_reel_ts_track_t *t)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = ngx_http_reel_pieces_read(s, &t->in);

    for (i = 0; i < t->in.n && rc == NGX_OK; i++) {
        rc = add_fragment(s, t, i);
    }

    return rc;
}


static ngx_int_t
add_fragment(ngx_http_reel_stream_t *s, ngx_http_reel_ts_track_t *t,
    ngx_uint_t i)
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

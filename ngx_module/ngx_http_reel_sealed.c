/* CMAF segments made of samples: what is asked for, its codec and keys */

#include "ngx_module/ngx_http_reel_sealed.h"


static ngx_int_t start(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    uint32_t first, uint32_t count, ngx_uint_t iframe);
static ngx_http_reel_sealed_t *add_sealed(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static void cleanup(void *data);
static reel_err_t find_codec(ngx_http_reel_play_t *p,
    ngx_http_reel_sealed_t *t);
static reel_err_t find_keys(ngx_http_reel_play_t *p,
    ngx_http_reel_sealed_t *t, uint32_t fragment);


static const ngx_http_reel_stream_ops_t  ops = {
    ngx_http_reel_sealed_prepare, ngx_http_reel_sealed_seek,
    ngx_http_reel_sealed_produce
};


ngx_int_t
ngx_http_reel_sealed_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    uint32_t     first, count;
    const char  *detail;

    detail = ngx_http_reel_segment_fragments(p, &first, &count);
    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    return start(r, p, first, count, 0);
}


ngx_int_t
ngx_http_reel_sealed_iframe(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    if (p->opts.protection == NULL || p->rendition->kind != REEL_VIDEO) {
        return ngx_http_reel_play_absent(r, "I-frames are ranges of segments "
                                         "where these are not encrypted");
    }

    if (p->number >= p->index->fragments) {
        return ngx_http_reel_play_absent(r, "the rendition has no such "
                                         "I-frame");
    }

    return start(r, p, p->number, 1, 1);
}


static ngx_int_t
start(ngx_http_request_t *r, ngx_http_reel_play_t *p, uint32_t first,
    uint32_t count, ngx_uint_t iframe)
{
    ngx_int_t                rc;
    reel_err_t               err;
    reel_form_t              form;
    ngx_http_reel_sealed_t  *t;

    t = add_sealed(r, p);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_pieces_find(r, p, p->rendition, first, count, &t->in);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    t->iframe = iframe;
    err = find_codec(p, t);

    if (err == REEL_OK) {
        err = find_keys(p, t, first);
    }

    if (err == REEL_UNSUPPORTED) {
        return ngx_http_reel_play_absent(r, "this codec cannot be encrypted "
                                         "here: aes-128 can");
    }

    if (err != REEL_OK) {
        return ngx_http_reel_segment_lost(r, p, err);
    }

    t->stream.ops = &ops;
    t->stream.data = t;
    t->stream.play = p;
    t->stream.what = &p->segment;

    form = iframe ? REEL_FORM_IFRAMES : REEL_FORM_SEGMENTS;

    if (t->clear
        && ngx_http_reel_whole(r, p, &t->stream, form, first) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_stream_start(r, &t->stream);
}


static ngx_http_reel_sealed_t *
add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_reel_sealed_t  *t;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_sealed_t));
    if (cln == NULL) {
        return NULL;
    }

    t = cln->data;
    ngx_memzero(t, sizeof(ngx_http_reel_sealed_t));
    cln->handler = cleanup;

    t->clear = p->opts.protection->keys.scheme == REEL_SCHEME_AES128;

    return t;
}


static void
cleanup(void *data)
{
    ngx_http_reel_sealed_t *t = data;

    ngx_uint_t  i;

    reel_seal_release(&t->seal);
    reel_buf_release(&t->pssh);
    reel_slices_free(t->slices);

    for (i = 0; i < REEL_SEGMENT_FRAGMENTS; i++) {
        reel_buf_release(&t->fragments[i].moof);
        reel_subsamples_release(&t->fragments[i].subs);
    }
}


/* by the header of the first piece: a segment is of one codec */
static reel_err_t
find_codec(ngx_http_reel_play_t *p, ngx_http_reel_sealed_t *t)
{
    bool               whole;
    uint8_t            lengths;
    reel_str_t         header;
    reel_err_t         err;
    reel_cmaf_track_t  track;

    if (t->clear) {
        return REEL_OK;
    }

    header = p->index->headers[t->in.pieces[0].header];

    err = reel_cmaf_read_header(&track, header.p, header.len, NULL);

    if (err == REEL_OK) {
        err = reel_subsamples_kind(&whole, track.codec);
    }

    if (err != REEL_OK) {
        return err;
    }

    t->protect.whole = whole;

    if (whole || track.codec == REEL_CODEC_VP9) {
        return REEL_OK;
    }

    /* lengthSizeMinusOne: 14496-15, 5.3.3.1.2 and 8.3.3.1.2 */
    lengths = track.codec == REEL_CODEC_AVC ? 4 : 21;

    if (track.config.len <= lengths || (track.config.p[lengths] & 3) != 3) {
        return REEL_UNSUPPORTED;
    }

    t->slices = reel_slices_new(track.codec, track.config);

    return t->slices ? REEL_OK : REEL_NOMEM;
}


static reel_err_t
find_keys(ngx_http_reel_play_t *p, ngx_http_reel_sealed_t *t,
    uint32_t fragment)
{
    reel_err_t                err;
    reel_content_key_t        key;
    const reel_protection_t  *pr;

    if (t->clear) {
        return REEL_OK;
    }

    pr = p->opts.protection;

    err = ngx_http_reel_sealed_protect(p, &t->protect,
                                       reel_protection_period(pr, fragment),
                                       &key);

    if (err == REEL_OK) {
        err = reel_seal_init(&t->seal, pr->keys.scheme, key.key);
    }

    if (t->protect.rotated && err == REEL_OK) {
        reel_buf_init(&t->pssh, NGX_HTTP_REEL_SEALED_MOOF_MAX);
        reel_protection_pssh(&t->pssh, pr, &key);
        err = reel_buf_err(&t->pssh);
    }

    ngx_explicit_memzero(&key, sizeof(key));

    return err;
}

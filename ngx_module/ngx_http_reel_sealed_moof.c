/*
 * Moofs of encrypted fragments.  Which bytes of a picture are encrypted
 * stands in the moof, before the picture: so the lengths of its NAL units
 * are read first, a few bytes each.
 */

#include "ngx_module/ngx_http_reel_sealed.h"


#define ENTRIES_MAX  (1u << 20)


static ngx_int_t prepare_fragment(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_entries(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_nals(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t make_moof(ngx_http_reel_stream_t *s, ngx_uint_t i);


ngx_int_t
ngx_http_reel_sealed_prepare(ngx_http_reel_stream_t *s)
{
    ngx_http_reel_sealed_t *t = s->data;

    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = ngx_http_reel_pieces_read(s, &t->in);

    for ( /* void */ ; rc == NGX_OK && t->ready < t->in.n; t->ready++) {
        rc = prepare_fragment(s, t->ready);

        if (rc != NGX_OK) {
            break;
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    s->length = 0;

    for (i = 0; i < t->in.n; i++) {
        s->length += (off_t) (t->fragments[i].moof.len
                              + t->fragments[i].bytes);
    }

    return NGX_OK;
}


static ngx_int_t
prepare_fragment(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    uint32_t                          k;
    ngx_int_t                         rc;
    ngx_http_reel_sealed_fragment_t  *f;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    if (t->iframe && piece->nsamples > 1) {
        piece->nsamples = 1;
    }

    if (!t->clear && !t->protect.whole) {
        rc = find_entries(s, i);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (f->bytes = 0, k = 0; k < piece->nsamples; k++) {
        f->bytes += piece->samples[k].size;

        /* its IV would be the next one's too */
        if (t->protect.whole && t->protect.scheme == REEL_SCHEME_CENC
            && piece->samples[k].duration == 0)
        {
            return ngx_http_reel_piece_damaged(s, piece, "a frame of sound "
                                               "has no duration");
        }
    }

    return make_moof(s, i);
}


/* the subsamples of all samples; goes on where it had to wait */
static ngx_int_t
find_entries(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    ngx_int_t                         rc;
    reel_err_t                        err;
    ngx_http_reel_sealed_fragment_t  *f;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    if (f->counts == NULL) {
        reel_subsamples_init(&f->subs, t->codec, ENTRIES_MAX);
        f->counts = ngx_palloc(s->request->pool, (piece->nsamples + 1)
                                                 * sizeof(uint16_t));
        if (f->counts == NULL) {
            return NGX_ERROR;
        }
    }

    while (f->sample < piece->nsamples) {

        if (!f->begun) {
            reel_subsamples_begin(&f->subs);
            f->begun = 1;
            f->at = 0;
        }

        rc = find_nals(s, i);
        if (rc != NGX_OK) {
            return rc;
        }

        err = reel_subsamples_end(&f->subs, &f->counts[f->sample]);
        if (err != REEL_OK) {
            return ngx_http_reel_piece_damaged(s, piece, "a picture of too "
                                               "many parts");
        }

        f->begun = 0;
        f->sample++;

        /* stored samples lie in a row */
        f->row += piece->samples[f->sample - 1].size;
    }

    return NGX_OK;
}


static ngx_int_t
find_nals(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    off_t                             from;
    size_t                            n;
    u_char                           *p, head[REEL_NAL_HEAD];
    uint32_t                          left, size;
    ngx_int_t                         rc;
    ngx_http_reel_sealed_fragment_t  *f;
    reel_cmaf_sample_t               *q;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];
    q = &piece->samples[f->sample];
    from = piece->offsets ? piece->offsets[f->sample]
                          : piece->data + (off_t) f->row;

    while (f->at < q->size) {
        left = q->size - f->at;
        n = ngx_min(left, REEL_NAL_HEAD);

        rc = ngx_http_reel_stream_read(s, piece->file, from + f->at, n, n,
                                       &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memzero(head, sizeof(head));
        ngx_memcpy(head, p, ngx_min(n, sizeof(head)));

        /* the IV of a sample without duration would be the next one's too */
        if (reel_subsamples_nal(&f->subs, head, left,
                                t->protect.scheme == REEL_SCHEME_CENC
                                && q->duration == 0, &size)
            != REEL_OK)
        {
            return ngx_http_reel_piece_damaged(s, piece, "a sample is not of "
                                               "whole NAL units");
        }

        f->at += size;
    }

    return NGX_OK;
}


static ngx_int_t
make_moof(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    reel_err_t                        err;
    ngx_http_reel_sealed_fragment_t  *f;
    reel_protect_t                    protect;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    protect = t->protect;
    protect.counts = f->counts;
    protect.subs = (reel_subsample_t *) (void *) f->subs.list.data;

    /* a new key is told where a segment begins */
    if (i == 0) {
        protect.pssh = (reel_str_t) { (char *) t->pssh.data, t->pssh.len };
    }

    reel_buf_init(&f->moof, NGX_HTTP_REEL_SEALED_MOOF_MAX);

    err = reel_cmaf_fragment_sealed(&f->moof, piece->track_id,
                                    piece->sequence, piece->decode_ts,
                                    piece->samples, piece->nsamples,
                                    t->clear ? NULL : &protect);

    if (err == REEL_NOMEM) {
        return NGX_ERROR;
    }

    return err == REEL_OK ? NGX_OK
           : ngx_http_reel_piece_damaged(s, piece, reel_err_name(err));
}

/*
 * Moofs of encrypted fragments.  Which bytes of a picture are encrypted
 * stands in the moof, before the picture: so the heads of its NAL units are
 * read first: some bytes each, or of small pictures many at once.
 */

#include "ngx_module/ngx_http_reel_sealed.h"


#define ENTRIES_MAX  (1u << 20)

/* of how many bytes a read takes so many: those of several pictures */
#define SMALL        4096
#define SMALL_READ   16384

/* bytes of the samples, from one of them on, that were read at once */
typedef struct {
    u_char                  *p;
    size_t                   len;
    uint64_t                 from;
} window_t;

static ngx_int_t prepare_fragment(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_entries(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_nals(ngx_http_reel_stream_t *s, ngx_uint_t i,
    window_t *w);
static ngx_int_t look(ngx_http_reel_stream_t *s, ngx_uint_t i, window_t *w,
    uint64_t from, size_t n);
static ngx_int_t find_frames(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_index(ngx_http_reel_stream_t *s, ngx_uint_t i,
    reel_cmaf_sample_t *q);
static ngx_int_t add_frame(ngx_http_reel_stream_t *s, ngx_uint_t i,
    reel_cmaf_sample_t *q, uint32_t size);
static ngx_uint_t stays_clear(ngx_http_reel_sealed_t *t,
    reel_cmaf_sample_t *q);
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

    reel_slices_free(t->slices);
    t->slices = NULL;

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

    if (!t->clear && !t->protect.whole) {
        rc = find_entries(s, i);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return make_moof(s, i);
}


/* the subsamples of all samples; goes on where it had to wait */
static ngx_int_t
find_entries(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    window_t                          w;
    ngx_int_t                         rc;
    reel_err_t                        err;
    ngx_http_reel_sealed_fragment_t  *f;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];
    ngx_memzero(&w, sizeof(window_t));

    if (f->counts == NULL) {
        reel_subsamples_init(&f->subs, t->protect.scheme, t->slices,
                             ENTRIES_MAX);
        f->counts = ngx_palloc(s->request->pool, (piece->nsamples + 1)
                                                 * sizeof(uint16_t));
        if (f->counts == NULL) {
            return NGX_ERROR;
        }

        /* it begins with a key frame */
        ngx_memzero(&t->refs, sizeof(reel_vp9_refs_t));
    }

    while (f->sample < piece->nsamples) {

        if (!f->begun) {
            reel_subsamples_begin(&f->subs);
            f->begun = 1;
            f->at = 0;
            f->look = REEL_NAL_HEAD;
            f->nframes = 0;
            f->headed = 0;
        }

        rc = t->slices ? find_nals(s, i, &w) : find_frames(s, i);
        if (rc != NGX_OK) {
            return rc;
        }

        err = reel_subsamples_end(&f->subs, &f->counts[f->sample]);
        if (err != REEL_OK) {
            return ngx_http_reel_piece_damaged(s, piece, "a picture of too "
                                               "many parts");
        }

        f->begun = 0;
        f->row += piece->samples[f->sample++].size;
    }

    return NGX_OK;
}


static ngx_int_t
find_nals(ngx_http_reel_stream_t *s, ngx_uint_t i, window_t *w)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                            n;
    uint32_t                          left, size;
    ngx_int_t                         rc;
    reel_err_t                        err;
    ngx_http_reel_sealed_fragment_t  *f;
    reel_cmaf_sample_t               *q;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];
    q = &piece->samples[f->sample];

    while (f->at < q->size) {
        left = q->size - f->at;
        n = ngx_min(left, f->look);

        rc = look(s, i, w, f->row + f->at, n);
        if (rc != NGX_OK) {
            return rc;
        }

        n = ngx_min(w->len, left);
        err = reel_subsamples_nal(&f->subs, w->p, (uint32_t) n, left,
                                  stays_clear(t, q), &size);

        if (err == REEL_AGAIN && n < left && n < REEL_NAL_HEAD_MAX) {
            f->look = ngx_min(8 * f->look, REEL_NAL_HEAD_MAX);
            continue;
        }

        if (err != REEL_OK) {
            return ngx_http_reel_piece_damaged(s, piece, "a sample is not of "
                                               "whole NAL units");
        }

        f->at += size;
        f->look = REEL_NAL_HEAD;
    }

    return NGX_OK;
}


/* sets w->p to n bytes of the samples */
static ngx_int_t
look(ngx_http_reel_stream_t *s, ngx_uint_t i, window_t *w, uint64_t from,
    size_t n)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                            size, skip;
    ngx_http_reel_piece_t            *piece;
    ngx_http_reel_sealed_fragment_t  *f;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    /* from grows */
    skip = (size_t) ngx_min(from - w->from, w->len);
    w->from += skip;
    w->len -= skip;

    if (w->len >= n) {
        w->p += skip;
        return NGX_OK;
    }

    size = f->bytes / piece->nsamples < SMALL ? SMALL_READ : n;
    w->from = from;

    return ngx_http_reel_piece_read(s, piece, from, n,
                                    (size_t) ngx_min(size, f->bytes - from),
                                    &w->p, &w->len);
}


/* the same of VP9, whose samples are frames, or several and an index */
static ngx_int_t
find_frames(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ngx_http_reel_sealed_t *t = s->data;

    uint32_t                          size;
    ngx_int_t                         rc;
    reel_cmaf_sample_t               *q;
    ngx_http_reel_sealed_fragment_t  *f;

    f = &t->fragments[i];
    q = &t->in.pieces[i].samples[f->sample];

    rc = q->size ? find_index(s, i, q) : NGX_OK;
    if (rc != NGX_OK) {
        return rc;
    }

    for ( /* void */ ; f->frame < f->nframes; f->frame++) {
        rc = add_frame(s, i, q, f->sizes[f->frame]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    size = q->size - f->at;

    return reel_subsamples_add(&f->subs, size, size, size, 1) == REEL_OK
           ? NGX_OK : NGX_ERROR;
}


/* the first frame's header as well: it is before the index, and what lies
   behind an internal location is read on */
static ngx_int_t
find_index(ngx_http_reel_stream_t *s, ngx_uint_t i, reel_cmaf_sample_t *q)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                            n;
    u_char                           *p;
    ngx_int_t                         rc;
    ngx_http_reel_piece_t            *piece;
    ngx_http_reel_sealed_fragment_t  *f;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    if (f->headed == 0) {
        n = ngx_min(q->size, REEL_VP9_HEADER_MAX);

        rc = ngx_http_reel_piece_read(s, piece, f->row, n, n, &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memcpy(f->head, p, n);
        f->headed = n;
    }

    if (f->nframes == 0) {
        n = ngx_min(q->size, REEL_VP9_INDEX_MAX);

        rc = ngx_http_reel_piece_read(s, piece, f->row + q->size - n, n, n,
                                      &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }

        f->nframes = reel_vp9_superframe(f->sizes, p, n, q->size);
        f->frame = 0;
    }

    return NGX_OK;
}


static ngx_int_t
add_frame(ngx_http_reel_stream_t *s, ngx_uint_t i, reel_cmaf_sample_t *q,
    uint32_t size)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                            n, lead;
    u_char                           *p;
    ngx_int_t                         rc;
    ngx_http_reel_piece_t            *piece;
    ngx_http_reel_sealed_fragment_t  *f;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];
    n = ngx_min(size, REEL_VP9_HEADER_MAX);

    if (n == 0) {
        return NGX_OK;
    }

    if (f->at == 0) {
        p = f->head;

    } else {
        rc = ngx_http_reel_piece_read(s, piece, f->row + f->at, n, n, &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (reel_vp9_frame_header(&lead, &t->refs, p, n) != REEL_OK
        || reel_subsamples_add(&f->subs, (uint32_t) lead, size,
                               q->size - f->at, stays_clear(t, q))
           != REEL_OK)
    {
        return ngx_http_reel_piece_damaged(s, piece, "a sample is not of "
                                           "VP9's frames");
    }

    f->at += size;

    return NGX_OK;
}


/* the IV of a sample without duration would be the next one's too */
static ngx_uint_t
stays_clear(ngx_http_reel_sealed_t *t, reel_cmaf_sample_t *q)
{
    return t->protect.scheme == REEL_SCHEME_CENC && q->duration == 0;
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

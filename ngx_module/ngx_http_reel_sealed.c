/*
 * CMAF segments made of samples: encrypted with cenc or cbcs, or as they are
 * for AES-128 to go around.  Which bytes of a picture are encrypted stands in
 * the moof, before the picture: so the lengths of its NAL units are read
 * first, a few bytes each.
 */

#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/mp4/protect.h"
#include "lib/mp4/subsamples.h"

#define MOOF_MAX     (64u << 20)
#define ENTRIES_MAX  (1u << 20)

/* with less than a block there is no getting on */
#define INPUT_MIN    (2 * REEL_AES_BLOCK)

typedef struct {
    reel_buf_t               moof;      /* and the head of the mdat */
    reel_subsamples_t        subs;
    uint16_t                *counts;    /* of entries a sample */
    uint64_t                 bytes;     /* of samples */
    /* while the entries are found */
    uint32_t                 sample;
    uint32_t                 at;        /* byte of it */
    uint64_t                 row;       /* bytes of those before it */
    unsigned                 begun:1;
} fragment_t;

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_pieces_t   in;
    fragment_t               fragments[REEL_SEGMENT_FRAGMENTS];
    ngx_uint_t               ready;     /* of which all is known */

    reel_codec_t             codec;
    reel_protect_t           protect;
    reel_buf_t               pssh;      /* of a key that is not the first */
    unsigned                 clear:1;   /* no scheme of samples */
    unsigned                 iframe:1;  /* the first sample alone */
    reel_seal_t              seal;

    /* where the body is */
    ngx_uint_t               fragment;
    size_t                   moof_at;   /* bytes of its moof that are out */
    uint32_t                 sample;    /* of the fragment */
    uint32_t                 at;        /* byte of it */
    uint32_t                 sub;       /* first entry of it */
    uint64_t                 row;       /* bytes of the samples before it … */
    uint64_t                 ticks;     /* … and what they last */
} sealed_t;

static ngx_int_t start(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    uint32_t first, uint32_t count, ngx_uint_t iframe);
static sealed_t *add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static void cleanup(void *data);
static reel_err_t find_codec(ngx_http_reel_play_t *p, sealed_t *t);
static reel_err_t find_keys(ngx_http_reel_play_t *p, sealed_t *t,
    uint32_t fragment);
static reel_err_t fill_protect(ngx_http_reel_play_t *p,
    reel_protect_t *protect, uint32_t period, reel_content_key_t *key);
static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static ngx_int_t prepare_fragment(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_entries(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t find_nals(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t make_moof(ngx_http_reel_stream_t *s, ngx_uint_t i);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);
static off_t run_of(sealed_t *t, size_t max, size_t *len);
static ngx_int_t seal_samples(ngx_http_reel_stream_t *s, u_char *out,
    u_char *in, size_t len, size_t *done);
static reel_err_t begin_sample(sealed_t *t);
static void next_sample(sealed_t *t);


static const ngx_http_reel_stream_ops_t  ops = { prepare, seek, produce };


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
    sealed_t    *t;
    ngx_int_t    rc;
    reel_err_t   err;
    reel_form_t  form;

    t = add_sealed(r, p);
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_pieces_find(r, p, first, count, &t->in);
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


static sealed_t *
add_sealed(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    sealed_t            *t;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(sealed_t));
    if (cln == NULL) {
        return NULL;
    }

    t = cln->data;
    ngx_memzero(t, sizeof(sealed_t));
    cln->handler = cleanup;

    t->clear = p->opts.protection->keys.scheme == REEL_SCHEME_AES128;

    return t;
}


static void
cleanup(void *data)
{
    sealed_t *t = data;

    ngx_uint_t  i;

    reel_seal_release(&t->seal);
    reel_buf_release(&t->pssh);

    for (i = 0; i < REEL_SEGMENT_FRAGMENTS; i++) {
        reel_buf_release(&t->fragments[i].moof);
        reel_subsamples_release(&t->fragments[i].subs);
    }
}


/* by the header of the first piece: a segment is of one codec */
static reel_err_t
find_codec(ngx_http_reel_play_t *p, sealed_t *t)
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

    t->codec = track.codec;
    t->protect.whole = whole;

    if (whole) {
        return REEL_OK;
    }

    /* lengthSizeMinusOne: 14496-15, 5.3.3.1.2 and 8.3.3.1.2 */
    lengths = track.codec == REEL_CODEC_AVC ? 4 : 21;

    return track.config.len > lengths && (track.config.p[lengths] & 3) == 3
           ? REEL_OK : REEL_UNSUPPORTED;
}


static reel_err_t
find_keys(ngx_http_reel_play_t *p, sealed_t *t, uint32_t fragment)
{
    reel_err_t                err;
    reel_content_key_t        key;
    const reel_protection_t  *pr;

    if (t->clear) {
        return REEL_OK;
    }

    pr = p->opts.protection;

    err = fill_protect(p, &t->protect,
                       reel_protection_period(pr, fragment), &key);

    if (err == REEL_OK) {
        err = reel_seal_init(&t->seal, pr->keys.scheme, key.key);
    }

    if (t->protect.rotated && err == REEL_OK) {
        reel_buf_init(&t->pssh, MOOF_MAX);
        reel_protection_pssh(&t->pssh, pr, &key);
        err = reel_buf_err(&t->pssh);
    }

    ngx_explicit_memzero(&key, sizeof(key));

    return err;
}


static reel_err_t
fill_protect(ngx_http_reel_play_t *p, reel_protect_t *protect,
    uint32_t period, reel_content_key_t *key)
{
    reel_err_t                err;
    const reel_protection_t  *pr;

    pr = p->opts.protection;

    protect->scheme = pr->keys.scheme;
    protect->ordinal = (uint8_t) (p->rendition - p->index->renditions);
    protect->rotated = pr->period != 0;

    err = reel_protection_key(key, &p->opts, p->rendition,
                              REEL_FORM_SEGMENTS, period);
    if (err != REEL_OK) {
        return err;
    }

    ngx_memcpy(protect->kid, key->kid, REEL_KID);

    if (pr->keys.scheme == REEL_SCHEME_CBCS) {
        err = reel_protection_iv(protect->iv, &p->opts, p->rendition, period);
    }

    return err;
}


reel_err_t
ngx_http_reel_sealed_header(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_str_t header, ngx_str_t *out)
{
    bool                 whole;
    reel_buf_t           pssh, b;
    reel_err_t           err;
    reel_protect_t       protect;
    reel_cmaf_track_t    track;
    reel_content_key_t   key;

    ngx_memzero(&protect, sizeof(reel_protect_t));

    err = reel_cmaf_read_header(&track, header.p, header.len, NULL);

    if (err == REEL_OK) {
        err = reel_subsamples_kind(&whole, track.codec);
    }

    if (err == REEL_OK) {
        protect.whole = whole;
        err = fill_protect(p, &protect, 0, &key);
    }

    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&pssh, MOOF_MAX);
    reel_buf_init(&b, MOOF_MAX);

    reel_protection_pssh(&pssh, p->opts.protection, &key);
    ngx_explicit_memzero(&key, sizeof(key));

    protect.pssh = (reel_str_t) { (char *) pssh.data, pssh.len };
    err = reel_buf_err(&pssh);

    if (err == REEL_OK) {
        err = reel_protect_header(&b, header, &protect);
    }

    if (err == REEL_OK) {
        out->len = b.len;
        out->data = ngx_pnalloc(r->pool, b.len);

        if (out->data) {
            ngx_memcpy(out->data, b.data, b.len);
        } else {
            err = REEL_NOMEM;
        }
    }

    reel_buf_release(&pssh);
    reel_buf_release(&b);

    return err;
}


static ngx_int_t
prepare(ngx_http_reel_stream_t *s)
{
    sealed_t *t = s->data;

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
    sealed_t *t = s->data;

    uint32_t                k;
    ngx_int_t               rc;
    fragment_t             *f;
    ngx_http_reel_piece_t  *piece;

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
    sealed_t *t = s->data;

    ngx_int_t               rc;
    reel_err_t              err;
    fragment_t             *f;
    ngx_http_reel_piece_t  *piece;

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
    sealed_t *t = s->data;

    off_t                   from;
    size_t                  n;
    u_char                 *p, head[REEL_NAL_HEAD];
    uint32_t                left, size;
    ngx_int_t               rc;
    fragment_t             *f;
    reel_cmaf_sample_t     *q;
    ngx_http_reel_piece_t  *piece;

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
    sealed_t *t = s->data;

    reel_err_t              err;
    fragment_t             *f;
    reel_protect_t          protect;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[i];
    f = &t->fragments[i];

    protect = t->protect;
    protect.counts = f->counts;
    protect.subs = (reel_subsample_t *) (void *) f->subs.list.data;

    /* a new key is told where a segment begins */
    if (i == 0) {
        protect.pssh = (reel_str_t) { (char *) t->pssh.data, t->pssh.len };
    }

    reel_buf_init(&f->moof, MOOF_MAX);

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


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    sealed_t *t = s->data;

    off_t        pos, len;
    fragment_t  *f;

    f = NULL;

    for (pos = 0; t->fragment < t->in.n; t->fragment++, pos += len) {
        f = &t->fragments[t->fragment];
        len = (off_t) (f->moof.len + f->bytes);

        if (len > offset - pos) {
            break;
        }
    }

    if (t->fragment == t->in.n || f == NULL
        || (off_t) f->moof.len > offset - pos)
    {
        return pos;
    }

    t->moof_at = f->moof.len;
    pos += f->moof.len;

    while (t->in.pieces[t->fragment].samples[t->sample].size <= offset - pos)
    {
        pos += t->in.pieces[t->fragment].samples[t->sample].size;
        next_sample(t);
    }

    return pos;
}


/* what one read of one fragment gives, and its moof before that */
static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    sealed_t *t = s->data;

    off_t                   from;
    size_t                  head, len, done;
    u_char                 *in;
    ngx_int_t               rc;
    fragment_t             *f;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[t->fragment];
    f = &t->fragments[t->fragment];

    head = ngx_min(f->moof.len - t->moof_at, size);
    len = 0;
    from = 0;

    if (size - head >= INPUT_MIN) {
        from = run_of(t, size - head, &len);
    }

    /* first, as nothing may change when it says NGX_AGAIN */
    if (len) {
        rc = ngx_http_reel_stream_read(s, piece->file, from,
                                       ngx_min(len, INPUT_MIN), len, &in,
                                       &len);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    ngx_memcpy(p, f->moof.data + t->moof_at, head);
    t->moof_at += head;
    done = 0;

    if (len) {
        rc = seal_samples(s, p + head, in, len, &done);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    *n = head + done;

    if (t->moof_at == f->moof.len && t->sample == piece->nsamples) {
        t->fragment++;
        t->moof_at = 0;
        t->sample = 0;
        t->sub = 0;
        t->row = 0;
        t->ticks = 0;
    }

    return *n ? NGX_OK
              : ngx_http_reel_piece_damaged(s, piece, "it ends too early");
}


/* where the next bytes lie, and how many of max are there in a row */
static off_t
run_of(sealed_t *t, size_t max, size_t *len)
{
    off_t                   from;
    size_t                  n;
    uint32_t                k;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[t->fragment];

    if (piece->offsets == NULL) {
        n = (size_t) ngx_min(t->fragments[t->fragment].bytes - t->row
                             - t->at, max);
        *len = n;
        return piece->data + (off_t) (t->row + t->at);
    }

    while (t->sample < piece->nsamples
           && piece->samples[t->sample].size == 0)
    {
        next_sample(t);
    }

    if (t->sample == piece->nsamples) {
        return 0;
    }

    k = t->sample;
    from = piece->offsets[k] + t->at;
    n = piece->samples[k].size - t->at;

    for (k++; k < piece->nsamples && n < max
         && piece->offsets[k] == from + (off_t) n; k++)
    {
        n += piece->samples[k].size;
    }

    *len = ngx_min(n, max);

    return from;
}


static ngx_int_t
seal_samples(ngx_http_reel_stream_t *s, u_char *out, u_char *in, size_t len,
    size_t *done)
{
    sealed_t *t = s->data;

    size_t                  part, sealed;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[t->fragment];

    while (len) {
        part = ngx_min(len, piece->samples[t->sample].size - t->at);
        sealed = part;

        if (t->clear) {
            ngx_memcpy(out, in, part);

        } else if ((t->at == 0 && begin_sample(t) != REEL_OK)
                   || reel_seal_run(&t->seal, out, in, part, &sealed)
                      != REEL_OK)
        {
            return NGX_ERROR;
        }

        out += sealed;
        in += sealed;
        len -= sealed;
        *done += sealed;
        t->at += (uint32_t) sealed;

        if (sealed < part) {
            break;
        }

        while (t->sample < piece->nsamples
               && t->at == piece->samples[t->sample].size)
        {
            next_sample(t);
        }
    }

    return NGX_OK;
}


static reel_err_t
begin_sample(sealed_t *t)
{
    uint8_t                 iv[16];
    fragment_t             *f;
    ngx_http_reel_piece_t  *piece;

    f = &t->fragments[t->fragment];
    piece = &t->in.pieces[t->fragment];

    if (t->protect.scheme == REEL_SCHEME_CENC) {
        reel_cenc_iv(iv, t->protect.ordinal,
                     piece->decode_ts + (int64_t) t->ticks);
    } else {
        ngx_memcpy(iv, t->protect.iv, sizeof(iv));
    }

    return reel_seal_begin(&t->seal, iv,
                           t->protect.whole
                           ? NULL : reel_subsamples_at(&f->subs, t->sub),
                           t->protect.whole ? 0 : f->counts[t->sample],
                           piece->samples[t->sample].size);
}


static void
next_sample(sealed_t *t)
{
    fragment_t          *f;
    reel_cmaf_sample_t  *q;

    f = &t->fragments[t->fragment];
    q = &t->in.pieces[t->fragment].samples[t->sample];

    t->sub += f->counts ? f->counts[t->sample] : 0;
    t->row += q->size;
    t->ticks += q->duration;
    t->at = 0;
    t->sample++;
}

/* bodies of segments that are made of samples, encrypted on the way */

#include "ngx_module/ngx_http_reel_sealed.h"


/* with less than a block there is no getting on */
#define INPUT_MIN    (2 * REEL_AES_BLOCK)


static ngx_int_t seal_samples(ngx_http_reel_stream_t *s, u_char *p,
    size_t len, size_t *done);
static reel_err_t begin_sample(ngx_http_reel_sealed_t *t);
static void next_sample(ngx_http_reel_sealed_t *t);


off_t
ngx_http_reel_sealed_seek(ngx_http_reel_stream_t *s, off_t offset)
{
    ngx_http_reel_sealed_t *t = s->data;

    off_t                             pos, len;
    ngx_http_reel_sealed_fragment_t  *f;

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
ngx_int_t
ngx_http_reel_sealed_produce(ngx_http_reel_stream_t *s, u_char *p,
    size_t size, size_t *n)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                            head, len, done;
    u_char                           *to;
    uint64_t                          from;
    ngx_int_t                         rc;
    ngx_http_reel_sealed_fragment_t  *f;
    ngx_http_reel_piece_t            *piece;

    piece = &t->in.pieces[t->fragment];
    f = &t->fragments[t->fragment];

    head = ngx_min(f->moof.len - t->moof_at, size);
    to = p + head;
    from = t->row + t->at;
    len = 0;

    if (size - head >= INPUT_MIN) {
        len = (size_t) ngx_min(f->bytes - from, size - head);
    }

    /* first, as nothing may change when it says NGX_AGAIN */
    if (len) {
        rc = ngx_http_reel_piece_read_to(s, piece, from,
                                         ngx_min(len, INPUT_MIN), len, to,
                                         &len);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    ngx_memcpy(p, f->moof.data + t->moof_at, head);
    t->moof_at += head;
    done = 0;

    if (len) {
        rc = seal_samples(s, to, len, &done);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    *n = head + done;

    if (t->moof_at == f->moof.len && t->row + t->at == f->bytes) {
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


/* where they lie */
static ngx_int_t
seal_samples(ngx_http_reel_stream_t *s, u_char *p, size_t len, size_t *done)
{
    ngx_http_reel_sealed_t *t = s->data;

    size_t                  part, sealed;
    ngx_http_reel_piece_t  *piece;

    piece = &t->in.pieces[t->fragment];

    while (len) {
        part = ngx_min(len, piece->samples[t->sample].size - t->at);
        sealed = part;

        if (!t->clear
            && ((t->at == 0 && begin_sample(t) != REEL_OK)
                || reel_seal_run(&t->seal, p, p, part, &sealed) != REEL_OK))
        {
            return NGX_ERROR;
        }

        p += sealed;
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
begin_sample(ngx_http_reel_sealed_t *t)
{
    uint8_t                           iv[16];
    ngx_http_reel_sealed_fragment_t  *f;
    ngx_http_reel_piece_t            *piece;

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
next_sample(ngx_http_reel_sealed_t *t)
{
    ngx_http_reel_sealed_fragment_t  *f;
    reel_cmaf_sample_t               *q;

    f = &t->fragments[t->fragment];
    q = &t->in.pieces[t->fragment].samples[t->sample];

    t->sub += f->counts ? f->counts[t->sample] : 0;
    t->row += q->size;
    t->ticks += q->duration;
    t->at = 0;
    t->sample++;
}

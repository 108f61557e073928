/*
 * Segments of movies whose bytes are gathered: of files behind an internal
 * location, and of such as have their samples in many short runs, as sound
 * between pictures lies.  A run sent by itself costs a sendfile and a packet.
 */

#include "ngx_module/ngx_http_reel_piece.h"

#define MOOF_MAX  (64u << 20)

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_piece_t    piece;
    reel_buf_t               moof;
    off_t                    sizes;     /* of the samples in all */
    off_t                    at;        /* of the body, that is made next */
} media_t;

static media_t *create_media(ngx_http_request_t *r);
static void free_media(void *data);
static ngx_int_t start(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    media_t *m);
static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);


static const ngx_http_reel_stream_ops_t  ops = { prepare, seek, produce };


ngx_int_t
ngx_http_reel_gathered_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    media_t     *m;
    ngx_int_t    rc;
    reel_err_t   err;

    m = create_media(r);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_movie_piece(r, p, p->rendition, p->number, &m->piece);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    err = reel_cmaf_fragment(&m->moof, m->piece.track_id, m->piece.sequence,
                             m->piece.decode_ts, m->piece.samples,
                             m->piece.nsamples);
    if (err != REEL_OK) {
        return ngx_http_reel_segment_lost(r, p, err);
    }

    return start(r, p, m);
}


ngx_int_t
ngx_http_reel_gathered_send(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const ngx_http_reel_piece_t *piece, reel_buf_t *moof)
{
    media_t  *m;

    m = create_media(r);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->piece = *piece;
    m->moof = *moof;
    reel_buf_init(moof, moof->max);

    return start(r, p, m);
}


static media_t *
create_media(ngx_http_request_t *r)
{
    media_t             *m;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(media_t));
    if (cln == NULL) {
        return NULL;
    }

    m = cln->data;
    ngx_memzero(m, sizeof(media_t));
    reel_buf_init(&m->moof, MOOF_MAX);
    cln->handler = free_media;

    return m;
}


static void
free_media(void *data)
{
    media_t *m = data;

    reel_buf_release(&m->moof);
}


static ngx_int_t
start(ngx_http_request_t *r, ngx_http_reel_play_t *p, media_t *m)
{
    uint32_t  i;

    for (i = 0; i < m->piece.nsamples; i++) {
        m->sizes += m->piece.samples[i].size;
    }

    m->stream.ops = &ops;
    m->stream.data = m;
    m->stream.play = p;
    m->stream.what = &p->segment;

    return ngx_http_reel_stream_start(r, &m->stream);
}


/* an upstream's first bytes come before the header: they may not be there */
static ngx_int_t
prepare(ngx_http_reel_stream_t *s)
{
    media_t *m = s->data;

    size_t   n;
    u_char  *p;

    s->length = (off_t) m->moof.len + m->sizes;

    if (s->play->place.uri.len == 0 || m->sizes == 0
        || s->request->method == NGX_HTTP_HEAD)
    {
        return NGX_OK;
    }

    return ngx_http_reel_piece_read(s, &m->piece, 0, 1, 1, &p, &n);
}


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    media_t *m = s->data;

    m->at = offset;

    return offset;
}


/* the moof, and in the same buffer what is at hand of the samples */
static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    media_t *m = s->data;

    off_t       from;
    size_t      len;
    ngx_int_t   rc;

    *n = 0;

    if (m->at < (off_t) m->moof.len) {
        *n = ngx_min(size, m->moof.len - (size_t) m->at);
        p = ngx_cpymem(p, m->moof.data + m->at, *n);
    }

    from = m->at + (off_t) *n - (off_t) m->moof.len;

    if (*n < size && from < m->sizes) {
        rc = ngx_http_reel_piece_read_to(s, &m->piece, (uint64_t) from, 1,
                                         size - *n, p, &len);
        if (rc != NGX_OK) {
            return rc;
        }

        *n += len;
    }

    m->at += (off_t) *n;

    return NGX_OK;
}

/* the fragments of a segment: see ngx_http_reel_piece.h */

#include "ngx_module/ngx_http_reel_piece.h"

#include "lib/base/reader.h"
#include "lib/index/packed.h"

/* a moof is thought to have at most so many bytes, and so many a sample */
#define MOOF_HEAD    256
#define MOOF_SAMPLE  16
#define MOOF_MAX     (1024 * 1024)

#define BOX_HEAD     8

typedef ngx_http_reel_piece_t  piece_t;

static ngx_int_t find_objects(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t first, uint32_t count,
    ngx_http_reel_pieces_t *t);
static reel_err_t find_piece(ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, piece_t *piece, uint32_t fragment);
static ngx_int_t read_moof(ngx_http_reel_stream_t *s, piece_t *piece);
static ngx_int_t take_moof(ngx_http_reel_stream_t *s, piece_t *piece,
    const u_char *p, size_t n);
static reel_err_t add_sample(void *data, const reel_cmaf_sample_t *sample);
static ngx_uint_t find_stretches(piece_t *piece, uint64_t from, size_t size,
    size_t *held);


ngx_int_t
ngx_http_reel_pieces_find(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t first, uint32_t count,
    ngx_http_reel_pieces_t *t)
{
    if (p->index->nsamples) {
        t->n = 1;
        t->ready = 1;

        return ngx_http_reel_movie_piece(r, p, rendition, first,
                                         &t->pieces[0]);
    }

    return find_objects(r, p, rendition, first, count, t);
}


/* opens the objects; NGX_DECLINED: all stand, else what is answered */
static ngx_int_t
find_objects(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *rendition, uint32_t first, uint32_t count,
    ngx_http_reel_pieces_t *t)
{
    unsigned        n;
    uint64_t        left;
    ngx_int_t       rc;
    ngx_uint_t      e;
    reel_err_t      err;
    ngx_file_t     *file;
    reel_extent_t   ext[REEL_EXTENTS_MAX];

    err = reel_index_locate(p->index, rendition, first, count, ext, &n);
    if (err != REEL_OK) {
        return ngx_http_reel_segment_lost(r, p, err);
    }

    for (e = 0; e < n; e++) {
        file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
        if (file == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_reel_object_open(r, p, r->pool, rendition->name,
                                       &ext[e], 1, file);
        if (rc == NGX_DECLINED) {
            return ngx_http_reel_play_again(r, p);
        }

        if (rc != NGX_OK) {
            return ngx_http_reel_object_refuse(r, rc);
        }

        for (left = ext[e].size; left && t->n < count; t->n++) {
            err = find_piece(p, rendition, &t->pieces[t->n], first + t->n);

            if (err != REEL_OK || t->pieces[t->n].size > left) {
                return ngx_http_reel_segment_lost(r, p, err);
            }

            t->pieces[t->n].file = file;
            left -= t->pieces[t->n].size;
        }
    }

    return NGX_DECLINED;
}


static reel_err_t
find_piece(ngx_http_reel_play_t *p, const reel_rendition_t *rendition,
    piece_t *piece, uint32_t fragment)
{
    unsigned       n;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    err = reel_index_locate(p->index, rendition, fragment, 1, ext, &n);
    if (err != REEL_OK) {
        return err;
    }

    piece->offset = (off_t) ext[0].offset;
    piece->size = ext[0].size;
    piece->header = ext[0].header;
    piece->indexed = (uint32_t) reel_runs_at(rendition->sample_bytes, fragment);

    return REEL_OK;
}


ngx_int_t
ngx_http_reel_pieces_read(ngx_http_reel_stream_t *s, ngx_http_reel_pieces_t *t)
{
    ngx_int_t  rc;

    for ( /* void */ ; t->ready < t->n; t->ready++) {
        rc = read_moof(s, &t->pieces[t->ready]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* its length is known when its first bytes are: nearly always the first try */
static ngx_int_t
read_moof(ngx_http_reel_stream_t *s, piece_t *piece)
{
    size_t      n, need;
    u_char     *p;
    ngx_int_t   rc;

    if (piece->need == 0) {
        piece->need = MOOF_HEAD + (uint64_t) piece->indexed * MOOF_SAMPLE;
    }

    for ( ;; ) {
        need = (size_t) ngx_min(piece->need, ngx_min(piece->size, MOOF_MAX));

        rc = ngx_http_reel_stream_read(s, piece->file, piece->offset, need,
                                       need, &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = take_moof(s, piece, p, n);
        if (rc != NGX_AGAIN) {
            return rc;
        }

        if (piece->need <= n || piece->need > piece->size
            || piece->need > MOOF_MAX)
        {
            return ngx_http_reel_piece_damaged(s, piece,
                                               "moof: its size cannot be");
        }
    }
}


/* NGX_AGAIN: piece->need says how many bytes it takes */
static ngx_int_t
take_moof(ngx_http_reel_stream_t *s, piece_t *piece, const u_char *p,
    size_t n)
{
    reel_err_t         err;
    reel_error_t       e;
    reel_cmaf_moof_t   m;

    e.text[0] = '\0';

    err = reel_cmaf_read_moof(&m, p, n, NULL, NULL, &e);

    if (err == REEL_AGAIN && n >= BOX_HEAD) {
        piece->need = (uint64_t) reel_be32(p) + BOX_HEAD;
        return NGX_AGAIN;
    }

    if (err != REEL_OK) {
        return ngx_http_reel_piece_damaged(s, piece, e.text);
    }

    if (m.moof_size + m.mdat_size != piece->size) {
        return ngx_http_reel_piece_damaged(s, piece, "moof: the index has "
                                           "another size");
    }

    piece->nsamples = 0;
    piece->samples = ngx_palloc(s->request->pool,
                                m.nsamples * sizeof(reel_cmaf_sample_t));
    if (piece->samples == NULL) {
        return NGX_ERROR;
    }

    err = reel_cmaf_read_moof(&m, p, n, add_sample, piece, &e);
    if (err != REEL_OK) {
        return ngx_http_reel_piece_damaged(s, piece, e.text);
    }

    piece->track_id = m.track_id;
    piece->sequence = m.sequence;
    piece->decode_ts = m.decode_ts;
    piece->data = piece->offset + (off_t) m.data_offset;

    return NGX_OK;
}


static reel_err_t
add_sample(void *data, const reel_cmaf_sample_t *sample)
{
    piece_t *piece = data;

    piece->samples[piece->nsamples++] = *sample;

    return REEL_OK;
}


ngx_int_t
ngx_http_reel_piece_read(ngx_http_reel_stream_t *s, piece_t *piece,
    uint64_t from, size_t min, size_t size, u_char **p, size_t *n)
{
    size_t      held;
    ngx_uint_t  stretches;

    if (piece->offsets == NULL) {
        return ngx_http_reel_stream_read(s, piece->file,
                                         piece->data + (off_t) from, min,
                                         size, p, n);
    }

    if (piece->stretches == NULL) {
        piece->stretches = ngx_palloc(s->request->pool,
                                      NGX_HTTP_REEL_STRETCHES
                                      * sizeof(ngx_http_reel_stretch_t));
        if (piece->stretches == NULL) {
            return NGX_ERROR;
        }
    }

    stretches = find_stretches(piece, from, size, &held);

    /* who asked for more than they hold would ask again for ever */
    if (stretches == 0 || held < min) {
        return ngx_http_reel_piece_damaged(s, piece, "it has no such bytes");
    }

    return ngx_http_reel_stream_gather(s, piece->file, piece->stretches,
                                       stretches, min, p, n);
}


ngx_int_t
ngx_http_reel_piece_read_to(ngx_http_reel_stream_t *s, piece_t *piece,
    uint64_t from, size_t min, size_t size, u_char *to, size_t *n)
{
    u_char     *p;
    ngx_int_t   rc;

    s->read.to = to;
    rc = ngx_http_reel_piece_read(s, piece, from, min, size, &p, n);
    s->read.to = NULL;

    return rc;
}


/* of at most size bytes; samples of an interleaved file lie in rows */
static ngx_uint_t
find_stretches(piece_t *piece, uint64_t from, size_t size, size_t *held)
{
    off_t                     offset;
    size_t                    len;
    uint32_t                  k;
    uint64_t                  skip;
    ngx_uint_t                n;
    ngx_http_reel_stretch_t  *x;

    if (from < piece->before) {
        piece->at = 0;
        piece->before = 0;
    }

    while (piece->at < piece->nsamples
           && from - piece->before >= piece->samples[piece->at].size)
    {
        piece->before += piece->samples[piece->at++].size;
    }

    skip = from - piece->before;
    x = piece->stretches - 1;
    n = 0;
    *held = 0;

    for (k = piece->at; k < piece->nsamples && *held < size; k++) {
        offset = piece->offsets[k] + (off_t) skip;
        len = (size_t) ngx_min(piece->samples[k].size - skip, size - *held);
        skip = 0;

        if (n && x->offset + (off_t) x->size == offset) {
            x->size += len;

        } else if (len && n == NGX_HTTP_REEL_STRETCHES) {
            break;

        } else if (len) {
            n++;
            x++;
            x->offset = offset;
            x->size = len;
        }

        *held += len;
    }

    return n;
}


ngx_int_t
ngx_http_reel_piece_damaged(ngx_http_reel_stream_t *s, piece_t *piece,
    const char *text)
{
    ngx_log_error(NGX_LOG_ERR, s->request->connection->log, 0,
                  "reel: object \"%V\", fragment at offset %O: %s",
                  &piece->file->name, piece->offset, text);

    return NGX_ABORT;
}

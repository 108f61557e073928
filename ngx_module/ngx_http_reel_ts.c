/*
 * Transport streams, made of stored fragments.  The moofs of a segment's
 * fragments are read before anything is sent: they tell its length.
 */

#include "ngx_module/ngx_http_reel_stream.h"

#include "lib/index/packed.h"
#include "lib/mp4/cmaf.h"
#include "lib/ts/ts.h"

/* a moof is thought to have at most so many bytes, and so many a sample */
#define MOOF_HEAD    256
#define MOOF_SAMPLE  16
#define MOOF_MAX     (1024 * 1024)

#define BOX_HEAD     8

typedef struct {
    ngx_file_t              *file;
    off_t                    offset;    /* of the moof … */
    uint64_t                 size;      /* … and the mdat behind it */
    uint32_t                 samples;
    uint32_t                 header;    /* number of, in the index */
    uint64_t                 need;      /* bytes that its moof has */
    off_t                    data;      /* where the samples begin */
} piece_t;

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_uint_t               n;         /* pieces */
    ngx_uint_t               ready;     /* of which the moof was read */
    piece_t                  pieces[REEL_SEGMENT_FRAGMENTS];
    reel_ts_config_t         configs[REEL_SEGMENT_FRAGMENTS];
    reel_ts_fragment_t       fragments[REEL_SEGMENT_FRAGMENTS];
    reel_ts_segment_t        segment;
    reel_ts_t                ts;
} ts_t;

typedef struct {
    reel_ts_sample_t        *samples;
    uint32_t                 n;
} samples_t;

static ngx_int_t find_pieces(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t);
static reel_err_t find_piece(ngx_http_reel_play_t *p, piece_t *piece,
    uint32_t fragment);
static ngx_int_t read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t);
static reel_err_t read_config(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ts_t *t, ngx_uint_t i);
static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static ngx_int_t read_moof(ngx_http_reel_stream_t *s, ngx_uint_t i);
static ngx_int_t take_moof(ngx_http_reel_stream_t *s, ngx_uint_t i,
    const u_char *p, size_t n);
static reel_err_t add_sample(void *data, const reel_cmaf_sample_t *sample);
static ngx_int_t damaged(ngx_http_reel_stream_t *s, piece_t *piece,
    const char *text);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);


static const ngx_http_reel_stream_ops_t  ops = { prepare, seek, produce };


ngx_int_t
ngx_http_reel_ts_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ts_t       *t;
    ngx_int_t   rc;

    t = ngx_pcalloc(r->pool, sizeof(ts_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = find_pieces(r, p, t);

    if (rc == NGX_DECLINED) {
        rc = read_configs(r, p, t);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    t->segment.number = p->number;
    t->segment.fragments = t->fragments;
    t->segment.nfragments = t->n;

    t->stream.ops = &ops;
    t->stream.data = t;
    t->stream.play = p;
    t->stream.what = &p->segment;

    return ngx_http_reel_stream_start(r, &t->stream);
}


/* opens the objects; NGX_DECLINED: all stand, else what is answered */
static ngx_int_t
find_pieces(ngx_http_request_t *r, ngx_http_reel_play_t *p, ts_t *t)
{
    unsigned        n;
    uint32_t        first, count;
    uint64_t        left;
    ngx_int_t       rc;
    ngx_uint_t      e;
    reel_err_t      err;
    const char     *detail;
    ngx_file_t     *file;
    reel_extent_t   ext[REEL_EXTENTS_MAX];

    detail = ngx_http_reel_segment_fragments(p, &first, &count);
    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    err = reel_index_locate(p->index, p->rendition, first, count, ext, &n);
    if (err != REEL_OK) {
        return ngx_http_reel_segment_lost(r, p, err);
    }

    for (e = 0; e < n; e++) {
        file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
        if (file == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_reel_object_open(r, p, r->pool, p->rendition->name,
                                       &ext[e], 1, file);
        if (rc == NGX_DECLINED) {
            return ngx_http_reel_play_again(r, p);
        }

        if (rc != NGX_OK) {
            return ngx_http_reel_object_refuse(r, rc);
        }

        for (left = ext[e].size; left && t->n < count; t->n++) {
            err = find_piece(p, &t->pieces[t->n], first + t->n);

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
find_piece(ngx_http_reel_play_t *p, piece_t *piece, uint32_t fragment)
{
    unsigned       n;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    err = reel_index_locate(p->index, p->rendition, fragment, 1, ext, &n);
    if (err != REEL_OK) {
        return err;
    }

    piece->offset = (off_t) ext[0].offset;
    piece->size = ext[0].size;
    piece->header = ext[0].header;
    piece->samples = (uint32_t) reel_runs_at(p->rendition->sample_bytes,
                                             fragment);

    return REEL_OK;
}


/* NGX_DECLINED: they are read, else what is answered */
static ngx_int_t
read_configs(ngx_http_request_t *r, ngx_http_reel_play_t *p, ts_t *t)
{
    ngx_uint_t  i;
    reel_err_t  err;

    for (i = 0; i < t->n; i++) {

        if (i && t->pieces[i].header == t->pieces[i - 1].header) {
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

    header = p->index->headers[t->pieces[i].header];

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
prepare(ngx_http_reel_stream_t *s)
{
    ts_t *t = s->data;

    ngx_int_t   rc;
    reel_err_t  err;

    for ( /* void */ ; t->ready < t->n; t->ready++) {
        rc = read_moof(s, t->ready);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    err = reel_ts_init(&t->ts, &t->segment);
    if (err != REEL_OK) {
        return damaged(s, &t->pieces[0], reel_err_name(err));
    }

    s->length = (off_t) t->ts.size;

    return NGX_OK;
}


/* its length is known when its first bytes are: nearly always the first try */
static ngx_int_t
read_moof(ngx_http_reel_stream_t *s, ngx_uint_t i)
{
    ts_t *t = s->data;

    size_t      n, need;
    u_char     *p;
    piece_t    *piece;
    ngx_int_t   rc;

    piece = &t->pieces[i];

    if (piece->need == 0) {
        piece->need = MOOF_HEAD + (uint64_t) piece->samples * MOOF_SAMPLE;
    }

    for ( ;; ) {
        need = (size_t) ngx_min(piece->need, ngx_min(piece->size, MOOF_MAX));

        rc = ngx_http_reel_stream_read(s, piece->file, piece->offset, need,
                                       need, &p, &n);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = take_moof(s, i, p, n);
        if (rc != NGX_AGAIN) {
            return rc;
        }

        if (piece->need <= n || piece->need > piece->size
            || piece->need > MOOF_MAX)
        {
            return damaged(s, piece, "moof: its size cannot be");
        }
    }
}


/* NGX_AGAIN: piece->need says how many bytes it takes */
static ngx_int_t
take_moof(ngx_http_reel_stream_t *s, ngx_uint_t i, const u_char *p, size_t n)
{
    ts_t *t = s->data;

    piece_t             *piece;
    samples_t            to;
    reel_err_t           err;
    reel_error_t         e;
    reel_cmaf_moof_t     m;
    reel_ts_fragment_t  *f;

    piece = &t->pieces[i];
    f = &t->fragments[i];
    e.text[0] = '\0';

    err = reel_cmaf_read_moof(&m, p, n, NULL, NULL, &e);

    if (err == REEL_AGAIN && n >= BOX_HEAD) {
        piece->need = ((uint64_t) p[0] << 24 | (uint64_t) p[1] << 16
                       | (uint64_t) p[2] << 8 | p[3]) + BOX_HEAD;
        return NGX_AGAIN;
    }

    if (err != REEL_OK) {
        return damaged(s, piece, e.text);
    }

    if (m.moof_size + m.mdat_size != piece->size) {
        return damaged(s, piece, "moof: the index has another size");
    }

    to.n = 0;
    to.samples = ngx_palloc(s->request->pool,
                            m.nsamples * sizeof(reel_ts_sample_t));
    if (to.samples == NULL) {
        return NGX_ERROR;
    }

    err = reel_cmaf_read_moof(&m, p, n, add_sample, &to, &e);
    if (err != REEL_OK) {
        return damaged(s, piece, e.text);
    }

    f->samples = to.samples;
    f->nsamples = to.n;
    f->decode_ts = m.decode_ts;
    piece->data = piece->offset + (off_t) m.data_offset;

    return NGX_OK;
}


static reel_err_t
add_sample(void *data, const reel_cmaf_sample_t *sample)
{
    samples_t *to = data;

    to->samples[to->n++] = (reel_ts_sample_t) {
        .size = sample->size,
        .duration = sample->duration,
        .cts_offset = sample->cts_offset,
        .sync = sample->sync
    };

    return REEL_OK;
}


static ngx_int_t
damaged(ngx_http_reel_stream_t *s, piece_t *piece, const char *text)
{
    ngx_log_error(NGX_LOG_ERR, s->request->connection->log, 0,
                  "reel: object \"%V\", fragment at offset %O: %s",
                  &piece->file->name, piece->offset, text);

    return NGX_ABORT;
}


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    ts_t *t = s->data;

    reel_ts_seek(&t->ts, (uint64_t) offset);

    return (off_t) t->ts.out;
}


/* what one read of one fragment gives */
static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    ts_t *t = s->data;

    size_t      len, min;
    u_char     *in;
    piece_t    *piece;
    ngx_int_t   rc;
    reel_err_t  err;

    do {
        piece = &t->pieces[t->ts.fragment];
        in = p;
        len = 0;

        if (t->ts.left) {
            /* as many as the buffer takes, and a bit: packets have heads */
            len = (size_t) ngx_min(t->ts.left, size);
            min = (size_t) ngx_min(t->ts.left, REEL_TS_INPUT_MIN);

            rc = ngx_http_reel_stream_read(s, piece->file,
                                           piece->data + (off_t) t->ts.taken,
                                           min, len, &in, &len);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        err = reel_ts_write(&t->ts, p, size, in, len, n);
        if (err != REEL_OK) {
            return damaged(s, piece, "a sample is not of whole NAL units");
        }

    } while (*n == 0 && t->ts.fragment < t->n);

    return *n ? NGX_OK : damaged(s, piece, "it ends too early");
}

/*
 * Transport streams of pictures and sound together, as nginx-vod-module's
 * players ask for them: as ngx_http_reel_ts.c, of two renditions in turn.
 */

#include "ngx_module/ngx_http_reel_ts.h"

#include "lib/ts/mux.h"

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_ts_track_t pictures;
    ngx_http_reel_ts_track_t sound;
    reel_ts_mux_t            mux;
    size_t                   made;      /* bytes in the buffer */
} both_t;

static ngx_int_t prepare(ngx_http_reel_stream_t *s);
static off_t seek(ngx_http_reel_stream_t *s, off_t offset);
static ngx_int_t produce(ngx_http_reel_stream_t *s, u_char *p, size_t size,
    size_t *n);
static ngx_int_t produce_of(ngx_http_reel_stream_t *s, reel_ts_t *ts,
    u_char *p, size_t size, size_t *n);


static const ngx_http_reel_stream_ops_t  ops = { prepare, seek, produce };


ngx_int_t
ngx_http_reel_ts_both(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    both_t      *b;
    uint32_t     first, count;
    ngx_int_t    rc;
    const char  *detail;

    detail = ngx_http_reel_segment_fragments(p, &first, &count);

    if (detail == NULL && p->opts.protection) {
        detail = "encrypted pictures and sound have segments of their own: "
                 "load the playlist again";
    }

    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    b = ngx_pcalloc(r->pool, sizeof(both_t));
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pictures.segment.part = REEL_TS_PICTURES;
    b->sound.segment.part = REEL_TS_SOUND;

    rc = ngx_http_reel_ts_track_find(r, p, p->rendition, first, count,
                                     &b->pictures);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_ts_track_find(r, p, p->second, first, count,
                                         &b->sound);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    b->stream.ops = &ops;
    b->stream.data = b;
    b->stream.play = p;
    b->stream.what = &p->segment;

    return ngx_http_reel_stream_start(r, &b->stream);
}


static ngx_int_t
prepare(ngx_http_reel_stream_t *s)
{
    both_t *b = s->data;

    ngx_int_t   rc;
    reel_err_t  err;

    rc = ngx_http_reel_ts_track_read(s, &b->pictures);

    if (rc == NGX_OK) {
        rc = ngx_http_reel_ts_track_read(s, &b->sound);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    err = reel_ts_mux_init(&b->mux, &b->pictures.segment, &b->sound.segment);

    if (err != REEL_OK) {
        return ngx_http_reel_piece_damaged(s, &b->pictures.in.pieces[0],
                                           reel_err_name(err));
    }

    s->length = (off_t) b->mux.size;

    return NGX_OK;
}


static off_t
seek(ngx_http_reel_stream_t *s, off_t offset)
{
    both_t *b = s->data;

    reel_ts_mux_seek(&b->mux, (uint64_t) offset);

    return (off_t) b->mux.out;
}


/*
 * Reads of the two in turn, until the buffer is full: what is in it already
 * stays there while bytes are waited for.
 */
static ngx_int_t
produce(ngx_http_reel_stream_t *s, u_char *p, size_t size, size_t *n)
{
    both_t *b = s->data;

    ngx_int_t   rc;
    reel_ts_t  *ts;

    while (size - b->made >= REEL_TS_PACKET) {

        ts = reel_ts_mux_next(&b->mux);
        if (ts == NULL) {
            break;
        }

        rc = produce_of(s, ts, p + b->made, size - b->made, n);
        if (rc != NGX_OK) {
            return rc;
        }

        b->made += *n;
    }

    *n = b->made;
    b->made = 0;

    return *n ? NGX_OK
              : ngx_http_reel_piece_damaged(s, &b->pictures.in.pieces[0],
                                            "it ends too early");
}


static ngx_int_t
produce_of(ngx_http_reel_stream_t *s, reel_ts_t *ts, u_char *p, size_t size,
    size_t *n)
{
    both_t *b = s->data;

    size_t                     len;
    u_char                    *in;
    ngx_int_t                  rc;
    ngx_http_reel_piece_t     *piece;
    ngx_http_reel_ts_track_t  *track;

    track = ts == &b->mux.pictures ? &b->pictures : &b->sound;
    piece = &track->in.pieces[ts->fragment];
    in = p;
    len = 0;

    if (ts->left) {
        len = ngx_min(reel_ts_mux_wants(ts), size + REEL_TS_INPUT_MIN);
        len = ngx_min(len, NGX_HTTP_REEL_STREAM_BUFFER);

        rc = ngx_http_reel_piece_read(s, piece, ts->taken,
                                      ngx_min(len, REEL_TS_INPUT_MIN), len,
                                      &in, &len);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return reel_ts_mux_write(&b->mux, ts, p, size, in, len, n) == REEL_OK
           ? NGX_OK
           : ngx_http_reel_piece_damaged(s, piece, "a sample is not of whole "
                                         "NAL units");
}

/*
 * The fragments of a segment, for what is made of their samples: which
 * samples they have, and where the bytes of these lie.
 */

#ifndef NGX_HTTP_REEL_PIECE_H
#define NGX_HTTP_REEL_PIECE_H

#include "ngx_module/ngx_http_reel_stream.h"

#include "lib/mp4/cmaf.h"

typedef struct {
    ngx_file_t              *file;
    uint32_t                 header;    /* number of, in the index */

    /* stored: of the moof, and with the mdat behind it */
    off_t                    offset;
    uint64_t                 size;
    uint32_t                 indexed;   /* samples that the index tells */
    uint64_t                 need;      /* bytes that its moof has */

    /* once it was read */
    uint32_t                 track_id;
    uint32_t                 sequence;
    int64_t                  decode_ts;
    uint32_t                 nsamples;
    reel_cmaf_sample_t      *samples;
    off_t                    data;      /* where they lie, in a row … */
    off_t                   *offsets;   /* … or, not NULL, each of them */
} ngx_http_reel_piece_t;

typedef struct {
    ngx_uint_t               n;
    ngx_uint_t               ready;     /* of which the samples are known */
    ngx_http_reel_piece_t    pieces[REEL_SEGMENT_FRAGMENTS];
} ngx_http_reel_pieces_t;

/*
 * Finds fragments [first, first + count) and opens what they lie in;
 * NGX_DECLINED: all stand, else what is answered.
 */
ngx_int_t ngx_http_reel_pieces_find(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, uint32_t first, uint32_t count,
    ngx_http_reel_pieces_t *pieces);

/* reads the moofs that were not read; returns what ops return */
ngx_int_t ngx_http_reel_pieces_read(ngx_http_reel_stream_t *s,
    ngx_http_reel_pieces_t *pieces);

/* a fragment of a movie file, of which it sets all; as _pieces_find() */
ngx_int_t ngx_http_reel_movie_piece(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, uint32_t fragment,
    ngx_http_reel_piece_t *piece);

/* logs; NGX_ABORT */
ngx_int_t ngx_http_reel_piece_damaged(ngx_http_reel_stream_t *s,
    ngx_http_reel_piece_t *piece, const char *text);

#endif

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

    /* of reading those: the sample at which a read began, and how many bytes
       the ones before it have */
    uint32_t                 at;
    uint64_t                 before;
    ngx_http_reel_stretch_t *stretches;
} ngx_http_reel_piece_t;

typedef struct {
    ngx_uint_t               n;
    ngx_uint_t               ready;     /* of which the samples are known */
    ngx_http_reel_piece_t    pieces[REEL_SEGMENT_FRAGMENTS];
} ngx_http_reel_pieces_t;

/*
 * Finds a rendition's fragments [first, first + count) and opens what they lie
 * in; NGX_DECLINED: all stand, else what is answered.
 */
ngx_int_t ngx_http_reel_pieces_find(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, const reel_rendition_t *rendition,
    uint32_t first, uint32_t count, ngx_http_reel_pieces_t *pieces);

/* reads the moofs that were not read; returns what ops return */
ngx_int_t ngx_http_reel_pieces_read(ngx_http_reel_stream_t *s,
    ngx_http_reel_pieces_t *pieces);

/* a fragment of a movie file, of which it sets all; as _pieces_find() */
ngx_int_t ngx_http_reel_movie_piece(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, const reel_rendition_t *rendition,
    uint32_t fragment, ngx_http_reel_piece_t *piece);

/*
 * Reads bytes of the piece's samples, from byte `from` of all of them on: as
 * ngx_http_reel_stream_read(), wherever they lie.
 */
ngx_int_t ngx_http_reel_piece_read(ngx_http_reel_stream_t *s,
    ngx_http_reel_piece_t *piece, uint64_t from, size_t min, size_t size,
    u_char **p, size_t *n);

/* the same, to there: a part of the buffer that is being made */
ngx_int_t ngx_http_reel_piece_read_to(ngx_http_reel_stream_t *s,
    ngx_http_reel_piece_t *piece, uint64_t from, size_t min, size_t size,
    u_char *to, size_t *n);

/* answers with a CMAF segment of a movie, whose bytes are gathered */
ngx_int_t ngx_http_reel_gathered_media(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

/*
 * The same of a piece and its moof, which it takes; what the piece points to
 * stays as long as r does.
 */
ngx_int_t ngx_http_reel_gathered_send(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, const ngx_http_reel_piece_t *piece,
    reel_buf_t *moof);

/* logs; NGX_ABORT */
ngx_int_t ngx_http_reel_piece_damaged(ngx_http_reel_stream_t *s,
    ngx_http_reel_piece_t *piece, const char *text);

#endif

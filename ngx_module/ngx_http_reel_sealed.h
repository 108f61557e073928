/*
 * CMAF segments made of samples: encrypted with cenc or cbcs, or as they are
 * for AES-128 to go around.
 */

#ifndef NGX_HTTP_REEL_SEALED_H
#define NGX_HTTP_REEL_SEALED_H

#include "ngx_module/ngx_http_reel_piece.h"
#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/codec/vp9_frame.h"
#include "lib/mp4/protect.h"
#include "lib/mp4/subsamples.h"

/* bytes of a moof or of what stands in one */
#define NGX_HTTP_REEL_SEALED_MOOF_MAX  (64u << 20)

typedef struct {
    reel_buf_t               moof;      /* and the head of the mdat */
    reel_subsamples_t        subs;
    uint16_t                *counts;    /* of entries a sample */
    uint64_t                 bytes;     /* of samples */
    /* while the entries are found */
    uint32_t                 sample;
    uint32_t                 at;        /* byte of it */
    uint32_t                 look;      /* bytes to see from there on */
    ngx_uint_t               nframes;   /* of VP9 in it; 0: not known yet */
    ngx_uint_t               frame;
    uint32_t                 sizes[REEL_VP9_FRAMES];
    u_char                   head[REEL_VP9_HEADER_MAX]; /* of the first … */
    size_t                   headed;    /* … so much; 0: not read yet */
    uint64_t                 row;       /* bytes of those before it */
    unsigned                 begun:1;
} ngx_http_reel_sealed_fragment_t;

typedef struct {
    ngx_http_reel_stream_t   stream;
    ngx_http_reel_pieces_t   in;
    ngx_uint_t               ready;     /* fragments of which all is known */
    ngx_http_reel_sealed_fragment_t  fragments[REEL_SEGMENT_FRAGMENTS];

    reel_slices_t           *slices;    /* while moofs are made; not of VP9 */
    reel_vp9_refs_t          refs;
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
} ngx_http_reel_sealed_t;


/* ngx_http_reel_sealed_header.c: what boxes say of a period, and its key */

reel_err_t ngx_http_reel_sealed_protect(ngx_http_reel_play_t *p,
    reel_protect_t *protect, uint32_t period, reel_content_key_t *key);


/* ngx_http_reel_sealed_moof.c: an op of the stream */

ngx_int_t ngx_http_reel_sealed_prepare(ngx_http_reel_stream_t *s);


/* ngx_http_reel_sealed_body.c: the others */

off_t ngx_http_reel_sealed_seek(ngx_http_reel_stream_t *s, off_t offset);
ngx_int_t ngx_http_reel_sealed_produce(ngx_http_reel_stream_t *s, u_char *p,
    size_t size, size_t *n);

#endif

/*
 * What the files of transport streams share: one rendition's part of a
 * segment, as lib/ts takes it.
 */

#ifndef NGX_HTTP_REEL_TS_H
#define NGX_HTTP_REEL_TS_H

#include "ngx_module/ngx_http_reel_piece.h"

#include "lib/ts/ts.h"

typedef struct {
    ngx_http_reel_pieces_t   in;
    reel_ts_config_t         configs[REEL_SEGMENT_FRAGMENTS];
    reel_ts_fragment_t       fragments[REEL_SEGMENT_FRAGMENTS];
    reel_ts_segment_t        segment;
} ngx_http_reel_ts_track_t;


/* ngx_http_reel_ts_track.c */

/* as ngx_http_reel_pieces_find(), with what their headers say */
ngx_int_t ngx_http_reel_ts_track_find(ngx_http_request_t *r,
    ngx_http_reel_play_t *p, const reel_rendition_t *rendition,
    uint32_t first, uint32_t count, ngx_http_reel_ts_track_t *t);

/* as ngx_http_reel_pieces_read(): then t->segment is complete */
ngx_int_t ngx_http_reel_ts_track_read(ngx_http_reel_stream_t *s,
    ngx_http_reel_ts_track_t *t);


/* ngx_http_reel_ts_both.c: of p->rendition, and of the sound p->second */

ngx_int_t ngx_http_reel_ts_both(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);

#endif

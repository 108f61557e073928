/*
 * Movies behind an internal location (reel_play_upstream): looked at, and
 * sent, by ranges that nginx's upstreams fetch.
 */

#ifndef NGX_HTTP_REEL_REMOTE_H
#define NGX_HTTP_REEL_REMOTE_H

#include "ngx_module/ngx_http_reel_fetch.h"
#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_stream.h"

/*
 * Reads of the movie l->path what its index takes.  l->state is set when done
 * is called: PLAYABLE and not unchanged means that l->movie is to be printed
 * (ngx_http_reel_remote_print, in a thread).  done is not called when r's
 * pool is destroyed before.
 */
ngx_int_t ngx_http_reel_remote_look(ngx_http_request_t *r,
    ngx_http_reel_look_t *l, ngx_http_reel_fetched_pt done, void *data);

/* what a client is told of the upstream's status */
ngx_int_t ngx_http_reel_remote_refuse(ngx_http_request_t *r,
    ngx_uint_t status);


/* ngx_http_reel_remote_media.c */

/*
 * For ngx_http_reel_stream_gather(): copies stretches [0, n), or at least min
 * bytes of them.  NGX_AGAIN: the stream goes on when they are there.  file
 * tells those who read in turns from each other.
 */
ngx_int_t ngx_http_reel_remote_gather(ngx_http_reel_stream_t *s,
    ngx_file_t *file, ngx_http_reel_stretch_t *stretches, ngx_uint_t n,
    size_t min, u_char *to, size_t *len);

/* nothing more is read for it: what is under way is given up */
void ngx_http_reel_remote_leave(ngx_http_reel_stream_t *s);

/* nothing was sent yet, and a read has failed: answers that */
ngx_int_t ngx_http_reel_remote_failed(ngx_http_reel_stream_t *s,
    ngx_int_t rc);

#endif

/*
 * Playback: an asset as one file to be saved, in lib/mp4/download.h's form.
 *
 * A two-hour film is 2400 pieces of files.  They are opened and sent a few
 * at a time, as the socket drains: what a download takes does not grow with
 * the film.  A batch's files are closed when all of it has gone out; its
 * buffers and nginx's file objects, with what sendfile in threads hangs on
 * them, are used again.
 */

#ifndef NGX_HTTP_REEL_DOWNLOAD_H
#define NGX_HTTP_REEL_DOWNLOAD_H

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/mp4/download.h"

/* pieces of a batch, at the most */
#define NGX_HTTP_REEL_DOWNLOAD_BATCH  16

typedef struct {
    ngx_http_reel_play_t    *play;
    reel_download_t          d;
    reel_download_pieces_t   pieces;
    ngx_str_t                head;
    off_t                    at;        /* where the next batch begins */
    off_t                    end;

    ngx_pool_t              *files;     /* of the batch on its way, or NULL */
    ngx_uint_t               n;
    ngx_chain_t              links[NGX_HTTP_REEL_DOWNLOAD_BATCH];
    ngx_buf_t                bufs[NGX_HTTP_REEL_DOWNLOAD_BATCH];
    ngx_file_t               file[NGX_HTTP_REEL_DOWNLOAD_BATCH];

    /* asked in the thread pool */
    reel_store_t            *store;
    reel_buf_t               disposition;
} ngx_http_reel_download_t;

/*
 * Makes o's links the next pieces from o->at on, opened, and o->n their
 * number; moves o->at behind them.  They are good until the next batch.  As
 * ngx_http_reel_object_open(); after the header is sent, all but NGX_OK ends
 * the connection.  ngx_http_reel_download_batch.c
 */
ngx_int_t ngx_http_reel_download_batch(ngx_http_request_t *r,
    ngx_http_reel_download_t *o);

#endif

/* one look at an asset's files, in the thread pool */

#ifndef NGX_HTTP_REEL_LOOK_H
#define NGX_HTTP_REEL_LOOK_H

#include "ngx_module/ngx_http_reel_module.h"

typedef struct {
    /* asked */
    reel_store_t            *store;
    reel_str_t               asset;
    const char              *path;      /* of a movie; the store's root */
    ngx_uint_t               sources;   /* play, where there is no index */
    ngx_uint_t               known;     /* st is of the index at hand */

    /* answered */
    ngx_http_reel_asset_e    state;
    ngx_uint_t               unchanged; /* playable: it is the one at hand */
    u_char                  *data;      /* else its bytes, malloced; free */
    size_t                   len;       /* it whatever the state */
    reel_store_stat_t        st;
    ngx_http_reel_hashes_t   hashes;

    ngx_uint_t               source;    /* the movie is one: its name is the
                                           asset's, and it may be unfit */
} ngx_http_reel_look_t;

/* ngx_http_reel_work_pt; data is a ngx_http_reel_look_t */
void ngx_http_reel_look(void *data, ngx_log_t *log);
void ngx_http_reel_movie_look(void *data, ngx_log_t *log);
void ngx_http_reel_source_look(void *data, ngx_log_t *log);

/* the same of a movie that is open; l->path is its name in the log */
ngx_http_reel_asset_e ngx_http_reel_movie_look_at(ngx_http_reel_look_t *l,
    ngx_fd_t fd, ngx_log_t *log);

/*
 * The same of the asset's source.  BAD_FILE: it is not fit to be played as
 * it is; ABSENT: it is gone.
 */
ngx_http_reel_asset_e ngx_http_reel_source_look_at(ngx_http_reel_look_t *l,
    ngx_log_t *log);

/* l->data is an index: checks it, and names its versions */
ngx_http_reel_asset_e ngx_http_reel_look_parsed(ngx_http_reel_look_t *l,
    const char *name, ngx_log_t *log);

#endif

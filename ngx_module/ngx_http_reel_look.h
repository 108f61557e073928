/* one look at an asset's files, in the thread pool */

#ifndef NGX_HTTP_REEL_LOOK_H
#define NGX_HTTP_REEL_LOOK_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/mp4/movie.h"

typedef struct ngx_http_reel_look_s  ngx_http_reel_look_t;

struct ngx_http_reel_look_s {
    /* asked */
    reel_store_t            *store;
    reel_str_t               asset;
    const char              *path;      /* of a movie; the store's root */
    ngx_uint_t               sources;   /* play, where there is no index */
    ngx_uint_t               known;     /* st is of the index at hand */

    /* where len bytes of an index may lie from the first on; or NULL */
    u_char                *(*room)(ngx_http_reel_look_t *l, size_t len,
                                   ngx_log_t *log);

    /* answered */
    ngx_http_reel_asset_e    state;
    ngx_uint_t               unchanged; /* playable: it is the one at hand */
    u_char                  *data;      /* else its bytes: of room(), or if
                                           there is none malloced, whatever
                                           the state */
    size_t                   len;
    reel_store_stat_t        st;
    ngx_http_reel_hashes_t   hashes;

    reel_movie_t            *movie;     /* behind an internal location, read;
                                           to be printed */
    ngx_uint_t               remote;
    ngx_uint_t               status;    /* UPSTREAM: its status */

    ngx_http_reel_beside_t   beside;    /* as st: of a movie's texts */

    ngx_http_reel_grows_t    grows;     /* of a movie, answered */

    ngx_uint_t               source;    /* the movie is one: its name is the
                                           asset's, and it may be unfit */
};

/* ngx_http_reel_work_pt; data is a ngx_http_reel_look_t */
void ngx_http_reel_look(void *data, ngx_log_t *log);
void ngx_http_reel_movie_look(void *data, ngx_log_t *log);
void ngx_http_reel_source_look(void *data, ngx_log_t *log);
void ngx_http_reel_remote_print(void *data, ngx_log_t *log);

extern const reel_large_t  ngx_http_reel_large;

static ngx_inline int64_t
ngx_http_reel_mtime_ns(const struct stat *st)
{
    return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

/* how l->path, of which l->st is known, is read; NGX_ERROR */
ngx_int_t ngx_http_reel_movie_opts(ngx_http_reel_look_t *l,
    reel_movie_opts_t *o);

/* m, of which all is read, as the index of l */
ngx_http_reel_asset_e ngx_http_reel_movie_print(ngx_http_reel_look_t *l,
    reel_movie_t *m, ngx_log_t *log);

/* says why it does not play; BAD_FILE */
ngx_http_reel_asset_e ngx_http_reel_movie_bad(ngx_http_reel_look_t *l,
    ngx_log_t *log, const char *text, uint64_t offset);

/* are they of the same file, unchanged? */
#define ngx_http_reel_same(a, b)                                             \
    ((a)->size == (b)->size && (a)->mtime_ns == (b)->mtime_ns                \
     && (a)->version == (b)->version)

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

/*
 * Titles: several files that play as one (lib/title).
 *
 *   ngx_http_reel_title.c      which paths are titles, and what is played
 *   ngx_http_reel_title_read.c their files: by name, folder, mapping
 *   ngx_http_reel_title_map.c  … a mapping from an internal location
 *   ngx_http_reel_title_row.c  their indexes as one, films in a row
 *   ngx_http_reel_title_keys.c … the keys of each
 *   ngx_http_reel_title_print.c  … as manifests
 *
 * A segment needs the index of its file alone, whose place in the title is
 * in the rendition's name: "2-v720" is of file 2, "3-2-v720" of part 3.
 */

#ifndef NGX_HTTP_REEL_TITLE_H
#define NGX_HTTP_REEL_TITLE_H

#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/crypt/digest.h"
#include "lib/manifest/compose.h"
#include "lib/title/title.h"

typedef enum {
    NGX_HTTP_REEL_TITLE_LIST,           /* <a>,<b>.urlset */
    NGX_HTTP_REEL_TITLE_PATTERN,        /* reel_files_pattern */
    NGX_HTTP_REEL_TITLE_FILE,           /* reel_files_map json */
    NGX_HTTP_REEL_TITLE_ASKED           /* reel_files_map <uri> */
} ngx_http_reel_title_e;

typedef struct ngx_http_reel_title_s  ngx_http_reel_title_t;

struct ngx_http_reel_title_s {
    ngx_http_reel_title_e      kind;
    ngx_http_reel_play_t      *play;
    ngx_str_t                  folder;  /* URIs: of the title … */
    ngx_str_t                  top;     /* … and of the location */

    /* what a thread reads, and finds */
    ngx_pool_t                *pool;    /* of its own */
    char                      *path;    /* mapping or folder */
    ngx_str_t                  below;   /* of names: the pattern's folder, … */
    ngx_str_t                  before;  /* … and what they begin … */
    ngx_str_t                  after;   /* … and end with */
    reel_title_t               title;   /* released with the request */
    reel_err_t                 err;
    reel_error_t               e;
    uint8_t                    digest[REEL_SHA256_LEN];

    ngx_http_request_t        *asked;   /* the subrequest for the mapping */
    ngx_uint_t                 status;  /* of its answer */

    /* the files' indexes, as far as they were looked up */
    ngx_uint_t                 next;
    ngx_uint_t                 found;   /* while it is looked up */
    ngx_http_reel_place_t     *places;
    ngx_http_reel_loaded_t    *loaded;

    /* encrypted: of each file, else NULL; and of what they compose */
    ngx_uint_t                 nkeyed;  /* whose master keys are there */
    ngx_http_reel_protect_t   *protects;
    ngx_http_reel_protect_t   *protect;
    u_char                   (*masters)[NGX_HTTP_REEL_MASTER_KEY];

    /* the one file that is answered from */
    ngx_str_t                  uri;
    const char                *prefix;  /* of its renditions' names */

    /* films in a row: of each that is listed */
    ngx_uint_t                 row;     /* it is one, or a clip of one */
    ngx_uint_t                 nparts;
    ngx_uint_t                *numbers; /* which part it is */
    reel_composed_t          **composed;
    reel_part_t               *parts;
    reel_manifest_opts_t      *opts;
    u_char                   (*prefixes)[64 + REEL_VERSION_HASH];
    reel_composed_t          **all;     /* the parts, or NULL */
    reel_composed_t           *first;   /* of the title, whatever the clip */
    reel_rates_t              *rates;   /* of it, at the worst of all parts */
    unsigned                   rendition;   /* of it, of playlists */
    ngx_uint_t                 part;    /* of a segment */
    ngx_http_reel_hashes_t     hashes;  /* of it */
};


/* ngx_http_reel_title_read.c */

/* finds the files; calls ngx_http_reel_title_got, maybe at once */
ngx_int_t ngx_http_reel_title_read(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);

/* the URI of file i, in the request's pool */
ngx_int_t ngx_http_reel_title_uri(ngx_http_request_t *r,
    ngx_http_reel_title_t *t, ngx_uint_t i, ngx_str_t *uri);


/* ngx_http_reel_title_map.c: asks for the mapping; as above */

ngx_int_t ngx_http_reel_title_ask(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);


/* ngx_http_reel_title.c */

/* t->title is there, or t->err says why not; as a content handler */
ngx_int_t ngx_http_reel_title_got(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);

/* answers from the index of one file */
ngx_int_t ngx_http_reel_title_pick(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);

/* "2-", or "3-2-" in a row: of renditions of file i of a part; NULL */
const char *ngx_http_reel_title_prefix(ngx_http_request_t *r,
    ngx_http_reel_title_t *t, ngx_uint_t part, ngx_uint_t i);

/* 422: logs why, tells the client that */
ngx_int_t ngx_http_reel_title_bad(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);


/* ngx_http_reel_title_row.c */

/* all indexes are there: makes one of them; as a content handler */
ngx_int_t ngx_http_reel_title_compose(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);

/* what a token permits of t->part, if t->row was looked up, in its own time */
void ngx_http_reel_title_limit(ngx_http_reel_title_t *t);


/* ngx_http_reel_title_keys.c */

/*
 * Where the location encrypts, sets t->protects.  NGX_DECLINED: goes on;
 * NGX_DONE: calls ngx_http_reel_title_compose() later; else what was answered.
 */
ngx_int_t ngx_http_reel_title_keys(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);

/* the same as ngx_http_reel_protect(), of t->first */
ngx_int_t ngx_http_reel_title_protect(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);


/* ngx_http_reel_title_print.c: maybe in a thread */

reel_err_t ngx_http_reel_title_master(reel_buf_t *b,
    ngx_http_reel_title_t *t);
reel_err_t ngx_http_reel_title_mpd(reel_buf_t *b, ngx_http_reel_title_t *t);
reel_err_t ngx_http_reel_title_media(reel_buf_t *b,
    ngx_http_reel_title_t *t);
reel_err_t ngx_http_reel_title_iframes(reel_buf_t *b,
    ngx_http_reel_title_t *t);

#endif

/*
 * A range of a file that lies behind an internal location: a background
 * subrequest, whose answer is taken from it before any other filter sees it.
 */

#ifndef NGX_HTTP_REEL_FETCH_H
#define NGX_HTTP_REEL_FETCH_H

#include "ngx_module/ngx_http_reel_module.h"

typedef struct ngx_http_reel_fetch_s  ngx_http_reel_fetch_t;

/* in the event loop, on its own: it may finalize r */
typedef void (*ngx_http_reel_fetched_pt)(ngx_http_request_t *r, void *data);

struct ngx_http_reel_fetch_s {
    /* asked */
    ngx_str_t                uri;       /* decoded, without arguments */
    uint64_t                 offset;
    u_char                  *buf;
    size_t                   size;      /* of buf: so many bytes, or up to
                                           the end of the file */
    ngx_http_reel_fetched_pt  done;
    void                    *data;

    /*
     * Answered: 206 and what is told of the file, or why not: the upstream's
     * status, or 502 and what is wrong with its answer.
     */
    ngx_uint_t               status;
    const char              *wrong;
    size_t                   n;         /* bytes in buf */
    reel_store_stat_t        st;        /* version: of the ETag, or 0 */

    size_t                   length;    /* promised */
    ngx_http_request_t      *request;
    ngx_event_t              event;
};

/*
 * Starts it; f lives in r's pool.  Of f the asked part is set.  When r's pool
 * is destroyed before it ends done is not called.
 */
ngx_int_t ngx_http_reel_fetch(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);

/* puts the filters first; to be called once, when all modules have theirs */
void ngx_http_reel_fetch_init(void);

#endif

/*
 * A range of a file that lies behind an internal location: a background
 * subrequest, whose answer is taken from it before any other filter sees it.
 * The upstream is read as fast as there is room for its bytes, no faster, and
 * nothing of it goes through a temporary file, unless nginx caches it.
 */

#ifndef NGX_HTTP_REEL_FETCH_H
#define NGX_HTTP_REEL_FETCH_H

#include "ngx_module/ngx_http_reel_module.h"

typedef struct ngx_http_reel_fetch_s   ngx_http_reel_fetch_t;
typedef struct ngx_http_reel_answer_s  ngx_http_reel_answer_t;

/* in the event loop, on its own: it may finalize r */
typedef void (*ngx_http_reel_fetched_pt)(ngx_http_request_t *r, void *data);

/*
 * *n bytes are here: sets how many of them are taken now (0: none), and says
 * where they are put; NULL: nowhere, nobody wants them.
 */
typedef u_char *(*ngx_http_reel_room_pt)(ngx_http_reel_fetch_t *f, size_t *n);

struct ngx_http_reel_fetch_s {
    /* asked */
    ngx_str_t                 uri;      /* decoded, without arguments */
    uint64_t                  offset;
    uint64_t                  size;     /* so many bytes, or up to the end of
                                           the file */
    u_char                   *buf;      /* without room: of size bytes */
    ngx_http_reel_room_pt     room;
    uint64_t                  wake;     /* done is called too when n is this
                                           for the first time; 0: not */
    ngx_http_reel_fetched_pt  done;
    void                     *data;

    /*
     * Answered, all of it when over: 206 and what is told of the file, or why
     * not: the upstream's status, or 502 and what is wrong with its answer.
     */
    ngx_uint_t                over;
    ngx_uint_t                status;
    const char               *wrong;
    uint64_t                  n;        /* bytes taken */
    reel_store_stat_t         st;       /* version: of the ETag, or 0 */

    uint64_t                  length;   /* promised … */
    uint64_t                  got;      /* … and come so far */
    ngx_chain_t              *waiting;  /* for room */
    ngx_http_reel_answer_t   *answer;   /* that is under way */
    ngx_http_request_t       *request;
    ngx_event_t               event;
};

/*
 * Starts it; f lives in r's pool.  Of f the asked part is set.  When r's pool
 * is destroyed before it ends done is not called.
 */
ngx_int_t ngx_http_reel_fetch(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);

/* there is room again */
void ngx_http_reel_fetch_more(ngx_http_reel_fetch_t *f);

/* nothing more of it is wanted: done is not called, f may start another */
void ngx_http_reel_fetch_leave(ngx_http_reel_fetch_t *f);

/* puts the filters first; to be called once, when all modules have theirs */
ngx_int_t ngx_http_reel_fetch_init(ngx_conf_t *cf);


/* ngx_http_reel_fetch_head.c */

/*
 * r's header, of an answer with f->status: sets f->st and f->length.  Returns
 * what is wrong with it; NULL: nothing.
 */
const char *ngx_http_reel_fetch_head(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);


/* ngx_http_reel_fetch_limit.c: the timer of limit_rate on a client */

/* nginx's handlers of a subrequest, which others stand around; zeroed */
typedef struct {
    ngx_http_upstream_handler_pt  read;
    ngx_http_event_handler_pt     write;
} ngx_http_reel_fetch_limit_t;

/* in a subrequest's body filter: keeps the timer from now on */
void ngx_http_reel_fetch_limit_keep(ngx_http_request_t *r,
    ngx_http_reel_fetch_limit_t *l);

/* a client whose timer is gone goes on at once */
void ngx_http_reel_fetch_limit_wake(ngx_connection_t *c);

/* of a subrequest that is kept: in ngx_http_reel_fetch.c */
ngx_http_reel_fetch_limit_t *ngx_http_reel_fetch_limit_of(
    ngx_http_request_t *r);

#endif

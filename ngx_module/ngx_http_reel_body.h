/*
 * The pump: reads a request's body and hands it to the thread pool, for
 * every door.  A request owns two buffers: while one is being written, the
 * other is read into.  When that is full too, nothing is read until the disk
 * has caught up, so the disk holds back the socket, and memory stays flat at
 * any size.
 *
 * In the pool at most one write and one flush run at a time; no callback of
 * the event loop that may end the request comes while either does.
 */

#ifndef NGX_HTTP_REEL_BODY_H
#define NGX_HTTP_REEL_BODY_H

#include "ngx_module/ngx_http_reel_module.h"

typedef struct ngx_http_reel_body_s {
    /* set before ngx_http_reel_body_read; data goes to all of them */
    void                   *data;
    ngx_http_reel_work_pt   write;      /* pool: consumes pieces */
    ngx_http_reel_work_pt   finish;     /* pool: the same with the last
                                           pieces (maybe none), and what
                                           follows at the end of the body */
    ngx_http_reel_work_pt   flush;      /* pool, beside write; NULL: none */

    /* after write; NGX_OK: go on, else reading stops: see broken */
    ngx_int_t             (*written)(void *data);
    ngx_http_reel_done_pt   finished;   /* after finish: owns the request */

    /*
     * Reading is over before its end, for rc: an error of the core (the
     * client is gone or too slow, a bad frame), 413 over max, or what
     * written or ngx_http_reel_body_stop said.  Owns the request.
     */
    void                  (*broken)(ngx_http_request_t *r, void *data,
                                    ngx_int_t rc);

    uint64_t                max;        /* bytes, NGX_MAX_OFF_T_VALUE: any */
    uint64_t                flush_size; /* bytes between flushes */
    ngx_uint_t              keep;       /* what came before the end is
                                           written, whatever the end */
    ngx_uint_t              leave;      /* ends early, with NGX_DECLINED, in
                                           a worker that is to exit */

    /* for write and finish */
    ngx_array_t             pieces;     /* of ngx_str_t */

    /* the pump's own */
    uint64_t                received;
    uint64_t                unflushed;
    ngx_buf_t              *spare;
    ngx_uint_t              busy;       /* write or finish is under way */
    ngx_uint_t              flushing;
    ngx_uint_t              last;       /* finish was posted */
    ngx_uint_t              stopped;
    ngx_uint_t              draining;   /* for rc, until … */
    ngx_msec_t              deadline;
    ngx_uint_t              dry;        /* the socket had no more */
    ngx_int_t               rc;
} ngx_http_reel_body_t;

/*
 * Begins; the caller holds a reference (r->main->count) that the pump gives
 * back, and returns.  One of finished and broken is called, once.
 */
void ngx_http_reel_body_read(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);

/* no more: broken(rc) comes as soon as the pool is done with it */
void ngx_http_reel_body_stop(ngx_http_request_t *r,
    ngx_http_reel_body_t *body, ngx_int_t rc);

/*
 * The same once the socket has given what it had received already, or after
 * `ms`: of a client that is gone, what it sent is kept.  May be called by
 * written.
 */
void ngx_http_reel_body_drain(ngx_http_request_t *r,
    ngx_http_reel_body_t *body, ngx_int_t rc, ngx_msec_t ms);

#endif

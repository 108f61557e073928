/*
 * The pump: reads a request's body and hands it to the thread pool, for
 * every door.  The disk holds back the socket, and memory stays flat at any
 * size, in one of two ways:
 *
 * - A body that lies in the socket as it is (HTTP/1.1, no TLS, a length):
 *   the event loop fills the one buffer; the pool writes it and then goes on
 *   by itself, reads and writes, while the socket has something, for at most
 *   NGX_HTTP_REEL_BODY_TURN bytes.  So bytes are written by the core that has
 *   them in its cache, and a fast client costs few wake-ups.  Meanwhile the
 *   loop has no event of this socket.  The last byte is left to the loop.
 *
 * - Else the loop reads all of it, into two buffers: while one is being
 *   written, the other is read into; when that is full too, it waits.
 *
 * In the pool at most one write and one flush run at a time; no callback of
 * the event loop that may end the request comes while either does.
 */

#ifndef NGX_HTTP_REEL_BODY_H
#define NGX_HTTP_REEL_BODY_H

#include "ngx_module/ngx_http_reel_module.h"

#define NGX_HTTP_REEL_BODY_TURN  (4 * 1024 * 1024)

typedef struct ngx_http_reel_body_s {
    /* set before ngx_http_reel_body_read; data goes to all of them */
    void                   *data;
    ngx_http_reel_work_pt   write;      /* pool: consumes pieces */
    ngx_http_reel_work_pt   finish;     /* pool: the same with the last
                                           pieces (maybe none), and what
                                           follows at the end of the body */
    ngx_http_reel_work_pt   flush;      /* pool, beside write; NULL: none */

    /* pool, after write: may it go on by itself?  NULL: never */
    ngx_uint_t            (*more)(void *data);

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
    uint64_t                offset;     /* in the file, of the first byte:
                                           writes end at whole buffers */
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
    size_t                  size;       /* of a buffer */
    ngx_uint_t              direct;     /* the pool reads, too: from … */
    ngx_socket_t            fd;
    u_char                 *start;      /* … into the buffer */
    size_t                  held;       /* of it, not yet among the pieces */
    off_t                   left;       /* what the pool may still read … */
    off_t                   pulled;     /* … and has read, in this turn */
    ngx_atomic_t            halt;       /* it is to come back */
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

/* ---- between the pump and ngx_http_reel_pull.c ---- */

/* to the pieces; each is a write: what lies side by side becomes one */
ngx_int_t ngx_http_reel_body_piece(ngx_http_reel_body_t *body, u_char *data,
    size_t len);

/* may the pool read this body? */
ngx_uint_t ngx_http_reel_pull_may(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);

/* buffer and socket are the pool's, which runs work(body), until end */
void ngx_http_reel_pull_begin(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);
void ngx_http_reel_pull_work(void *body, ngx_log_t *log);
void ngx_http_reel_pull_end(ngx_http_request_t *r,
    ngx_http_reel_body_t *body);

#endif

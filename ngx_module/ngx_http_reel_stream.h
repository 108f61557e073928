/*
 * Answers that are made while they are sent.  A stream has its own way to
 * find out how long it will be and to make the next bytes (its ops); what is
 * the same for all of them is here: headers, ranges, reads, back-pressure.
 *
 * Bytes are read in the event loop when the page cache has them, else in the
 * thread pool.  A stream has one buffer; nothing more is made before the
 * socket took what is in it.  Of a turn of the event loop a stream takes a
 * share, and all of them a larger one: see ngx_http_reel_turn.h.
 *
 * Buffers belong to the worker, which keeps some and gives the others back
 * to the system, so that a thousand slow readers leave nothing behind.
 */

#ifndef NGX_HTTP_REEL_STREAM_H
#define NGX_HTTP_REEL_STREAM_H

#include "ngx_module/ngx_http_reel_play.h"
#include "ngx_module/ngx_http_reel_turn.h"

#define NGX_HTTP_REEL_STREAM_BUFFER  65536

/*
 * s->length until the last bytes are made: no Content-Length, no ranges.
 * produce sets s->length and s->end with the last bytes.
 */
#define NGX_HTTP_REEL_LENGTH_UNKNOWN  NGX_MAX_OFF_T_VALUE

typedef struct ngx_http_reel_stream_s  ngx_http_reel_stream_t;

/*
 * Each may ask for bytes; when that says NGX_AGAIN it returns this, and is
 * called again, from its beginning, when they are there or may be asked for.
 * NGX_ABORT: what is stored is damaged, which was logged; NGX_ERROR: the
 * store failed.
 */
typedef struct {
    /* sets s->length */
    ngx_int_t (*prepare)(ngx_http_reel_stream_t *s);

    /* goes to byte `offset` of the body, or to one before it: which? */
    off_t     (*seek)(ngx_http_reel_stream_t *s, off_t offset);

    /* makes the next bytes: *n of them, more than 0, to p */
    ngx_int_t (*produce)(ngx_http_reel_stream_t *s, u_char *p, size_t size,
        size_t *n);
} ngx_http_reel_stream_ops_t;

/* bytes that lie in a row */
typedef struct {
    off_t                    offset;
    size_t                   size;
} ngx_http_reel_stretch_t;

/* a read gathers at most so many: no fewer than any reader wants bytes */
#define NGX_HTTP_REEL_STRETCHES  512

typedef struct {
    ngx_fd_t                 fd;
    ngx_uint_t               n;         /* stretches */
    ngx_http_reel_stretch_t  one;
    ngx_http_reel_stretch_t *stretches; /* &one, or the asker's */
    size_t                   size;      /* wanted, of all */
    u_char                  *buf;
    ssize_t                  len;       /* read; -1: err */
    ngx_err_t                err;
    u_char                  *to;        /* the asker's: where, or NULL */
} ngx_http_reel_stream_read_t;

struct ngx_http_reel_stream_s {
    const ngx_http_reel_stream_ops_t  *ops;
    void                    *data;      /* of ops */
    void                    *outer;     /* of ops around others */
    ngx_http_request_t      *request;
    ngx_http_reel_play_t    *play;
    ngx_str_t               *what;      /* of the ETag */
    off_t                    length;

    off_t                    pos;       /* of the body: made so far … */
    off_t                    end;       /* … and wanted */
    u_char                  *start;     /* the buffer */
    ngx_buf_t               *buf;
    size_t                   share;     /* of this turn that is left */
    ngx_http_reel_turn_t     turn;

    ngx_http_reel_stream_read_t  read;
    void                    *window;    /* of files that are fetched */
    u_char                  *large;     /* for what no buffer can hold */
    unsigned                 started:1;
    unsigned                 reading:1; /* in the thread pool */
    unsigned                 ready:1;   /* read has what was asked for */
};

/* answers the request with s; returns what the handler returns */
ngx_int_t ngx_http_reel_stream_start(ngx_http_request_t *r,
    ngx_http_reel_stream_t *s);

/* goes on: what was read is there, or is known not to come */
void ngx_http_reel_stream_resume(ngx_http_reel_stream_t *s);


/* ngx_http_reel_stream_read.c */

/*
 * Reads size bytes of file at offset, or at least min of them: *n, at *p,
 * for use until the next read; they may be changed.  NGX_AGAIN: they will be
 * there when ops are called again and ask the same.  NGX_ABORT: the file
 * ends before them.
 *
 * With s->read.to they are read to there, and *p is that: a part of the
 * buffer that is being made, as a thread may read it.
 */
ngx_int_t ngx_http_reel_stream_read(ngx_http_reel_stream_t *s,
    ngx_file_t *file, off_t offset, size_t min, size_t size, u_char **p,
    size_t *n);

/*
 * The same of stretches [0, n), one behind the other: min bytes or more, and
 * at most a buffer's size in all if they are several.  They stay as they are
 * while that says NGX_AGAIN.
 */
ngx_int_t ngx_http_reel_stream_gather(ngx_http_reel_stream_t *s,
    ngx_file_t *file, ngx_http_reel_stretch_t *stretches, ngx_uint_t n,
    size_t min, u_char **p, size_t *len);

/* gives back what was read last: nobody uses it any more */
void ngx_http_reel_stream_drop_read(ngx_http_reel_stream_t *s);


/* ngx_http_reel_buffer.c: of NGX_HTTP_REEL_STREAM_BUFFER bytes */

u_char *ngx_http_reel_buffer_get(ngx_log_t *log);
void ngx_http_reel_buffer_put(u_char *p);

#endif

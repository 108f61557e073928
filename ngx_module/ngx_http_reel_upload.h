/*
 * One PutObject: what its handler, its parameters and its store work share.
 * Pool work reads and writes only ngx_http_reel_upload_t and what it points
 * to, never the request.
 */

#ifndef NGX_HTTP_REEL_UPLOAD_H
#define NGX_HTTP_REEL_UPLOAD_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/ulid.h"
#include "lib/crypt/digest.h"
#include "lib/job/record.h"

typedef enum {
    NGX_HTTP_REEL_UPLOAD_FRESH,     /* staged, ready for the body */
    NGX_HTTP_REEL_UPLOAD_REPLAY,    /* the name stands: named is set */
    NGX_HTTP_REEL_UPLOAD_TAKEN      /* reel-asset exists already */
} ngx_http_reel_prepared_e;

typedef struct {
    reel_store_t              *store;
    reel_request_t             record;      /* strings borrowed, not owned */
    char                       asset[REEL_ULID_LEN + 1];
    char                       nonce[REEL_ULID_LEN + 1];
    char                       pipeline[33];            /* of a replay */
    char                       name_hash[2 * REEL_SHA256_LEN + 1];
    char                       expect[2 * REEL_SHA256_LEN + 1]; /* or "" */
    reel_named_t               named;       /* what names/<hash> holds */
    ngx_uint_t                 fixed;       /* reel-asset was signed */
    uint64_t                   length;      /* Content-Length, 0 unknown */

    /* of the pool work */
    ngx_http_reel_prepared_e   prepared;
    reel_multipart_t          *multipart;
    reel_sha256_t             *sha256;      /* NULL: not asked for */
    ngx_array_t                pieces;      /* of ngx_str_t, to be written */
    uint64_t                   offset;      /* bytes written */
    reel_err_t                 err;
    ngx_uint_t                 mismatch;    /* body is not what was signed */
    ngx_uint_t                 resubmit;    /* replay put pending again */
} ngx_http_reel_upload_t;

typedef struct {
    ngx_http_reel_upload_t     up;          /* first: pool work gets it */
    ngx_http_reel_auth_t       auth;
    uint64_t                   max;         /* 0: none */
    const char                *max_name;    /* what says so */

    ngx_buf_t                 *spare;       /* the buffer not read into */
    uint64_t                   received;
    ngx_uint_t                 busy;        /* pool work is under way */

    /* how to end once the staged bytes are gone */
    ngx_uint_t                 failing;
    ngx_int_t                  rc;
    ngx_uint_t                 status;      /* 0: finalize with rc */
    const char                *code;
    const char                *detail;
    ngx_uint_t                 retryable;
} ngx_http_reel_put_t;

/*
 * Reads bucket, name, signed parameters and the headers that they bind into
 * put (its auth is set).  NGX_DECLINED: all is well, else the refusal was
 * sent and this is its return code.
 */
ngx_int_t ngx_http_reel_upload_params(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);

/* "the body is larger than … allows", in r's pool; NULL: no memory */
const char *ngx_http_reel_upload_too_large(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);

/*
 * The steps of docs/store.md, each run in the thread pool; up->err tells.
 * Names and codes of failures are logged, keys and ids only.
 */
void ngx_http_reel_upload_prepare(void *data, ngx_log_t *log);
void ngx_http_reel_upload_write(void *data, ngx_log_t *log);
void ngx_http_reel_upload_publish(void *data, ngx_log_t *log);
void ngx_http_reel_upload_abort(void *data, ngx_log_t *log);

/* REEL_OK: names/<hash> stands, its job is queued; else REEL_NOTFOUND */
reel_err_t ngx_http_reel_upload_replay(ngx_http_reel_upload_t *up);

/* steps 4, 5 and 6 of the completion */
reel_err_t ngx_http_reel_upload_put_name(ngx_http_reel_upload_t *up);
reel_err_t ngx_http_reel_upload_put_pending(ngx_http_reel_upload_t *up);
void ngx_http_reel_upload_drop_state(ngx_http_reel_upload_t *up);

#endif

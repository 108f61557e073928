/*
 * One PutObject: what its handler and its store work (in the thread pool)
 * share.  Pool work reads and writes only this struct, never the request.
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
    char                       name_hash[2 * REEL_SHA256_LEN + 1];
    char                       expect[2 * REEL_SHA256_LEN + 1]; /* or "" */
    reel_named_t               named;       /* what names/<hash> holds */
    ngx_uint_t                 fixed;       /* reel-asset was signed */
    uint64_t                   length;      /* Content-Length, 0 unknown */

    /* of the pool work */
    ngx_http_reel_prepared_e   prepared;
    reel_multipart_t          *multipart;
    reel_sha256_t             *sha256;      /* NULL: not asked for */
    ngx_chain_t               *chain;       /* to be written */
    uint64_t                   offset;      /* bytes written */
    reel_err_t                 err;
    ngx_uint_t                 mismatch;    /* body is not what was signed */
    ngx_uint_t                 resubmit;    /* replay put pending again */
} ngx_http_reel_upload_t;

/*
 * The steps of docs/store.md, each run in the thread pool; up->err tells.
 * Names and codes of failures are logged, keys and ids only.
 */
void ngx_http_reel_upload_prepare(void *data, ngx_log_t *log);
void ngx_http_reel_upload_write(void *data, ngx_log_t *log);
void ngx_http_reel_upload_publish(void *data, ngx_log_t *log);
void ngx_http_reel_upload_abort(void *data, ngx_log_t *log);

#endif

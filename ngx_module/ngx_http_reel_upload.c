/*
 * The upload door, PutObject: prepare (thread pool) -> read the body, a
 * buffer at a time -> write it (thread pool) -> ... -> publish (thread pool)
 * -> answer.  While a buffer is being written nothing is read, so the disk
 * holds back the socket, and a request never owns more than one buffer.
 */

#include "ngx_module/ngx_http_reel_upload.h"

#include <sys/random.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"


#define NGX_HTTP_REEL_NAME_MAX  1024
#define NGX_HTTP_REEL_SIGNED_META_MAX  2048


typedef struct {
    ngx_http_reel_upload_t     up;          /* first: pool work gets it */
    ngx_http_reel_auth_t       auth;
    ngx_uint_t                 busy;        /* pool work is under way */
    uint64_t                   max;         /* 0: none */
    const char                *max_name;

    /* how to end once the staged bytes are gone */
    ngx_int_t                  rc;
    ngx_uint_t                 status;      /* 0: finalize with rc */
    const char                *code;
    const char                *detail;
} ngx_http_reel_put_t;


static ngx_int_t ngx_http_reel_put_create(ngx_http_request_t *r,
    ngx_http_reel_put_t **put);
static void ngx_http_reel_put_cleanup(void *data);
static ngx_int_t ngx_http_reel_put_name(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_str_t *bucket, ngx_str_t *name);
static ngx_int_t ngx_http_reel_put_query(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_str_t *name);
static ngx_int_t ngx_http_reel_put_limits(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_str_t query);
static ngx_int_t ngx_http_reel_put_digest(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_str_t query);
static ngx_int_t ngx_http_reel_put_meta(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_str_t query);
static ngx_int_t ngx_http_reel_put_pipeline(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_str_t query);
static ngx_int_t ngx_http_reel_put_id(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_str_t query);
static ngx_int_t ngx_http_reel_put_hash(ngx_http_reel_put_t *put,
    ngx_str_t *bucket, ngx_str_t *name);
static ngx_int_t ngx_http_reel_put_param(ngx_http_request_t *r,
    reel_str_t query, const char *name, size_t max, char **value);
static ngx_int_t ngx_http_reel_put_bad(ngx_http_request_t *r,
    const char *detail);
static ngx_int_t ngx_http_reel_put_too_large(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, const char **detail);

static void ngx_http_reel_put_prepared(ngx_http_request_t *r, void *data);
static void ngx_http_reel_put_body(ngx_http_request_t *r);
static void ngx_http_reel_put_read(ngx_http_request_t *r);
static ngx_uint_t ngx_http_reel_put_full(ngx_http_request_t *r);
static void ngx_http_reel_put_flush(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static void ngx_http_reel_put_written(ngx_http_request_t *r, void *data);
static void ngx_http_reel_put_published(ngx_http_request_t *r, void *data);
static ngx_int_t ngx_http_reel_put_answer(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static void ngx_http_reel_put_fail(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, reel_err_t err);
static void ngx_http_reel_put_abort(ngx_http_request_t *r,
    ngx_http_reel_put_t *put, ngx_int_t rc, ngx_uint_t status,
    const char *code, const char *detail);
static void ngx_http_reel_put_aborted(ngx_http_request_t *r, void *data);


ngx_int_t
ngx_http_reel_upload_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_str_t             bucket, name;
    ngx_http_reel_put_t  *put;

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_reel_preflight(r, "PUT, OPTIONS");
    }

    if (r->method != NGX_HTTP_PUT) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_NOT_ALLOWED,
                                   "MethodNotAllowed",
                                   "only PUT uploads here", 0);
    }

    rc = ngx_http_reel_put_create(r, &put);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_reel_auth(r, NGX_HTTP_REEL_S3, 0, &put->auth);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    ngx_str_null(&bucket);
    ngx_str_null(&name);

    rc = ngx_http_reel_put_name(r, put, &bucket, &name);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    rc = ngx_http_reel_put_query(r, put, &name);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (ngx_http_reel_put_hash(put, &bucket, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_reel_task_post(r, ngx_http_reel_upload_prepare,
                                ngx_http_reel_put_prepared, put)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_reel_put_create(ngx_http_request_t *r, ngx_http_reel_put_t **p)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_put_t       *put;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ctx = ngx_http_reel_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_put_t));
    if (ctx == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    put = cln->data;
    ngx_memzero(put, sizeof(ngx_http_reel_put_t));
    cln->handler = ngx_http_reel_put_cleanup;

    put->up.store = rlcf->store;
    ctx->data = put;
    *p = put;

    return NGX_OK;
}


/* only for requests that end while no pool work can be posted any more */
static void
ngx_http_reel_put_cleanup(void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_http_reel_upload_abort(&put->up, ngx_cycle->log);
}


static ngx_int_t
ngx_http_reel_put_name(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_str_t *bucket, ngx_str_t *name)
{
    u_char                    *p, *last;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    p = r->uri.data;
    last = p + r->uri.len;

    if (clcf->name.len <= r->uri.len
        && ngx_strncmp(p, clcf->name.data, clcf->name.len) == 0)
    {
        p += clcf->name.len;
    }

    while (p < last && *p == '/') {
        p++;
    }

    bucket->data = p;
    p = ngx_strlchr(p, last, '/');

    if (p == NULL || p == bucket->data || p + 1 == last) {
        return ngx_http_reel_put_bad(r, "the path must be "
                                     "<upload location>/<bucket>/<name>");
    }

    bucket->len = p - bucket->data;
    name->data = p + 1;
    name->len = last - name->data;

    if (name->len > NGX_HTTP_REEL_NAME_MAX) {
        return ngx_http_reel_put_bad(r, "the name is longer than 1024 bytes");
    }

    if (!reel_access_key_has_bucket(put->auth.key,
                                    (reel_str_t) { (char *) bucket->data,
                                                   bucket->len }))
    {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_NOT_FOUND,
                                   "NoSuchBucket",
                                   "the access key has no such bucket", 0);
    }

    return NGX_OK;
}


/* the signed parameters and the headers that they bind */
static ngx_int_t
ngx_http_reel_put_query(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_str_t *name)
{
    char            *s;
    ngx_int_t        rc;
    ngx_str_t        copy;
    reel_str_t       query;
    ngx_time_t      *tp;
    reel_request_t  *rec;

    rec = &put->up.record;
    query.p = (char *) r->args.data;
    query.len = r->args.len;

    copy.data = ngx_pnalloc(r->pool, name->len + 1);
    if (copy.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(copy.data, name->data, name->len + 1);
    rec->name = (char *) copy.data;
    rec->project = put->auth.key->project;

    tp = ngx_timeofday();
    rec->created_ms = (int64_t) tp->sec * 1000 + tp->msec;

    rc = ngx_http_reel_put_param(r, query, "reel-name",
                                 NGX_HTTP_REEL_NAME_MAX, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s) {
        rec->name = s;
    }

    if (r->headers_in.content_type) {
        rec->content_type = (char *) r->headers_in.content_type->value.data;
    }

    rc = ngx_http_reel_put_param(r, query, "reel-type", 255, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s && (rec->content_type == NULL
              || ngx_strcmp(s, rec->content_type) != 0))
    {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_BAD_REQUEST,
                                   "InvalidRequest",
                                   "Content-Type is not the signed reel-type",
                                   0);
    }

    rc = ngx_http_reel_put_limits(r, put, query);

    if (rc == NGX_OK && !r->header_sent) {
        rc = ngx_http_reel_put_digest(r, put, query);
    }

    if (rc == NGX_OK && !r->header_sent) {
        rc = ngx_http_reel_put_meta(r, put, query);
    }

    if (rc == NGX_OK && !r->header_sent) {
        rc = ngx_http_reel_put_pipeline(r, put, query);
    }

    if (rc == NGX_OK && !r->header_sent) {
        rc = ngx_http_reel_put_id(r, put, query);
    }

    return rc;
}


static ngx_int_t
ngx_http_reel_put_limits(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_str_t query)
{
    char                      *s;
    uint64_t                   v;
    ngx_int_t                  rc;
    const char                *detail;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    put->max = rlcf->upload_max_size;
    put->max_name = "reel_upload_max_size";

    rc = ngx_http_reel_put_param(r, query, "reel-max-bytes", 20, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s) {
        if (reel_str_u64(reel_str(s), INT64_MAX, &v) != REEL_OK || v == 0) {
            return ngx_http_reel_put_bad(r, "reel-max-bytes is not a number "
                                         "of bytes");
        }

        if (put->max == 0 || v < put->max) {
            put->max = v;
            put->max_name = "reel-max-bytes";
        }
    }

    rc = ngx_http_reel_put_param(r, query, "reel-max-duration", 20, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s && reel_str_u64(reel_str(s), UINT32_MAX,
                          &put->up.record.max_duration_s)
             != REEL_OK)
    {
        return ngx_http_reel_put_bad(r, "reel-max-duration is not a number "
                                     "of seconds");
    }

    if (r->headers_in.content_length_n < 0 && !r->headers_in.chunked) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3,
                                   NGX_HTTP_LENGTH_REQUIRED,
                                   "MissingContentLength",
                                   "send Content-Length or use chunked "
                                   "transfer coding", 0);
    }

    if (r->headers_in.content_length_n > 0) {
        put->up.length = r->headers_in.content_length_n;
    }

    if (put->max && put->up.length > put->max) {
        if (ngx_http_reel_put_too_large(r, put, &detail) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3,
                                   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "EntityTooLarge", detail, 0);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_too_large(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    const char **detail)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, 128);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf(p, 128, "the body is larger than %s allows: "
                        "at most %uL bytes%Z", put->max_name,
                        (uint64_t) put->max);
    *detail = (char *) p;

    return NGX_OK;
}


/* what SHA-256 the body must have: the signed payload hash, reel-sha256 */
static ngx_int_t
ngx_http_reel_put_digest(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_str_t query)
{
    char       *s;
    uint8_t     sum[REEL_SHA256_LEN];
    ngx_int_t   rc;
    reel_str_t  hash;

    hash = reel_str(put->auth.payload_hash);

    if (reel_str_prefix(hash, "STREAMING-")) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_S3,
                                   NGX_HTTP_NOT_IMPLEMENTED, "NotImplemented",
                                   "aws-chunked bodies are not taken yet; "
                                   "send UNSIGNED-PAYLOAD or the SHA-256", 0);
    }

    if (hash.len == 2 * REEL_SHA256_LEN
        && reel_unhex(sum, sizeof(sum), hash) == REEL_OK)
    {
        reel_hex(put->up.expect, sum, sizeof(sum));
    }

    rc = ngx_http_reel_put_param(r, query, "reel-sha256",
                                 2 * REEL_SHA256_LEN, &s);
    if (rc != NGX_OK || r->header_sent || s == NULL) {
        return rc;
    }

    if (reel_unhex(sum, sizeof(sum), reel_str(s)) != REEL_OK) {
        return ngx_http_reel_put_bad(r, "reel-sha256 is not 64 hex digits");
    }

    if (put->up.expect[0]) {
        char  own[2 * REEL_SHA256_LEN + 1];

        reel_hex(own, sum, sizeof(sum));

        if (ngx_strcmp(own, put->up.expect) != 0) {
            return ngx_http_reel_put_bad(r, "reel-sha256 and "
                                         "x-amz-content-sha256 differ");
        }
    }

    reel_hex(put->up.expect, sum, sizeof(sum));

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_meta(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_str_t query)
{
    char          *s;
    ngx_int_t      rc;
    reel_err_t     err;
    reel_meta_t    meta;
    reel_error_t   e;

    rc = ngx_http_reel_put_param(r, query, "reel-meta",
                                 NGX_HTTP_REEL_SIGNED_META_MAX, &s);
    if (rc != NGX_OK || r->header_sent || s == NULL) {
        return rc;
    }

    ngx_memzero(&meta, sizeof(reel_meta_t));
    e.text[0] = '\0';

    err = reel_meta_parse(&meta, s, ngx_strlen(s), &e);
    reel_meta_release(&meta);

    if (err != REEL_OK) {
        return ngx_http_reel_put_bad(r, e.text[0] ? e.text
                                     : "reel-meta is not a JSON object");
    }

    put->up.record.meta = s;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_pipeline(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_str_t query)
{
    char                      *s;
    ngx_int_t                  rc;
    ngx_str_t                 *name, def = ngx_string("default");
    ngx_uint_t                 i, n;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    name = rlcf->pipelines ? rlcf->pipelines->elts : &def;
    n = rlcf->pipelines ? rlcf->pipelines->nelts : 1;

    rc = ngx_http_reel_put_param(r, query, "reel-pipeline", 32, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s == NULL) {
        /* a configured name is terminated, as every argument is */
        put->up.record.pipeline = rlcf->pipelines ? (char *) name[0].data
                                                  : "default";
        return NGX_OK;
    }

    for (i = 0; i < n; i++) {
        if (reel_str_eqz((reel_str_t) { (char *) name[i].data, name[i].len },
                         s))
        {
            put->up.record.pipeline = s;
            return NGX_OK;
        }
    }

    return ngx_http_reel_put_bad(r, "reel-pipeline names no pipeline of "
                                 "reel_pipelines");
}


static ngx_int_t
ngx_http_reel_put_id(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_str_t query)
{
    char                 *s;
    uint8_t               rnd[20];
    ngx_int_t             rc;
    ngx_http_reel_ctx_t  *ctx;

    if (getrandom(rnd, sizeof(rnd), 0) != sizeof(rnd)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reel_ulid(put->up.nonce, put->up.record.created_ms, rnd + 10);

    rc = ngx_http_reel_put_param(r, query, "reel-asset", REEL_ULID_LEN, &s);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    if (s) {
        if (!reel_ulid_valid(reel_str(s))) {
            return ngx_http_reel_put_bad(r, "reel-asset is not an asset id");
        }

        ngx_memcpy(put->up.asset, s, REEL_ULID_LEN + 1);
        put->up.fixed = 1;

    } else {
        reel_ulid(put->up.asset, put->up.record.created_ms, rnd);
    }

    put->up.record.asset = put->up.asset;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    ctx->asset.data = (u_char *) put->up.asset;
    ctx->asset.len = REEL_ULID_LEN;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_hash(ngx_http_reel_put_t *put, ngx_str_t *bucket,
    ngx_str_t *name)
{
    uint8_t         sum[REEL_SHA256_LEN];
    reel_err_t      err;
    reel_sha256_t  *h;

    h = reel_sha256_new();
    if (h == NULL) {
        return NGX_ERROR;
    }

    err = reel_sha256_update(h, put->auth.key->project,
                             ngx_strlen(put->auth.key->project));

    if (err == REEL_OK) {
        err = reel_sha256_update(h, "\n", 1);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, bucket->data, bucket->len);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, "\n", 1);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, name->data, name->len);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, "\n", 1);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, put->auth.signature,
                                 ngx_strlen(put->auth.signature));
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return NGX_ERROR;
    }

    if (reel_sha256_final(h, sum) != REEL_OK) {
        return NGX_ERROR;
    }

    reel_hex(put->up.name_hash, sum, sizeof(sum));

    return NGX_OK;
}


/* *value is NULL when the query has none; a bad one was answered by 400 */
static ngx_int_t
ngx_http_reel_put_param(ngx_http_request_t *r, reel_str_t query,
    const char *name, size_t max, char **value)
{
    char        *buf;
    reel_str_t   raw;
    reel_err_t   err;

    *value = NULL;

    if (query.len == 0 || !reel_query_get(query, name, &raw)) {
        return NGX_OK;
    }

    buf = ngx_pnalloc(r->pool, max + 1);
    if (buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    err = reel_query_get_decoded(query, name, buf, max + 1);

    if (err != REEL_OK) {
        u_char  detail[96];

        (void) ngx_snprintf(detail, sizeof(detail), "%s is %s%Z", name,
                            err == REEL_LIMIT ? "too long"
                                              : "not well encoded");
        return ngx_http_reel_put_bad(r, (char *) detail);
    }

    *value = buf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_put_bad(ngx_http_request_t *r, const char *detail)
{
    return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_BAD_REQUEST,
                               "InvalidArgument", detail, 0);
}


static void
ngx_http_reel_put_prepared(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_int_t  rc;

    if (put->up.err != REEL_OK) {
        ngx_http_reel_put_fail(r, put, put->up.err);
        return;
    }

    switch (put->up.prepared) {

    case NGX_HTTP_REEL_UPLOAD_REPLAY:
        rc = ngx_http_discard_request_body(r);
        if (rc == NGX_OK) {
            rc = ngx_http_reel_put_answer(r, put);
        }

        ngx_http_finalize_request(r, rc);
        return;

    case NGX_HTTP_REEL_UPLOAD_TAKEN:
        rc = ngx_http_reel_error(r, NGX_HTTP_REEL_S3, NGX_HTTP_CONFLICT,
                                 "OperationAborted",
                                 "the asset of reel-asset exists already", 0);
        ngx_http_finalize_request(r, rc);
        return;

    default:
        break;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_reel_put_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_reel_put_abort(r, put, rc, 0, NULL, NULL);
        return;
    }

    ngx_http_finalize_request(r, NGX_DONE);
}


static void
ngx_http_reel_put_body(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_reel_put_read;
    ngx_http_reel_put_read(r);
}


static void
ngx_http_reel_put_read(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_reel_put_t  *put;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    put = ctx->data;

    if (put->busy) {
        return;
    }

    while (r->reading_body && !ngx_http_reel_put_full(r)) {

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_reel_put_abort(r, put, rc, 0, NULL, NULL);
            return;
        }

        if (rc == NGX_AGAIN && !ngx_http_reel_put_full(r)) {
            return;
        }
    }

    ngx_http_reel_put_flush(r, put);
}


static ngx_uint_t
ngx_http_reel_put_full(ngx_http_request_t *r)
{
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    return rb->bufs && rb->buf && rb->buf->last == rb->buf->end;
}


/* a whole buffer, or the last of the body, goes to the disk */
static void
ngx_http_reel_put_flush(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    uint64_t               n;
    ngx_int_t              rc;
    const char            *detail;
    ngx_chain_t           *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;

    if (bufs == NULL) {
        put->busy = 1;
        rc = ngx_http_reel_task_post(r, ngx_http_reel_upload_publish,
                                     ngx_http_reel_put_published, put);
        goto posted;
    }

    n = put->up.offset;

    for (cl = bufs; cl; cl = cl->next) {
        n += cl->buf->last - cl->buf->pos;
    }

    if (put->max && n > put->max) {
        rc = ngx_http_reel_put_too_large(r, put, &detail);
        if (rc == NGX_OK) {
            ngx_http_reel_put_abort(r, put, NGX_OK,
                                    NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                    "EntityTooLarge", detail);
            return;
        }

        goto posted;
    }

    put->busy = 1;
    put->up.chain = bufs;
    rc = ngx_http_reel_task_post(r, ngx_http_reel_upload_write,
                                 ngx_http_reel_put_written, put);

posted:

    if (rc != NGX_OK) {
        ngx_http_reel_put_abort(r, put, NGX_HTTP_INTERNAL_SERVER_ERROR, 0,
                                NULL, NULL);
    }
}


static void
ngx_http_reel_put_written(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_chain_t  *cl, *next;

    put->busy = 0;
    put->up.chain = NULL;

    if (put->up.err != REEL_OK) {
        ngx_http_reel_put_fail(r, put, put->up.err);
        return;
    }

    /* the core may fill the buffer again once its parts are consumed */
    for (cl = r->request_body->bufs; cl; cl = next) {
        next = cl->next;
        cl->buf->pos = cl->buf->last;
        ngx_free_chain(r->pool, cl);
    }

    r->request_body->bufs = NULL;

    ngx_http_reel_put_read(r);
}


static void
ngx_http_reel_put_published(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    put->busy = 0;

    if (put->up.err == REEL_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_put_answer(r, put));
        return;
    }

    if (put->up.mismatch) {
        ngx_http_reel_put_abort(r, put, NGX_OK, NGX_HTTP_BAD_REQUEST,
                                "XAmzContentSHA256Mismatch",
                                "the body's SHA-256 is not the signed one");
        return;
    }

    ngx_http_reel_put_fail(r, put, put->up.err);
}


static ngx_int_t
ngx_http_reel_put_answer(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_str_t                  asset, etag, empty;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_upload_t    *up;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    up = &put->up;

    asset.data = (u_char *) up->named.asset;
    asset.len = REEL_ULID_LEN;
    ctx->asset = asset;

    etag.data = (u_char *) up->named.etag;
    etag.len = ngx_strlen(up->named.etag);

    ngx_str_null(&empty);

    if ((up->prepared == NGX_HTTP_REEL_UPLOAD_FRESH || up->resubmit)
        && rlcf->redis)
    {
        ngx_http_reel_redis_submit(rlcf, up->named.asset, 1,
                                   up->record.project, up->record.pipeline,
                                   up->record.created_ms);
    }

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "ETag", &etag) != NGX_OK
        || ngx_http_reel_add_header(r, "reel-asset", &asset) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_send(r, NGX_HTTP_OK, "text/plain", &empty);
}


static void
ngx_http_reel_put_fail(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    reel_err_t err)
{
    const char  *code, *detail;
    ngx_uint_t   status;

    status = ngx_http_reel_err_status(err, &code);

    switch (err) {

    case REEL_NOSPACE:
        detail = "the server's disk is full; nothing was stored";
        break;

    case REEL_EXISTS:
        detail = "another upload made this asset meanwhile";
        break;

    default:
        status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        code = "InternalError";
        detail = "the store failed; nothing was published, try again";
    }

    ngx_http_reel_put_abort(r, put, NGX_OK, status, code, detail);
}


static void
ngx_http_reel_put_abort(ngx_http_request_t *r, ngx_http_reel_put_t *put,
    ngx_int_t rc, ngx_uint_t status, const char *code, const char *detail)
{
    put->rc = rc;
    put->status = status;
    put->code = code;
    put->detail = detail;

    put->busy = 1;

    if (ngx_http_reel_task_post(r, ngx_http_reel_upload_abort,
                                ngx_http_reel_put_aborted, put)
        != NGX_OK)
    {
        /* the pool's cleanup removes what is staged */
        ngx_http_reel_put_aborted(r, put);
    }
}


static void
ngx_http_reel_put_aborted(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_put_t  *put = data;

    ngx_int_t  rc;

    rc = put->rc;

    if (put->status) {
        rc = ngx_http_reel_error(r, NGX_HTTP_REEL_S3, put->status, put->code,
                                 put->detail, put->status >= 500);
    }

    ngx_http_finalize_request(r, rc);
}

/*
 * What a PutObject says of itself: bucket and name from its path, the signed
 * reel-* parameters, and the headers that they bind.  A parameter that is
 * not known is refused: a limit with a slip of the pen must not be none.
 */

#include "ngx_module/ngx_http_reel_params.h"

#include <sys/random.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"


#define NGX_HTTP_REEL_PARAM_MAX   64        /* bytes of a name */


static ngx_int_t ngx_http_reel_params_path(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_params_hash(ngx_http_reel_put_t *put,
    ngx_str_t *bucket, ngx_str_t *name);
static ngx_int_t ngx_http_reel_params_defaults(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_params_query(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_params_value(ngx_http_request_t *r,
    const ngx_http_reel_param_t *param, reel_str_t raw, char **value);
static ngx_int_t ngx_http_reel_params_length(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);
static ngx_int_t ngx_http_reel_params_payload(ngx_http_request_t *r,
    ngx_http_reel_put_t *put);


ngx_int_t
ngx_http_reel_upload_params(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_params_defaults(r, put);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_params_path(r, put);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_params_payload(r, put);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_params_query(r, put);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_params_length(r, put);
    }

    return rc;
}


/* what holds where the query says nothing */
static ngx_int_t
ngx_http_reel_params_defaults(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    uint8_t                    rnd[20];
    ngx_str_t                 *names;
    ngx_time_t                *tp;
    reel_request_t            *rec;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (getrandom(rnd, sizeof(rnd), 0) != sizeof(rnd)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tp = ngx_timeofday();

    rec = &put->up.record;
    rec->created_ms = (int64_t) tp->sec * 1000 + tp->msec;
    rec->project = put->auth.key->project;
    rec->asset = put->up.asset;
    rec->pipeline = "default";

    if (rlcf->pipelines) {
        /* a configured name is terminated, as every argument is */
        names = rlcf->pipelines->elts;
        rec->pipeline = (char *) names[0].data;
    }

    if (r->headers_in.content_type) {
        rec->content_type = (char *) r->headers_in.content_type->value.data;
    }

    reel_ulid(put->up.asset, rec->created_ms, rnd);
    reel_ulid(put->up.nonce, rec->created_ms, rnd + 10);

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    ctx->asset.data = (u_char *) put->up.asset;
    ctx->asset.len = REEL_ULID_LEN;

    put->max = rlcf->upload_max_size;
    put->max_name = "reel_upload_max_size";

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_params_path(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    u_char                    *p, *last;
    ngx_str_t                  bucket, name;
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

    bucket.data = p;
    p = ngx_strlchr(p, last, '/');

    if (p == NULL || p == bucket.data || p + 1 == last) {
        return ngx_http_reel_params_bad(r, "the path must be "
                                        "<upload location>/<bucket>/<name>");
    }

    bucket.len = p - bucket.data;
    name.data = p + 1;
    name.len = last - name.data;

    if (name.len > NGX_HTTP_REEL_NAME_MAX) {
        return ngx_http_reel_params_bad(r, "the name is longer than 1024 "
                                        "bytes");
    }

    if (!reel_access_key_has_bucket(put->auth.key,
                                    (reel_str_t) { (char *) bucket.data,
                                                   bucket.len }))
    {
        return ngx_http_reel_params_refuse(r, NGX_HTTP_NOT_FOUND,
                                           "NoSuchBucket", "the access key "
                                           "has no such bucket");
    }

    p = ngx_pnalloc(r->pool, name.len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    put->up.record.name = (char *) p;
    *ngx_cpymem(p, name.data, name.len) = '\0';

    if (ngx_http_reel_params_hash(put, &bucket, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_params_hash(ngx_http_reel_put_t *put, ngx_str_t *bucket,
    ngx_str_t *name)
{
    uint8_t      sum[REEL_SHA256_LEN];
    reel_buf_t   b;
    reel_err_t   err;

    reel_buf_init(&b, 2 * NGX_HTTP_REEL_VALUE_MAX);

    reel_buf_addz(&b, put->auth.key->project);
    reel_buf_addz(&b, "\n");
    reel_buf_add(&b, bucket->data, bucket->len);
    reel_buf_addz(&b, "\n");
    reel_buf_add(&b, name->data, name->len);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, put->auth.signature);

    err = reel_buf_err(&b);

    if (err == REEL_OK) {
        err = reel_sha256(sum, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err != REEL_OK) {
        return NGX_ERROR;
    }

    reel_hex(put->up.name_hash, sum, sizeof(sum));

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_params_payload(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    uint8_t     sum[REEL_SHA256_LEN];
    reel_str_t  hash;

    hash = reel_str(put->auth.payload_hash);

    if (reel_str_prefix(hash, "STREAMING-")) {
        return ngx_http_reel_params_refuse(r, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "aws-chunked "
                                           "bodies are not taken yet; send "
                                           "UNSIGNED-PAYLOAD or the SHA-256");
    }

    if (hash.len == 2 * REEL_SHA256_LEN
        && reel_unhex(sum, sizeof(sum), hash) == REEL_OK)
    {
        reel_hex(put->up.expect, sum, sizeof(sum));
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_params_query(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    char                         *value, name[NGX_HTTP_REEL_PARAM_MAX];
    ngx_int_t                     rc;
    reel_buf_t                    b;
    reel_str_t                    query, raw_name, raw;
    const ngx_http_reel_param_t  *param;

    query.p = (char *) r->args.data;
    query.len = r->args.len;

    while (query.len && reel_query_next(&query, &raw_name, &raw)) {

        /* names are compared decoded, so that no escape hides one */
        reel_buf_init(&b, sizeof(name) - 1);
        name[0] = '\0';

        if (reel_uri_decode(&b, raw_name) == REEL_OK
            && reel_buf_err(&b) == REEL_OK)
        {
            (void) ngx_cpystrn((u_char *) name,
                               (u_char *) reel_buf_cstr(&b), sizeof(name));
        }

        reel_buf_release(&b);

        for (param = ngx_http_reel_params; param->name; param++) {
            if (ngx_strcmp(name, param->name) == 0) {
                break;
            }
        }

        if (param->name == NULL) {
            if (ngx_strncmp(name, "reel-", sizeof("reel-") - 1) == 0) {
                return ngx_http_reel_params_bad(r, "the query has a reel- "
                                                "parameter that is not "
                                                "known");
            }

            continue;
        }

        rc = ngx_http_reel_params_value(r, param, raw, &value);

        if (rc == NGX_DECLINED) {
            rc = param->set(r, put, value);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_params_value(ngx_http_request_t *r,
    const ngx_http_reel_param_t *param, reel_str_t raw, char **value)
{
    u_char       detail[96];
    reel_str_t   one;
    reel_err_t   err;
    reel_buf_t   pair;

    *value = ngx_pnalloc(r->pool, param->max + 1);
    if (*value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* decoded as the signature had it */
    reel_buf_init(&pair, raw.len + 3);
    reel_buf_addz(&pair, "v=");
    reel_buf_adds(&pair, raw);

    err = reel_buf_err(&pair);

    if (err == REEL_OK) {
        one.p = (char *) pair.data;
        one.len = pair.len;
        err = reel_query_get_decoded(one, "v", *value, param->max + 1);
    }

    reel_buf_release(&pair);

    if (err == REEL_OK) {
        return NGX_DECLINED;
    }

    (void) ngx_snprintf(detail, sizeof(detail), "%s is %s%Z", param->name,
                        err == REEL_LIMIT ? "too long" : "not well encoded");

    return ngx_http_reel_params_bad(r, (char *) detail);
}


static ngx_int_t
ngx_http_reel_params_length(ngx_http_request_t *r, ngx_http_reel_put_t *put)
{
    const char  *detail;

    if (r->headers_in.content_length_n < 0 && !r->headers_in.chunked) {
        return ngx_http_reel_params_refuse(r, NGX_HTTP_LENGTH_REQUIRED,
                                           "MissingContentLength",
                                           "send Content-Length or use "
                                           "chunked transfer coding");
    }

    if (r->headers_in.content_length_n > 0) {
        put->up.length = r->headers_in.content_length_n;
    }

    if (put->max == 0 || put->up.length <= put->max) {
        return NGX_DECLINED;
    }

    detail = ngx_http_reel_upload_too_large(r, put);
    if (detail == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_params_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                       "EntityTooLarge", detail);
}


const char *
ngx_http_reel_upload_too_large(ngx_http_request_t *r,
    ngx_http_reel_put_t *put)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, 128);
    if (p == NULL) {
        return NULL;
    }

    (void) ngx_snprintf(p, 128, "the body is larger than %s allows: "
                        "at most %uL bytes%Z", put->max_name,
                        (uint64_t) put->max);

    return (char *) p;
}


ngx_int_t
ngx_http_reel_params_bad(ngx_http_request_t *r, const char *detail)
{
    return ngx_http_reel_params_refuse(r, NGX_HTTP_BAD_REQUEST,
                                       "InvalidArgument", detail);
}


ngx_int_t
ngx_http_reel_params_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    return ngx_http_reel_error(r, NGX_HTTP_REEL_S3, status, code, detail, 0);
}

/* what the headers of an S3 body promise: see ngx_http_reel_payload.h */

#include "ngx_module/ngx_http_reel_params.h"
#include "ngx_module/ngx_http_reel_payload.h"

#include "lib/base/hex.h"


#define NGX_HTTP_REEL_CHECKSUM  "x-amz-checksum-"


static void ngx_http_reel_payload_cleanup(void *data);
static ngx_int_t ngx_http_reel_payload_other(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_frames(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_length(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_hash(ngx_http_reel_door_t *door,
    ngx_http_reel_payload_e what);
static ngx_int_t ngx_http_reel_payload_md5(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_headers(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_header(ngx_http_reel_door_t *door,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_reel_payload_trailers(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_payload_check(ngx_http_reel_door_t *door,
    reel_sum_kind_t kind, const uint8_t *want, const char *code);
static ngx_int_t ngx_http_reel_payload_invalid(ngx_http_reel_door_t *door,
    const char *detail);
static reel_str_t ngx_http_reel_payload_str(ngx_str_t *s);


ngx_int_t
ngx_http_reel_payload_open(ngx_http_reel_door_t *door,
    ngx_http_reel_payload_e what)
{
    ngx_int_t            rc;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(door->request->pool,
                               sizeof(ngx_http_reel_payload_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    door->payload = cln->data;
    ngx_memzero(door->payload, sizeof(ngx_http_reel_payload_t));
    cln->handler = ngx_http_reel_payload_cleanup;

    rc = ngx_http_reel_payload_other(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_payload_frames(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_payload_hash(door, what);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_payload_md5(door);
    }

    if (rc != NGX_DECLINED || what == NGX_HTTP_REEL_PAYLOAD_MESSAGE) {
        return rc;
    }

    rc = ngx_http_reel_payload_headers(door);

    return rc == NGX_DECLINED ? ngx_http_reel_payload_trailers(door) : rc;
}


static void
ngx_http_reel_payload_cleanup(void *data)
{
    ngx_http_reel_payload_t  *payload = data;

    reel_aws_chunked_release(&payload->frames);
}


/* to take these for what they are not would lose or replace a source */
static ngx_int_t
ngx_http_reel_payload_other(ngx_http_reel_door_t *door)
{
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_door_header(r, "x-amz-copy-source")) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "objects are "
                                           "not copied here; send the bytes");
    }

    if (ngx_http_reel_door_header(r, "if-match")
        || ngx_http_reel_door_header(r, "if-none-match"))
    {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "writes are not "
                                           "conditional here; fix the asset's "
                                           "id by reel-asset");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_payload_frames(ngx_http_reel_door_t *door)
{
    ngx_int_t                 rc;
    ngx_str_t                *names;
    reel_str_t                trailers;
    reel_err_t                err;
    reel_error_t              e;
    reel_payload_t            kind;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;
    kind = reel_payload_kind(reel_str(door->auth.payload_hash));

    if (kind == REEL_PAYLOAD_UNKNOWN) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "this form of "
                                           "x-amz-content-sha256 is not "
                                           "taken here");
    }

    if (kind < REEL_PAYLOAD_UNSIGNED_TRAILER) {
        return NGX_DECLINED;
    }

    rc = ngx_http_reel_payload_length(door);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    names = kind == REEL_PAYLOAD_SIGNED ? NULL
            : ngx_http_reel_door_header(door->request, "x-amz-trailer");
    trailers = names ? ngx_http_reel_payload_str(names) : REEL_STR("");

    e.text[0] = '\0';
    err = reel_aws_chunked_init(&payload->frames, kind, door->length,
                                trailers, door->auth.sig,
                                reel_str(door->auth.key->secret), &e);

    if (err == REEL_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (err != REEL_OK) {
        return ngx_http_reel_payload_invalid(door, e.text[0] ? e.text
                                             : "x-amz-trailer is not a list "
                                               "of names");
    }

    payload->framed = 1;

    return NGX_DECLINED;
}


/* Content-Length counts the frames too; without either the end will tell */
static ngx_int_t
ngx_http_reel_payload_length(ngx_http_reel_door_t *door)
{
    ngx_str_t  *value;

    value = ngx_http_reel_door_header(door->request,
                                      "x-amz-decoded-content-length");

    if (value) {
        return reel_str_u64(ngx_http_reel_payload_str(value), INT64_MAX,
                            &door->length)
               == REEL_OK ? NGX_DECLINED
               : ngx_http_reel_params_bad(door, "x-amz-decoded-content-length "
                                          "is not a number of bytes");
    }

    if (!door->request->headers_in.chunked) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_LENGTH_REQUIRED,
                                           "MissingContentLength", "send "
                                           "x-amz-decoded-content-length");
    }

    door->length = REEL_UPLOAD_UNKNOWN;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_payload_hash(ngx_http_reel_door_t *door,
    ngx_http_reel_payload_e what)
{
    uint8_t     sum[REEL_SHA256_LEN];
    reel_str_t  hash;

    hash = reel_str(door->auth.payload_hash);

    if (reel_payload_kind(hash) != REEL_PAYLOAD_SHA256
        || reel_unhex(sum, sizeof(sum), hash) != REEL_OK)
    {
        return NGX_DECLINED;
    }

    if (what == NGX_HTTP_REEL_PAYLOAD_WHOLE) {
        reel_hex(door->facts.expect, sum, sizeof(sum));
        return NGX_DECLINED;
    }

    return ngx_http_reel_payload_check(door, REEL_SUM_SHA256, sum,
                                       "XAmzContentSHA256Mismatch");
}


static ngx_int_t
ngx_http_reel_payload_md5(ngx_http_reel_door_t *door)
{
    uint8_t     sum[REEL_SUM_MAX];
    ngx_str_t  *value;

    value = ngx_http_reel_door_header(door->request, "content-md5");

    if (value == NULL) {
        return NGX_DECLINED;
    }

    if (reel_sum_decode(sum, REEL_SUM_MD5, ngx_http_reel_payload_str(value))
        != REEL_OK)
    {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidDigest", "Content-MD5 is "
                                           "no MD5 in base64");
    }

    return ngx_http_reel_payload_check(door, REEL_SUM_MD5, sum, "BadDigest");
}


static ngx_int_t
ngx_http_reel_payload_headers(ngx_http_reel_door_t *door)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &door->request->headers_in.headers.part;
         part;
         part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            rc = ngx_http_reel_payload_header(door, &h[i].key, &h[i].value);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_payload_header(ngx_http_reel_door_t *door, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t                 rc;
    reel_sum_kind_t           kind;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;

    rc = ngx_http_reel_payload_kind(door, ngx_http_reel_payload_str(name),
                                    &kind);

    if (rc != NGX_DECLINED || kind == REEL_SUM_NONE) {
        return rc;
    }

    if (reel_sum_decode(payload->sum, payload->kind,
                        ngx_http_reel_payload_str(value))
        != REEL_OK)
    {
        return ngx_http_reel_payload_invalid(door, "the value of the "
                                             "x-amz-checksum- header is no "
                                             "checksum of its kind in "
                                             "base64");
    }

    return ngx_http_reel_payload_check(door, payload->kind, payload->sum,
                                       "BadDigest");
}


static ngx_int_t
ngx_http_reel_payload_trailers(ngx_http_reel_door_t *door)
{
    ngx_int_t                 rc;
    ngx_str_t                *names;
    reel_str_t                name, rest;
    reel_sum_kind_t           kind;
    ngx_http_reel_payload_t  *payload;

    payload = door->payload;
    names = ngx_http_reel_door_header(door->request, "x-amz-trailer");

    if (names == NULL || names->len == 0) {
        return NGX_DECLINED;
    }

    if (!payload->framed || payload->frames.ntrailers == 0) {
        return ngx_http_reel_payload_invalid(door, "x-amz-trailer needs a "
                                             "STREAMING-*-TRAILER body");
    }

    for (rest = ngx_http_reel_payload_str(names); rest.p; /* void */) {

        name = reel_str_cut(rest, ',', &rest);

        while (name.len && name.p[0] == ' ') {
            name.p++;
            name.len--;
        }

        while (name.len && name.p[name.len - 1] == ' ') {
            name.len--;
        }

        rc = ngx_http_reel_payload_kind(door, name, &kind);

        if (rc == NGX_DECLINED && kind != REEL_SUM_NONE) {
            /* the value is not known yet */
            rc = ngx_http_reel_payload_check(door, payload->kind,
                                             payload->sum, "BadDigest");
            payload->trailer = door->nchecks;
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_reel_payload_kind(ngx_http_reel_door_t *door, reel_str_t name,
    reel_sum_kind_t *kind)
{
    size_t       n, i;
    reel_str_t   rest;

    static const char *const  others[] = { "algorithm", "type", "mode" };

    *kind = REEL_SUM_NONE;
    n = sizeof(NGX_HTTP_REEL_CHECKSUM) - 1;

    if (name.len < n
        || ngx_strncasecmp((u_char *) name.p,
                           (u_char *) NGX_HTTP_REEL_CHECKSUM, n)
           != 0)
    {
        return NGX_DECLINED;
    }

    rest.p = name.p + n;
    rest.len = name.len - n;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (rest.len == ngx_strlen(others[i])
            && ngx_strncasecmp((u_char *) rest.p, (u_char *) others[i],
                               rest.len)
               == 0)
        {
            return NGX_DECLINED;
        }
    }

    *kind = reel_sum_by_header(name);

    if (*kind == REEL_SUM_NONE) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "checksums are "
                                           "crc32, crc32c, crc64nvme, sha1 "
                                           "and sha256 here");
    }

    if (door->payload->kind != REEL_SUM_NONE) {
        return ngx_http_reel_payload_invalid(door, "a body has one "
                                             "x-amz-checksum- header or "
                                             "trailer at most");
    }

    door->payload->kind = *kind;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_payload_check(ngx_http_reel_door_t *door, reel_sum_kind_t kind,
    const uint8_t *want, const char *code)
{
    reel_err_t  err;

    err = ngx_http_reel_door_check(door, kind, want);

    if (err == REEL_OK) {
        door->payload->codes[door->nchecks - 1] = code;
        return NGX_DECLINED;
    }

    if (err == REEL_UNSUPPORTED) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "this server's "
                                           "OpenSSL has no such checksum");
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_reel_payload_invalid(ngx_http_reel_door_t *door, const char *detail)
{
    return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                       "InvalidRequest", detail);
}


static reel_str_t
ngx_http_reel_payload_str(ngx_str_t *s)
{
    return (reel_str_t) { (char *) s->data, s->len };
}

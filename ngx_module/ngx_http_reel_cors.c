/* CORS of the three kinds of location: what scripts elsewhere send and read */

#include "ngx_module/ngx_http_reel_door.h"

#include <ctype.h>


/* bytes of Access-Control-Request-Headers that are looked at */
#define NGX_HTTP_REEL_PREFLIGHT_MAX  2048


static ngx_int_t ngx_http_reel_preflight_meta(ngx_http_request_t *r,
    ngx_str_t *allowed);
static reel_str_t ngx_http_reel_preflight_name(reel_str_t *rest);
static ngx_uint_t ngx_http_reel_preflight_may(reel_str_t name);


ngx_int_t
ngx_http_reel_cors(ngx_http_request_t *r)
{
    static ngx_str_t  expose = ngx_string(
        "ETag, Content-Length, Content-Range, Date, Location, Retry-After, "
        "reel-asset, x-amz-request-id, x-amz-checksum-crc32, "
        "x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, "
        "x-amz-checksum-sha1, x-amz-checksum-sha256, x-amz-bucket-region, "
        "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, "
        "Tus-Checksum-Algorithm, Upload-Offset, Upload-Length, "
        "Upload-Defer-Length, Upload-Metadata, Upload-Concat, "
        "Upload-Expires, Upload-Complete, Upload-Incomplete, Upload-Limit, "
        "Upload-Draft-Interop-Version, Repr-Digest, Want-Repr-Digest, "
        "Want-Content-Digest, Accept-Patch, Allow");
    /* every segment carries it: what players read, no more */
    static ngx_str_t  expose_play = ngx_string(
        "Age, Content-Encoding, Content-Length, Content-Range, Date, ETag, "
        "Retry-After");

    ngx_str_t                  vary = ngx_string("Origin");
    ngx_uint_t                 plays;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    plays = ngx_http_reel_plays(rlcf);

    if (rlcf->cors_origin.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_reel_find_header(r, "Access-Control-Allow-Origin")) {
        /* the answer became an error; browsers take no second one */
        return NGX_OK;
    }

    if (ngx_http_reel_add_header(r, "Access-Control-Allow-Origin",
                                 &rlcf->cors_origin)
        != NGX_OK
        || ngx_http_reel_add_header(r, "Access-Control-Expose-Headers",
                                    plays ? &expose_play : &expose)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* Resource Timing, by which players in browsers measure their line */
    if (plays
        && ngx_http_reel_add_header(r, "Timing-Allow-Origin",
                                    &rlcf->cors_origin)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (rlcf->cors_origin.len == 1 && rlcf->cors_origin.data[0] == '*') {
        return NGX_OK;
    }

    return ngx_http_reel_add_header(r, "Vary", &vary);
}


/* a script names its own x-amz-meta-: those that it asks for are allowed */
static ngx_int_t
ngx_http_reel_preflight_meta(ngx_http_request_t *r, ngx_str_t *allowed)
{
    u_char      *p;
    ngx_str_t   *asked;
    reel_str_t   name, rest;

    asked = ngx_http_reel_door_header(r, "access-control-request-headers");

    if (asked == NULL || asked->len > NGX_HTTP_REEL_PREFLIGHT_MAX) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, allowed->len + 2 * asked->len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    rest = (reel_str_t) { (char *) asked->data, asked->len };

    allowed->data = ngx_cpymem(p, allowed->data, allowed->len) - allowed->len;
    p += allowed->len;

    while (rest.p) {
        name = ngx_http_reel_preflight_name(&rest);

        if (ngx_http_reel_preflight_may(name)) {
            p = ngx_cpymem(p, ", ", 2);
            p = ngx_cpymem(p, name.p, name.len);
        }
    }

    allowed->len = p - allowed->data;

    return NGX_OK;
}


static reel_str_t
ngx_http_reel_preflight_name(reel_str_t *rest)
{
    reel_str_t  name;

    name = reel_str_cut(*rest, ',', rest);

    while (name.len && name.p[0] == ' ') {
        name.p++;
        name.len--;
    }

    while (name.len && name.p[name.len - 1] == ' ') {
        name.len--;
    }

    return name;
}


static ngx_uint_t
ngx_http_reel_preflight_may(reel_str_t name)
{
    size_t             i;
    static const char  meta[] = "x-amz-meta-";

    if (name.len < sizeof(meta)
        || ngx_strncasecmp((u_char *) name.p, (u_char *) meta,
                           sizeof(meta) - 1)
           != 0)
    {
        return 0;
    }

    for (i = sizeof(meta) - 1; i < name.len; i++) {
        if (!isalnum((u_char) name.p[i]) && name.p[i] != '-'
            && name.p[i] != '_' && name.p[i] != '.')
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_reel_preflight(ngx_http_request_t *r, const char *methods)
{
    static ngx_str_t  headers = ngx_string(
        "Authorization, Content-Type, Content-Encoding, Range, "
        "If-None-Match, Accept, Origin, X-Requested-With, X-Request-ID, "
        "X-HTTP-Method-Override, Content-MD5, x-amz-date, "
        "x-amz-content-sha256, x-amz-security-token, x-amz-user-agent, "
        "x-amz-acl, x-amz-trailer, x-amz-decoded-content-length, "
        "x-amz-sdk-checksum-algorithm, x-amz-checksum-algorithm, "
        "x-amz-checksum-type, x-amz-checksum-crc32, x-amz-checksum-crc32c, "
        "x-amz-checksum-crc64nvme, x-amz-checksum-sha1, "
        "x-amz-checksum-sha256, amz-sdk-invocation-id, amz-sdk-request, "
        "Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, "
        "Upload-Defer-Length, Upload-Concat, Upload-Checksum, "
        "Upload-Complete, Upload-Incomplete, Upload-Draft-Interop-Version, "
        "Content-Digest, Repr-Digest, Want-Repr-Digest");
    static ngx_str_t  age = ngx_string("86400");
    static ngx_str_t  vary = ngx_string("Access-Control-Request-Headers");

    ngx_int_t  rc;
    ngx_str_t  value, allowed;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    value.data = (u_char *) methods;
    value.len = ngx_strlen(methods);

    allowed = headers;

    if (ngx_http_reel_preflight_meta(r, &allowed) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "Access-Control-Allow-Methods", &value)
           != NGX_OK
        || ngx_http_reel_add_header(r, "Allow", &value) != NGX_OK
        || ngx_http_reel_add_header(r, "Access-Control-Allow-Headers",
                                    &allowed)
           != NGX_OK
        || ngx_http_reel_add_header(r, "Vary", &vary) != NGX_OK
        || ngx_http_reel_add_header(r, "Access-Control-Max-Age", &age)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}

/*
 * Who signed a request: AWS SigV4 in the Authorization header or the query,
 * or a bearer JWT.  The checks themselves are lib/auth; here the request is
 * laid before them as it stood on the wire.
 */

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/auth/jwt.h"
#include "lib/auth/sigv4.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"


#define NGX_HTTP_REEL_AUTH_HEADERS  256


static ngx_int_t ngx_http_reel_auth_bearer(ngx_http_request_t *r,
    ngx_http_reel_loc_conf_t *rlcf, ngx_http_reel_auth_t *a);
static ngx_int_t ngx_http_reel_auth_hash(ngx_str_t *body, char *hex);
static ngx_int_t ngx_http_reel_auth_request(ngx_http_request_t *r,
    reel_sigv4_request_t *rq);
static ngx_int_t ngx_http_reel_auth_parse(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, const reel_sigv4_request_t *rq,
    reel_sigv4_auth_t *sig);
static ngx_int_t ngx_http_reel_auth_verify(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, const reel_sigv4_request_t *rq,
    const reel_sigv4_auth_t *sig, const reel_access_key_t *key);
static ngx_int_t ngx_http_reel_auth_keep(ngx_http_reel_auth_t *a,
    const reel_sigv4_auth_t *sig);
static ngx_int_t ngx_http_reel_auth_refuse(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, reel_sigv4_status_t st,
    const char *text);
static const char *ngx_http_reel_auth_reason(reel_sigv4_status_t st);


ngx_int_t
ngx_http_reel_auth(ngx_http_request_t *r, ngx_http_reel_error_form_e form,
    ngx_uint_t bearer, ngx_str_t *body, ngx_http_reel_auth_t *a)
{
    char                       hash[2 * REEL_SHA256_LEN + 1];
    ngx_int_t                  rc;
    reel_sigv4_auth_t         *sig;
    reel_sigv4_request_t       rq;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ngx_memzero(a, sizeof(ngx_http_reel_auth_t));

    if (bearer) {
        rc = ngx_http_reel_auth_bearer(r, rlcf, a);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    sig = ngx_palloc(r->pool, sizeof(reel_sigv4_auth_t));
    if (sig == NULL || ngx_http_reel_auth_request(r, &rq) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (body && body->len) {
        if (ngx_http_reel_auth_hash(body, hash) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rq.payload_hash = reel_str(hash);
    }

    rc = ngx_http_reel_auth_parse(r, form, &rq, sig);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    a->key = reel_access_keys_find(rlcf->keys, sig->access_key);
    if (a->key == NULL) {
        return ngx_http_reel_auth_refuse(r, form, REEL_SIGV4_UNKNOWN_KEY, "");
    }

    rc = ngx_http_reel_auth_verify(r, form, &rq, sig, a->key);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_reel_auth_keep(a, sig);
}


static ngx_int_t
ngx_http_reel_auth_bearer(ngx_http_request_t *r,
    ngx_http_reel_loc_conf_t *rlcf, ngx_http_reel_auth_t *a)
{
    reel_err_t        err;
    reel_jwt_t        jwt;
    reel_str_t        token;
    ngx_str_t        *value;
    ngx_uint_t        expired;
    reel_error_t      e;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    value = &r->headers_in.authorization->value;

    if (value->len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    token.p = (char *) value->data + sizeof("Bearer ") - 1;
    token.len = value->len - (sizeof("Bearer ") - 1);

    e.text[0] = '\0';
    err = reel_jwt_peek(&jwt, token, &e);

    if (err == REEL_OK) {
        a->key = reel_access_keys_find(rlcf->keys, reel_str(jwt.kid));

        if (a->key == NULL) {
            err = reel_fail(&e, REEL_DENIED,
                            "\"kid\" is not the id of an access key here");
        } else {
            err = reel_jwt_verify(&jwt, token, reel_str(a->key->secret),
                                  "reel-api", ngx_time(), &e);
        }
    }

    if (err == REEL_OK) {
        return NGX_OK;
    }

    expired = ngx_strstr(e.text, "expired") != NULL;

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_FORBIDDEN,
                               expired ? "TOKEN_EXPIRED" : "TOKEN_INVALID",
                               e.text[0] ? e.text : "the token was refused",
                               0);
}


static ngx_int_t
ngx_http_reel_auth_hash(ngx_str_t *body, char *hex)
{
    uint8_t  sum[REEL_SHA256_LEN];

    if (reel_sha256(sum, body->data, body->len) != REEL_OK) {
        return NGX_ERROR;
    }

    reel_hex(hex, sum, sizeof(sum));

    return NGX_OK;
}


/* the request as it stood on the wire; borrowed from r */
static ngx_int_t
ngx_http_reel_auth_request(ngx_http_request_t *r, reel_sigv4_request_t *rq)
{
    size_t                n;
    ngx_uint_t            i;
    reel_str_t            uri;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *h;
    reel_sigv4_header_t  *headers;

    headers = ngx_palloc(r->pool, NGX_HTTP_REEL_AUTH_HEADERS
                                  * sizeof(reel_sigv4_header_t));
    if (headers == NULL) {
        return NGX_ERROR;
    }

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (n == NGX_HTTP_REEL_AUTH_HEADERS) {
                return NGX_ERROR;
            }

            headers[n].name.p = (char *) h[i].key.data;
            headers[n].name.len = h[i].key.len;
            headers[n].value.p = (char *) h[i].value.data;
            headers[n].value.len = h[i].value.len;
            n++;
        }
    }

    ngx_memzero(rq, sizeof(reel_sigv4_request_t));

    uri.p = (char *) r->unparsed_uri.data;
    uri.len = r->unparsed_uri.len;

    rq->path = reel_str_cut(uri, '?', &rq->query);
    if (rq->query.p == NULL) {
        rq->query = REEL_STR("");
    }

    rq->method.p = (char *) r->method_name.data;
    rq->method.len = r->method_name.len;
    rq->headers = headers;
    rq->nheaders = n;

    return NGX_OK;
}


/* NGX_DECLINED: *sig is what a signature for S3 says */
static ngx_int_t
ngx_http_reel_auth_parse(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, const reel_sigv4_request_t *rq,
    reel_sigv4_auth_t *sig)
{
    reel_error_t         e;
    reel_sigv4_status_t  st;

    e.text[0] = '\0';
    st = reel_sigv4_parse(sig, rq, &e);

    if (st == REEL_SIGV4_NONE && form == NGX_HTTP_REEL_PROBLEM) {
        return ngx_http_reel_error(r, form, NGX_HTTP_UNAUTHORIZED, "UNSIGNED",
                                   "sign the request by AWS SigV4 (header or "
                                   "query) or send a bearer token", 0);
    }

    if (st != REEL_SIGV4_OK) {
        return ngx_http_reel_auth_refuse(r, form, st, e.text);
    }

    if (!reel_str_eqz(sig->service, "s3")) {
        return ngx_http_reel_auth_refuse(r, form,
                                         sig->presigned
                                         ? REEL_SIGV4_MALFORMED_QUERY
                                         : REEL_SIGV4_MALFORMED_HEADER,
                                         "the credential's service is not "
                                         "s3");
    }

    return NGX_DECLINED;
}


/* NGX_DECLINED: the key's secret signed the request and the body it has */
static ngx_int_t
ngx_http_reel_auth_verify(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, const reel_sigv4_request_t *rq,
    const reel_sigv4_auth_t *sig, const reel_access_key_t *key)
{
    reel_error_t         e;
    reel_sigv4_status_t  st;

    e.text[0] = '\0';
    st = reel_sigv4_verify(sig, rq, reel_str(key->secret), ngx_time(), NULL,
                           &e);

    if (st != REEL_SIGV4_OK) {
        return ngx_http_reel_auth_refuse(r, form, st, e.text);
    }

    if (rq->payload_hash.len && sig->payload_hash[0] != 'U'
        && ngx_strcasecmp((u_char *) sig->payload_hash,
                          (u_char *) rq->payload_hash.p)
           != 0)
    {
        return ngx_http_reel_error(r, form, NGX_HTTP_BAD_REQUEST,
                                   "XAmzContentSHA256Mismatch",
                                   "the body's SHA-256 is not the signed one",
                                   0);
    }

    return NGX_DECLINED;
}


/* what the payload's own check needs of the signature */
static ngx_int_t
ngx_http_reel_auth_keep(ngx_http_reel_auth_t *a, const reel_sigv4_auth_t *sig)
{
    a->sig = sig;
    a->presigned = sig->presigned;
    ngx_cpystrn((u_char *) a->payload_hash, (u_char *) sig->payload_hash,
                sizeof(a->payload_hash));

    if (reel_str_copy(a->signature, sizeof(a->signature), sig->signature)
        != REEL_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_auth_refuse(ngx_http_request_t *r,
    ngx_http_reel_error_form_e form, reel_sigv4_status_t st, const char *text)
{
    int          status;
    const char  *code;

    code = reel_sigv4_code(st, &status);

    return ngx_http_reel_error(r, form, status, code,
                               text[0] ? text : ngx_http_reel_auth_reason(st),
                               0);
}


static const char *
ngx_http_reel_auth_reason(reel_sigv4_status_t st)
{
    switch (st) {

    case REEL_SIGV4_NONE:
        return "the request is not signed; sign it by AWS SigV4";

    case REEL_SIGV4_MALFORMED_QUERY:
        return "the presigned query is not complete or not well formed";

    case REEL_SIGV4_MALFORMED_HEADER:
        return "the Authorization header is not well formed";

    case REEL_SIGV4_V2:
        return "Signature Version 2 is not supported; please use "
               "AWS4-HMAC-SHA256";

    case REEL_SIGV4_UNSIGNED_HEADERS:
        return "there were headers present in the request which were not "
               "signed";

    case REEL_SIGV4_UNKNOWN_KEY:
        return "the access key id does not exist here";

    case REEL_SIGV4_MISMATCH:
        return "the signature does not match: check the secret, the method, "
               "the path, the query and the signed headers";

    case REEL_SIGV4_EXPIRED:
        return "Request has expired";

    case REEL_SIGV4_SKEWED:
        return "the difference between the request time and the server's "
               "clock is too large";

    default:
        return "the signature could not be checked";
    }
}

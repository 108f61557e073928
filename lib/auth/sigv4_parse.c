/* finds the signature of a request and takes it apart */

#include <stdarg.h>
#include <stdio.h>

#include "lib/auth/query.h"
#include "lib/auth/sigv4_canon.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"


reel_sigv4_status_t
reel_sigv4_refuse(reel_error_t *e, reel_sigv4_status_t st, const char *fmt,
    ...)
{
    va_list  ap;

    if (e != NULL) {
        va_start(ap, fmt);
        (void) vsnprintf(e->text, sizeof(e->text), fmt, ap);
        va_end(ap);
    }

    return st;
}


static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}


reel_str_t
reel_sigv4_trim(reel_str_t s)
{
    while (s.len != 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }

    while (s.len != 0 && is_blank(s.p[s.len - 1])) {
        s.len--;
    }

    return s;
}


static bool
has_upper(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len && (s.p[i] < 'A' || s.p[i] > 'Z'); i++) {
        /* void */
    }

    return i < s.len;
}


static bool
hex_sha256(reel_str_t s)
{
    uint8_t  raw[REEL_SHA256_LEN];

    return !has_upper(s) && reel_unhex(raw, sizeof(raw), s) == REEL_OK;
}


static bool
payload_name(reel_str_t s)
{
    static const char  *names[] = {
        REEL_SIGV4_UNSIGNED,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        NULL
    };

    size_t  i;

    for (i = 0; names[i] != NULL && !reel_str_eqz(s, names[i]); i++) {
        /* void */
    }

    return names[i] != NULL;
}


reel_err_t
reel_sigv4_payload(char *dst, const reel_sigv4_request_t *rq, bool presigned)
{
    char                        buf[72];
    reel_err_t                  err = REEL_NOTFOUND;
    reel_str_t                  v;
    const reel_sigv4_header_t  *h;

    if (presigned) {
        err = reel_query_get_decoded(rq->query, "X-Amz-Content-Sha256", buf,
                                     sizeof(buf));
        v = reel_str(buf);
    }

    if (err == REEL_NOTFOUND) {
        h = reel_sigv4_header(rq, "x-amz-content-sha256");

        if (h != NULL) {
            v = reel_sigv4_trim(h->value);

        } else if (rq->payload_hash.len != 0) {
            v = rq->payload_hash;

        } else {
            return REEL_NOTFOUND;
        }

    } else if (err != REEL_OK) {
        return REEL_BADDATA;
    }

    if (!hex_sha256(v) && !payload_name(v)) {
        return REEL_BADDATA;
    }

    return reel_str_copy(dst, 72, v);
}


/* <key id>/<yyyymmdd>/<region>/<service>/aws4_request; the id may have '/' */
bool
reel_sigv4_credential(reel_sigv4_auth_t *a, reel_str_t s)
{
    size_t      i, at = s.len;
    reel_str_t  scope, rest;

    for (i = 0; i < 4; i++) {
        do {
            if (at == 0) {
                return false;
            }
        } while (s.p[--at] != '/');
    }

    scope = (reel_str_t) { s.p + at + 1, s.len - at - 1 };

    if (reel_str_copy(a->access_key_buf, sizeof(a->access_key_buf),
                      (reel_str_t) { s.p, at })
        != REEL_OK
        || reel_str_copy(a->scope_buf, sizeof(a->scope_buf), scope)
           != REEL_OK)
    {
        return false;
    }

    a->access_key = reel_str(a->access_key_buf);
    a->date = reel_str_cut(reel_str(a->scope_buf), '/', &rest);
    a->region = reel_str_cut(rest, '/', &rest);
    a->service = reel_str_cut(rest, '/', &rest);

    return a->access_key.len != 0 && a->date.len == 8 && a->region.len != 0
           && a->service.len != 0 && reel_str_eqz(rest, "aws4_request");
}


/* lower case, sorted, each once: the only form that signers produce */
static bool
signed_headers_valid(reel_str_t list)
{
    int         c;
    size_t      i, n;
    reel_str_t  name, last = { NULL, 0 };

    while (list.p != NULL) {
        name = reel_str_cut(list, ';', &list);

        if (name.len == 0 || has_upper(name)) {
            return false;
        }

        for (i = 0; i < name.len; i++) {
            if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':') {
                return false;
            }
        }

        if (last.p != NULL) {
            n = name.len < last.len ? name.len : last.len;
            c = memcmp(last.p, name.p, n);

            if (c > 0 || (c == 0 && last.len >= name.len)) {
                return false;
            }
        }

        last = name;
    }

    return true;
}


reel_sigv4_status_t
reel_sigv4_check_parts(reel_sigv4_auth_t *a, reel_sigv4_status_t bad,
    const char *prefix, reel_error_t *e)
{
    char  stamp[17];

    if (!signed_headers_valid(a->signed_headers)) {
        return reel_sigv4_refuse(e, bad, "%sSignedHeaders must be lower-case "
                                 "names, sorted, joined by ';'", prefix);
    }

    /* in one form only: a repeated upload is known by its signature */
    if (!hex_sha256(a->signature)) {
        return reel_sigv4_refuse(e, bad, "%sSignature must be 64 lower-case "
                                 "hexadecimal digits", prefix);
    }

    reel_sigv4_timestamp(stamp, a->time_s);

    if (memcmp(a->date.p, stamp, 8) != 0) {
        return reel_sigv4_refuse(e, bad, "the day in %sCredential is not "
                                 "that of the request's date, %s", prefix,
                                 stamp);
    }

    return REEL_SIGV4_OK;
}


/* REEL_SIGV4_OK and v4 when there is one Authorization header of Version 4 */
static reel_sigv4_status_t
find_authorization(reel_str_t *v4, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    size_t      i;
    reel_str_t  v;

    for (i = 0; i < rq->nheaders; i++) {

        if (!reel_sigv4_name_eq(rq->headers[i].name, "authorization")) {
            continue;
        }

        v = reel_sigv4_trim(rq->headers[i].value);

        if (reel_str_prefix(v, "AWS ")) {
            return reel_sigv4_refuse(e, REEL_SIGV4_V2, "Signature Version 2 "
                                     "is not supported: please use "
                                     REEL_SIGV4_ALGORITHM);
        }

        if (!reel_str_prefix(v, "AWS4-")) {
            continue;
        }

        if (!reel_str_prefix(v, REEL_SIGV4_ALGORITHM " ")) {
            return reel_sigv4_refuse(e, REEL_SIGV4_MALFORMED_HEADER,
                                     "Authorization must begin with "
                                     REEL_SIGV4_ALGORITHM);
        }

        if (v4->p != NULL) {
            return reel_sigv4_refuse(e, REEL_SIGV4_MALFORMED_HEADER,
                                     "there are two Authorization headers");
        }

        *v4 = v;
    }

    return v4->p != NULL ? REEL_SIGV4_OK : REEL_SIGV4_NONE;
}


reel_sigv4_status_t
reel_sigv4_parse(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    bool                 query;
    reel_str_t           v4 = { NULL, 0 }, v;
    reel_sigv4_status_t  st;

    *a = (reel_sigv4_auth_t) { 0 };

    query = reel_query_get(rq->query, "X-Amz-Algorithm", &v)
            || reel_query_get(rq->query, "X-Amz-Credential", &v)
            || reel_query_get(rq->query, "X-Amz-Signature", &v);

    st = find_authorization(&v4, rq, e);

    if (st == REEL_SIGV4_OK && query) {
        return reel_sigv4_refuse(e, REEL_SIGV4_MALFORMED_QUERY, "only one "
                                 "signature is allowed: in the query or in "
                                 "the Authorization header");
    }

    if (st == REEL_SIGV4_OK) {
        return reel_sigv4_parse_header(a, rq, v4, e);
    }

    if (st != REEL_SIGV4_NONE) {
        return st;
    }

    if (query) {
        return reel_sigv4_parse_query(a, rq, e);
    }

    if (reel_query_get(rq->query, "AWSAccessKeyId", &v)) {
        return reel_sigv4_refuse(e, REEL_SIGV4_V2, "Signature Version 2 is "
                                 "not supported: please use "
                                 REEL_SIGV4_ALGORITHM " (boto3: "
                                 "Config(signature_version='s3v4'))");
    }

    return reel_sigv4_refuse(e, REEL_SIGV4_NONE, "the request is not "
                             "signed");
}

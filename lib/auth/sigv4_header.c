/* the signature in an Authorization header */

#include "lib/auth/sigv4_canon.h"


#define BAD REEL_SIGV4_MALFORMED_HEADER


/* Credential=…, SignedHeaders=…, Signature=…, in any order, each once */
static reel_sigv4_status_t
split(reel_str_t got[3], reel_str_t v, reel_error_t *e)
{
    static const char  *names[] = { "Credential", "SignedHeaders",
                                    "Signature" };

    size_t      i;
    reel_str_t  part, name;

    while (v.p != NULL) {
        part = reel_sigv4_trim(reel_str_cut(v, ',', &v));
        name = reel_str_cut(part, '=', &part);

        for (i = 0; i < 3 && !reel_str_eqz(name, names[i]); i++) {
            /* void */
        }

        if (i == 3 || part.p == NULL || got[i].p != NULL) {
            return reel_sigv4_refuse(e, BAD, "Authorization must be "
                                     REEL_SIGV4_ALGORITHM " Credential=…, "
                                     "SignedHeaders=…, Signature=…, each "
                                     "once");
        }

        got[i] = part;
    }

    for (i = 0; i < 3; i++) {
        if (got[i].len == 0) {
            return reel_sigv4_refuse(e, BAD, "%s is missing in "
                                     "Authorization", names[i]);
        }
    }

    return REEL_SIGV4_OK;
}


static reel_err_t
parse_date(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq)
{
    const reel_sigv4_header_t  *h;

    h = reel_sigv4_header(rq, "x-amz-date");
    if (h != NULL) {
        return reel_sigv4_time_iso(reel_sigv4_trim(h->value), &a->time_s);
    }

    h = reel_sigv4_header(rq, "date");
    if (h != NULL) {
        return reel_sigv4_time_http(reel_sigv4_trim(h->value), &a->time_s);
    }

    return REEL_NOTFOUND;
}


static bool
has_body(const reel_sigv4_request_t *rq)
{
    uint64_t                    n;
    const reel_sigv4_header_t  *h;

    if (reel_sigv4_header(rq, "transfer-encoding") != NULL) {
        return true;
    }

    h = reel_sigv4_header(rq, "content-length");
    if (h == NULL) {
        return false;
    }

    return reel_str_u64(reel_sigv4_trim(h->value), UINT64_MAX, &n) != REEL_OK
           || n != 0;
}


static reel_sigv4_status_t
parse_payload(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    reel_err_t  err;

    err = reel_sigv4_payload(a->payload_hash, rq, false);

    if (err == REEL_NOTFOUND) {

        if (has_body(rq)) {
            return reel_sigv4_refuse(e, BAD, "x-amz-content-sha256 is "
                                     "missing: send and sign it (curl: "
                                     "-H 'x-amz-content-sha256: "
                                     REEL_SIGV4_UNSIGNED "')");
        }

        memcpy(a->payload_hash, REEL_SIGV4_EMPTY, sizeof(REEL_SIGV4_EMPTY));
        err = REEL_OK;
    }

    if (err != REEL_OK) {
        return reel_sigv4_refuse(e, BAD, "x-amz-content-sha256 must be "
                                 REEL_SIGV4_UNSIGNED " or 64 lower-case "
                                 "hexadecimal digits");
    }

    return REEL_SIGV4_OK;
}


reel_sigv4_status_t
reel_sigv4_parse_header(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_str_t authorization, reel_error_t *e)
{
    reel_str_t           part[3] = { { NULL, 0 } };
    reel_sigv4_status_t  st;

    authorization.p += sizeof(REEL_SIGV4_ALGORITHM) - 1;
    authorization.len -= sizeof(REEL_SIGV4_ALGORITHM) - 1;

    st = split(part, reel_sigv4_trim(authorization), e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    if (!reel_sigv4_credential(a, part[0])) {
        return reel_sigv4_refuse(e, BAD, "Credential must be <key id>/"
                                 "<yyyymmdd>/<region>/s3/aws4_request");
    }

    if (reel_str_copy(a->signed_headers_buf, sizeof(a->signed_headers_buf),
                      part[1])
        != REEL_OK)
    {
        return reel_sigv4_refuse(e, BAD, "SignedHeaders is too long");
    }

    a->signed_headers = reel_str(a->signed_headers_buf);
    a->signature = part[2];

    if (parse_date(a, rq) != REEL_OK) {
        return reel_sigv4_refuse(e, BAD, "the request needs an x-amz-date "
                                 "header of the form 20130524T000000Z");
    }

    st = reel_sigv4_check_parts(a, BAD, "", e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    return parse_payload(a, rq, e);
}

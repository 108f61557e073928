#include "lib/auth/sigv4_canon.h"
#include "lib/crypt/digest.h"


/* every x-amz-* header and Host is signed, or a proxy could change them */
static reel_sigv4_status_t
check_signed(const reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    size_t      i;
    reel_str_t  name;

    if (!reel_sigv4_is_signed(a->signed_headers, REEL_STR("host"))) {
        (void) reel_fail(e, REEL_DENIED, "the Host header must be signed");
        return REEL_SIGV4_UNSIGNED_HEADERS;
    }

    for (i = 0; i < rq->nheaders; i++) {
        name = rq->headers[i].name;

        if (name.len < 6
            || !reel_sigv4_name_eq((reel_str_t) { name.p, 6 }, "x-amz-")
            || reel_sigv4_name_eq(name, "x-amz-content-sha256")
            || reel_sigv4_is_signed(a->signed_headers, name))
        {
            continue;
        }

        (void) reel_fail(e, REEL_DENIED, "there were headers present in the "
                         "request which were not signed: %.*s",
                         (int) (name.len > 64 ? 64 : name.len), name.p);
        return REEL_SIGV4_UNSIGNED_HEADERS;
    }

    return REEL_SIGV4_OK;
}


/* REEL_OK, REEL_DENIED, or what the canonical request failed with */
static reel_err_t
compare(const reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_str_t secret, reel_canon_t form, reel_buf_t *canonical,
    reel_error_t *e)
{
    char                want[65];
    reel_err_t          err;
    reel_sigv4_scope_t  scope = { a->date, a->region, a->service };

    err = reel_sigv4_canon(canonical, rq, a->signed_headers, a->payload_hash,
                           form, e);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_sigv4_signature(want, secret, &scope, a->time_s,
              (reel_str_t) { (char *) canonical->data, canonical->len });
    if (err != REEL_OK) {
        return err;
    }

    /* both are 64 lower-case digits */
    return reel_memeq(a->signature.p, want, 64) ? REEL_OK : REEL_DENIED;
}


/*
 * A line feed in path or query would let one canonical request stand for
 * another; HTTP cannot carry it, but this is where it would matter.
 */
static bool
one_line(reel_str_t s)
{
    return s.len == 0 || memchr(s.p, '\n', s.len) == NULL;
}


static reel_err_t
check_signature(const reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_str_t secret, reel_buf_t *canonical, reel_error_t *e)
{
    reel_err_t  err;
    reel_buf_t  wire, s3;

    reel_buf_init(&s3, REEL_SIGV4_CANON_MAX);

    err = compare(a, rq, secret, REEL_CANON_S3, &s3, e);

    if (canonical != NULL && reel_buf_err(&s3) == REEL_OK) {
        reel_buf_add(canonical, s3.data, s3.len);
    }

    reel_buf_release(&s3);

    if (err != REEL_DENIED || a->presigned || rq->normalize_path
        || !one_line(rq->path) || !one_line(rq->query))
    {
        return err;
    }

    reel_buf_init(&wire, REEL_SIGV4_CANON_MAX);
    err = compare(a, rq, secret, REEL_CANON_WIRE, &wire, e);
    reel_buf_release(&wire);

    return err;
}


static reel_sigv4_status_t
check_times(const reel_sigv4_auth_t *a, int64_t now_s, reel_error_t *e)
{
    char  stamp[17], now[17];

    reel_sigv4_timestamp(stamp, a->time_s);
    reel_sigv4_timestamp(now, now_s);

    if (a->time_s > now_s + REEL_SIGV4_SKEW_S
        || (!a->presigned && a->time_s < now_s - REEL_SIGV4_SKEW_S))
    {
        (void) reel_fail(e, REEL_DENIED, "the difference between the "
                         "request's time (%s) and this server's (%s) is too "
                         "large: check the clocks", stamp, now);
        return REEL_SIGV4_SKEWED;
    }

    if (a->presigned && now_s > a->expires_s) {
        reel_sigv4_timestamp(stamp, a->expires_s);
        (void) reel_fail(e, REEL_DENIED, "Request has expired: it was valid "
                         "until %s, now it is %s", stamp, now);
        return REEL_SIGV4_EXPIRED;
    }

    return REEL_SIGV4_OK;
}


reel_sigv4_status_t
reel_sigv4_verify(const reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_str_t secret, int64_t now_s, reel_buf_t *canonical, reel_error_t *e)
{
    reel_err_t           err;
    reel_sigv4_status_t  st;

    st = check_signed(a, rq, e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    err = check_signature(a, rq, secret, canonical, e);

    switch (err) {

    case REEL_OK:
        return check_times(a, now_s, e);

    case REEL_NOMEM:
        return REEL_SIGV4_NOMEM;

    case REEL_NOTFOUND:                 /* told in e */
        return REEL_SIGV4_MISMATCH;

    case REEL_LIMIT:
        (void) reel_fail(e, err, "the request line is too long to check");
        return REEL_SIGV4_MISMATCH;

    default:
        (void) reel_fail(e, REEL_DENIED, "the signature does not match: "
                         "check the secret, the method, the path, the query "
                         "and the signed headers");
        return REEL_SIGV4_MISMATCH;
    }
}


const char *
reel_sigv4_code(reel_sigv4_status_t st, int *http_status)
{
    static const struct {
        int          status;
        const char  *code;
    } codes[] = {
        [REEL_SIGV4_OK] = { 200, "OK" },
        [REEL_SIGV4_NONE] = { 403, "AccessDenied" },
        [REEL_SIGV4_MALFORMED_QUERY]
            = { 400, "AuthorizationQueryParametersError" },
        [REEL_SIGV4_MALFORMED_HEADER]
            = { 400, "AuthorizationHeaderMalformed" },
        [REEL_SIGV4_V2] = { 400, "InvalidRequest" },
        [REEL_SIGV4_UNSIGNED_HEADERS] = { 403, "AccessDenied" },
        [REEL_SIGV4_UNKNOWN_KEY] = { 403, "InvalidAccessKeyId" },
        [REEL_SIGV4_MISMATCH] = { 403, "SignatureDoesNotMatch" },
        [REEL_SIGV4_EXPIRED] = { 403, "AccessDenied" },
        [REEL_SIGV4_SKEWED] = { 403, "RequestTimeTooSkewed" },
        [REEL_SIGV4_NOMEM] = { 500, "InternalError" },
    };

    *http_status = codes[st].status;

    return codes[st].code;
}

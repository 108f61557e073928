/* the signature of a presigned URL: X-Amz-* parameters of the query */

#include "lib/auth/query.h"
#include "lib/auth/sigv4_canon.h"


#define BAD REEL_SIGV4_MALFORMED_QUERY


typedef struct {
    const char  *name;
    bool         required;
} param_t;


static const param_t  params[] = {
    { "X-Amz-Algorithm", true },
    { "X-Amz-Credential", true },
    { "X-Amz-Date", true },
    { "X-Amz-Expires", true },
    { "X-Amz-SignedHeaders", true },
    { "X-Amz-Signature", true },
    { "X-Amz-Content-Sha256", false },
    { "X-Amz-Security-Token", false },
    { NULL, false }
};


static unsigned
count(reel_str_t query, const char *name)
{
    unsigned    n = 0;
    reel_str_t  k, v, none;

    while (reel_query_next(&query, &k, &v)) {
        n += reel_query_get(k, name, &none);
    }

    return n;
}


static reel_sigv4_status_t
check_presence(reel_str_t query, reel_error_t *e)
{
    unsigned        n;
    reel_str_t      v;
    const param_t  *p;

    for (p = params; p->name != NULL; p++) {
        n = count(query, p->name);

        if (n > 1) {
            return reel_sigv4_refuse(e, BAD, "%s is given more than once",
                                     p->name);
        }

        if (p->required
            && (!reel_query_get(query, p->name, &v) || v.len == 0))
        {
            return reel_sigv4_refuse(e, BAD, "%s is missing: a presigned URL "
                                     "needs X-Amz-Algorithm, -Credential, "
                                     "-Date, -Expires, -SignedHeaders and "
                                     "-Signature", p->name);
        }
    }

    return REEL_SIGV4_OK;
}


/* the decoded parameter, or "" when it is broken or too long */
static reel_str_t
get(reel_str_t query, const char *name, char *dst, size_t cap)
{
    if (reel_query_get_decoded(query, name, dst, cap) != REEL_OK) {
        return REEL_STR("");
    }

    return reel_str(dst);
}


static reel_sigv4_status_t
parse_times(reel_sigv4_auth_t *a, reel_str_t query, reel_error_t *e)
{
    char        buf[32];
    uint64_t    expires;
    reel_str_t  v;

    v = get(query, "X-Amz-Date", buf, sizeof(buf));

    if (reel_sigv4_time_iso(v, &a->time_s) != REEL_OK) {
        return reel_sigv4_refuse(e, BAD, "X-Amz-Date must be of the form "
                                 "20130524T000000Z");
    }

    v = get(query, "X-Amz-Expires", buf, sizeof(buf));

    if (reel_str_u64(v, REEL_SIGV4_MAX_EXPIRES, &expires) != REEL_OK
        || expires == 0)
    {
        return reel_sigv4_refuse(e, BAD, "X-Amz-Expires must be a number of "
                                 "seconds from 1 to 604800");
    }

    a->expires_s = a->time_s + (int64_t) expires;

    return REEL_SIGV4_OK;
}


static reel_sigv4_status_t
parse_payload(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    reel_err_t            err;
    reel_sigv4_request_t  said = *rq;

    if (reel_str_eqz(a->service, "s3")) {
        /* who signed had no body yet: its hash was not in the signature */
        said.payload_hash = REEL_STR("");
    }

    err = reel_sigv4_payload(a->payload_hash, &said, true);

    if (err == REEL_NOTFOUND) {
        memcpy(a->payload_hash, REEL_SIGV4_UNSIGNED,
               sizeof(REEL_SIGV4_UNSIGNED));
        err = REEL_OK;
    }

    if (err != REEL_OK) {
        return reel_sigv4_refuse(e, BAD, "x-amz-content-sha256 must be "
                                 "UNSIGNED-PAYLOAD or 64 lower-case "
                                 "hexadecimal digits");
    }

    return REEL_SIGV4_OK;
}


reel_sigv4_status_t
reel_sigv4_parse_query(reel_sigv4_auth_t *a, const reel_sigv4_request_t *rq,
    reel_error_t *e)
{
    char                 buf[256];
    reel_str_t           v;
    reel_sigv4_status_t  st;

    st = check_presence(rq->query, e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    a->presigned = true;

    v = get(rq->query, "X-Amz-Algorithm", buf, sizeof(buf));

    if (!reel_str_eqz(v, REEL_SIGV4_ALGORITHM)) {
        return reel_sigv4_refuse(e, BAD, "X-Amz-Algorithm must be "
                                 REEL_SIGV4_ALGORITHM);
    }

    v = get(rq->query, "X-Amz-Credential", buf, sizeof(buf));

    if (!reel_sigv4_credential(a, v)) {
        return reel_sigv4_refuse(e, BAD, "X-Amz-Credential must be <key id>/"
                                 "<yyyymmdd>/<region>/s3/aws4_request");
    }

    st = parse_times(a, rq->query, e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    a->signed_headers = get(rq->query, "X-Amz-SignedHeaders",
                            a->signed_headers_buf,
                            sizeof(a->signed_headers_buf));
    (void) reel_query_get(rq->query, "X-Amz-Signature", &a->signature);

    st = reel_sigv4_check_parts(a, BAD, "X-Amz-", e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    return parse_payload(a, rq, e);
}

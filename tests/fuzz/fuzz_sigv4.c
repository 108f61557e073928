/*
 * Any bytes as a request, method SP target LF, then header lines: nothing
 * verifies that was not signed; the canonical form is its own canonical
 * form; and what we sign ourselves verifies.
 */

#include "lib/auth/query.h"
#include "lib/auth/sigv4_canon.h"
#include "tests/fuzz/harness.h"


#define HEADERS_MAX 16
#define T0          INT64_C(1767323045)


typedef struct {
    reel_sigv4_request_t  rq;
    reel_sigv4_header_t   headers[HEADERS_MAX];
} request_t;


static const reel_sigv4_signer_t  signer = {
    .access_key = { "KEY", 3 },
    .secret = { "a secret nobody has", 19 },
    .region = { "us-east-1", 9 },
    .service = { "s3", 2 },
    .time_s = T0,
    .expires_s = 60
};


static reel_str_t
str(const reel_buf_t *b)
{
    return (reel_str_t) { (const char *) b->data, b->len };
}


static void
split(request_t *r, reel_str_t text)
{
    reel_str_t  line, value, target;

    *r = (request_t) { 0 };
    r->rq.headers = r->headers;

    line = reel_str_cut(text, '\n', &text);
    r->rq.method = reel_str_cut(line, ' ', &target);

    if (target.p == NULL) {
        target = REEL_STR("/");
    }

    r->rq.path = reel_str_cut(target, '?', &r->rq.query);

    while (text.p != NULL && r->rq.nheaders < HEADERS_MAX - 1) {
        line = reel_str_cut(text, '\n', &text);
        line = reel_str_cut(line, ':', &value);

        if (value.p != NULL) {
            r->headers[r->rq.nheaders++]
                = (reel_sigv4_header_t) { line, value };
        }
    }
}


static void
check_canonical(const request_t *r)
{
    int         k;
    reel_buf_t  once, twice;

    for (k = 0; k < 2; k++) {
        reel_buf_init(&once, REEL_SIGV4_CANON_MAX);
        reel_buf_init(&twice, REEL_SIGV4_CANON_MAX);
        reel_sigv4_canon_path(&once, r->rq.path, k == 1);
        reel_sigv4_canon_path(&twice, str(&once), k == 1);
        need(reel_buf_err(&once) != REEL_OK
             || reel_str_eq(str(&once), str(&twice)));
        reel_buf_release(&once);
        reel_buf_release(&twice);
    }

    reel_buf_init(&once, REEL_SIGV4_CANON_MAX);
    reel_buf_init(&twice, REEL_SIGV4_CANON_MAX);

    if (reel_sigv4_canon_query(&once, r->rq.query) == REEL_OK) {
        need(reel_sigv4_canon_query(&twice, str(&once)) == REEL_OK);
        need(reel_str_eq(str(&once), str(&twice)));
    }

    reel_buf_release(&once);
    reel_buf_release(&twice);
}


static void
check_foreign(const request_t *r)
{
    reel_buf_t         canonical;
    reel_error_t       e = { "" };
    reel_sigv4_auth_t  a;

    if (reel_sigv4_parse(&a, &r->rq, &e) != REEL_SIGV4_OK) {
        return;
    }

    need(a.access_key.len != 0 && a.signature.len == 64);

    reel_buf_init(&canonical, REEL_SIGV4_CANON_MAX);
    need(reel_sigv4_verify(&a, &r->rq, signer.secret, a.time_s, &canonical,
                           &e)
         != REEL_SIGV4_OK);
    reel_buf_release(&canonical);
}


/* the same request with a Host and without a signature, signed by us */
static void
check_own(const request_t *given)
{
    size_t             i;
    request_t          r = *given;
    reel_buf_t         query;
    reel_str_t         q = r.rq.query, name, value, none;
    reel_error_t       e = { "" };
    reel_sigv4_auth_t  a;

    while (reel_query_next(&q, &name, &value)) {
        if (memchr(name.p, '%', name.len) != NULL
            || reel_str_prefix(name, "X-Amz-")
            || reel_query_get(name, "AWSAccessKeyId", &none))
        {
            return;
        }
    }

    for (i = 0; i < r.rq.nheaders; i++) {
        if (reel_sigv4_name_eq(r.headers[i].name, "host")) {
            return;
        }
    }

    r.headers[0] = (reel_sigv4_header_t) { REEL_STR("Host"),
                                           REEL_STR("reel.test") };
    r.rq.nheaders = 1;
    r.rq.headers = r.headers;

    reel_buf_init(&query, REEL_SIGV4_CANON_MAX);

    if (reel_sigv4_presign(&query, &r.rq, &signer, REEL_STR("")) == REEL_OK) {
        r.rq.query = str(&query);
        need(reel_sigv4_parse(&a, &r.rq, &e) == REEL_SIGV4_OK);
        need(reel_sigv4_verify(&a, &r.rq, signer.secret, T0, NULL, &e)
             == REEL_SIGV4_OK);
        need(reel_sigv4_verify(&a, &r.rq, signer.secret, T0 + 61, NULL, &e)
             == REEL_SIGV4_EXPIRED);
    }

    reel_buf_release(&query);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    request_t  r;

    split(&r, (reel_str_t) { (const char *) data, size });
    check_canonical(&r);
    check_foreign(&r);
    check_own(&r);

    return 0;
}

/*
 * Signatures that must be refused, and with which code: one good presigned
 * and one good header-signed request, each spoilt in one place.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/auth/request.h"
#include "lib/auth/query.h"


#define T0 INT64_C(1767323045)              /* 2026-01-02T03:04:05Z */
#define SECRET "reel-test-secret-0123456789"


static const reel_sigv4_signer_t  signer = {
    .access_key = { "REELTESTKEY", 11 },
    .secret = { SECRET, sizeof(SECRET) - 1 },
    .region = { "us-east-1", 9 },
    .service = { "s3", 2 },
    .time_s = T0,
    .expires_s = 3600
};


static char *
presigned_query(void)
{
    request_t    r;
    reel_buf_t   out;

    request_parse(&r, REEL_STR("PUT /upload/video/film.mp4?reel-max-bytes=9"
                               " HTTP/1.1\nHost: reel.test\n"));
    reel_buf_init(&out, 4096);
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &signer, REEL_STR("")),
                     REEL_OK);

    return reel_buf_take(&out, NULL);
}


/* text with the first `from` made `to`; from must be there */
static char *
replace(const char *text, const char *from, const char *to)
{
    char        *out;
    size_t       cap = strlen(text) + strlen(to) + 1;
    const char  *at = strstr(text, from);

    assert_non_null(at);
    out = malloc(cap);
    assert_non_null(out);
    (void) snprintf(out, cap, "%.*s%s%s", (int) (at - text), text, to,
                    at + strlen(from));

    return out;
}


static reel_sigv4_status_t
judge(const reel_sigv4_request_t *rq, int64_t now_s, reel_error_t *e)
{
    reel_sigv4_auth_t    a;
    reel_sigv4_status_t  st;

    e->text[0] = '\0';

    st = reel_sigv4_parse(&a, rq, e);
    if (st != REEL_SIGV4_OK) {
        return st;
    }

    return reel_sigv4_verify(&a, rq, signer.secret, now_s, NULL, e);
}


typedef struct {
    const char           *what;
    const char           *from;             /* in the query … */
    const char           *to;               /* … becomes this */
    reel_sigv4_status_t   st;
    const char           *text;             /* that e must have in it */
} spoilt_t;


static const spoilt_t  queries[] = {
    { "no Algorithm", "X-Amz-Algorithm=AWS4-HMAC-SHA256&", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm is missing" },
    { "no Credential", "X-Amz-Credential", "x",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential is missing" },
    { "no Date", "X-Amz-Date=20260102T030405Z&", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Date is missing" },
    { "no Expires", "&X-Amz-Expires=3600", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Expires is missing" },
    { "no SignedHeaders", "&X-Amz-SignedHeaders=host", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders is missing" },
    { "no Signature", "&X-Amz-Signature=", "&x=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Signature is missing" },
    { "empty Signature", "&X-Amz-Signature=", "&X-Amz-Signature=&x=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Signature is missing" },

    { "Algorithm twice", "X-Amz-Date=",
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm is given more than once" },
    { "Credential twice", "X-Amz-Date=", "X-Amz-Credential=a&X-Amz-Date=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential is given more than" },
    { "Date twice", "X-Amz-Date=",
      "X-Amz-Date=20260102T030405Z&X-Amz-Date=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Date is given more than once" },
    { "Expires twice, once in disguise", "X-Amz-Expires=",
      "X-Amz%2DExpires=604800&X-Amz-Expires=",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Expires is given more than once" },
    { "SignedHeaders twice", "X-Amz-Expires",
      "X-Amz-SignedHeaders=host&X-Amz-Expires",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders is given more" },
    { "Signature twice", "X-Amz-Expires", "X-Amz-Signature=0&X-Amz-Expires",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Signature is given more than" },
    { "Security-Token twice", "X-Amz-Expires",
      "X-Amz-Security-Token=0&X-Amz-Security-Token=1&X-Amz-Expires",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Security-Token is given more" },

    { "Expires 0", "Expires=3600", "Expires=0",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },
    { "Expires 604801", "Expires=3600", "Expires=604801",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },
    { "Expires -1", "Expires=3600", "Expires=-1",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },
    { "Expires 1h", "Expires=3600", "Expires=1h",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },
    { "Expires over 64 bits", "Expires=3600",
      "Expires=18446744073709555216",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },
    { "Expires with a broken escape", "Expires=3600", "Expires=%3",
      REEL_SIGV4_MALFORMED_QUERY, "from 1 to 604800" },

    { "another algorithm", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm must be" },
    { "no time in Date", "X-Amz-Date=20260102T030405Z",
      "X-Amz-Date=20260102", REEL_SIGV4_MALFORMED_QUERY,
      "X-Amz-Date must be" },
    { "30 February", "X-Amz-Date=20260102T", "X-Amz-Date=20260230T",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Date must be" },
    { "letters in Date", "X-Amz-Date=20260102T03", "X-Amz-Date=20260102Tab",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Date must be" },
    { "scope of another day", "%2F20260102%2F", "%2F20260101%2F",
      REEL_SIGV4_MALFORMED_QUERY, "20260102T030405Z" },
    { "scope of four parts", "%2Faws4_request", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential must be" },
    { "scope with another end", "aws4_request", "aws4_bequest",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential must be" },
    { "no key id", "REELTESTKEY", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential must be" },
    { "no region", "us-east-1", "",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Credential must be" },
    { "SignedHeaders upper case", "SignedHeaders=host", "SignedHeaders=Host",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders must be" },
    { "SignedHeaders unsorted", "SignedHeaders=host",
      "SignedHeaders=host%3Baccept",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders must be" },
    { "SignedHeaders twice host", "SignedHeaders=host",
      "SignedHeaders=host%3Bhost",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders must be" },
    { "SignedHeaders with a gap", "SignedHeaders=host",
      "SignedHeaders=host%3B",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders must be" },
    { "a short signature", "Signature=", "Signature=0",
      REEL_SIGV4_MALFORMED_QUERY, "X-Amz-Signature must be 64" },
    { "a bad payload hash", "X-Amz-Expires",
      "X-Amz-Content-Sha256=UNSIGNED&X-Amz-Expires",
      REEL_SIGV4_MALFORMED_QUERY, "x-amz-content-sha256 must be" },

    { "a header signed that is not sent", "SignedHeaders=host",
      "SignedHeaders=content-type%3Bhost",
      REEL_SIGV4_MISMATCH, "\"content-type\" was signed" },
    { "Host unsigned", "SignedHeaders=host", "SignedHeaders=x",
      REEL_SIGV4_UNSIGNED_HEADERS, "Host" },
    { "a longer life", "Expires=3600", "Expires=604800",
      REEL_SIGV4_MISMATCH, "does not match" },
    { "a higher limit", "reel-max-bytes=9", "reel-max-bytes=99",
      REEL_SIGV4_MISMATCH, "does not match" },
    { "no limit", "reel-max-bytes=9&", "",
      REEL_SIGV4_MISMATCH, "does not match" },
    { "one more parameter", "X-Amz-Expires", "reel-name=x&X-Amz-Expires",
      REEL_SIGV4_MISMATCH, "does not match" },
    { "another region", "us-east-1", "us-west-1",
      REEL_SIGV4_MISMATCH, "does not match" },
    { "another second", "T030405Z", "T030406Z",
      REEL_SIGV4_MISMATCH, "does not match" },

    { "Signature Version 2", "X-Amz-Algorithm=AWS4-HMAC-SHA256",
      NULL, REEL_SIGV4_V2, "s3v4" },
};


static void
test_queries(void **state)
{
    char            *good = presigned_query(), *bad;
    size_t           i;
    request_t        r;
    reel_error_t     e;
    const spoilt_t  *s;

    (void) state;

    request_parse(&r, REEL_STR("PUT /upload/video/film.mp4 HTTP/1.1\n"
                               "Host: reel.test\n"));
    r.rq.query = reel_str(good);
    assert_int_equal(judge(&r.rq, T0, &e), REEL_SIGV4_OK);

    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        s = &queries[i];
        bad = s->to != NULL
              ? replace(good, s->from, s->to)
              : strdup("AWSAccessKeyId=A&Signature=a%3D&Expires=1795435701");
        r.rq.query = reel_str(bad);

        if (judge(&r.rq, T0, &e) != s->st) {
            fail_msg("%s: %s", s->what, e.text);
        }

        if (strstr(e.text, s->text) == NULL) {
            fail_msg("%s: \"%s\" says nothing of \"%s\"", s->what, e.text,
                     s->text);
        }

        assert_null(strstr(e.text, SECRET));
        free(bad);
    }

    free(good);
}


typedef struct {
    const char           *what;
    const char           *request;          /* less the query */
    int64_t               after;            /* seconds after signing */
    reel_sigv4_status_t   st;
    const char           *text;
} moment_t;


#define LINE "PUT /upload/video/film.mp4 HTTP/1.1\nHost: reel.test\n"

static const moment_t  moments[] = {
    { "at once", LINE, 0, REEL_SIGV4_OK, "" },
    { "the last second", LINE, 3600, REEL_SIGV4_OK, "" },
    { "one later", LINE, 3601, REEL_SIGV4_EXPIRED, "20260102T040405Z" },
    { "next year", LINE, 365 * 86400, REEL_SIGV4_EXPIRED, "expired" },
    { "signed 15 min ahead", LINE, -900, REEL_SIGV4_OK, "" },
    { "one second more", LINE, -901, REEL_SIGV4_SKEWED, "clocks" },
    { "wrong method", "GET /upload/video/film.mp4 HTTP/1.1\n"
      "Host: reel.test\n", 0, REEL_SIGV4_MISMATCH, "method" },
    { "wrong path", "PUT /upload/video/film2.mp4 HTTP/1.1\n"
      "Host: reel.test\n", 0, REEL_SIGV4_MISMATCH, "path" },
    { "path not normalised", "PUT /upload/video/./film.mp4 HTTP/1.1\n"
      "Host: reel.test\n", 0, REEL_SIGV4_MISMATCH, "path" },
    { "slash in disguise", "PUT /upload/video%2Ffilm.mp4 HTTP/1.1\n"
      "Host: reel.test\n", 0, REEL_SIGV4_MISMATCH, "path" },
    { "wrong host", "PUT /upload/video/film.mp4 HTTP/1.1\n"
      "Host: reel.test:8080\n", 0, REEL_SIGV4_MISMATCH, "match" },
    { "no host", "PUT /upload/video/film.mp4 HTTP/1.1\nAccept: x\n", 0,
      REEL_SIGV4_MISMATCH, "\"host\"" },
    { "an escape for a letter", "PUT /upload/video/fil%6D.mp4 HTTP/1.1\n"
      "Host: reel.test\n", 0, REEL_SIGV4_OK, "" },
    { "wrong and expired: wrong is told", "GET /upload/video/film.mp4 "
      "HTTP/1.1\nHost: reel.test\n", 9999, REEL_SIGV4_MISMATCH, "match" },
    { "unsigned x-amz-", LINE "X-Amz-Meta-Title: x\n", 0,
      REEL_SIGV4_UNSIGNED_HEADERS, "X-Amz-Meta-Title" },
    { "unsigned date header", LINE "x-amz-date: 20260102T030405Z\n", 0,
      REEL_SIGV4_UNSIGNED_HEADERS, "x-amz-date" },
    { "the payload said by the header", LINE
      "x-amz-content-sha256: UNSIGNED-PAYLOAD\n", 0, REEL_SIGV4_OK, "" },
    { "another payload said by the header", LINE
      "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b93"
      "4ca495991b7852b855\n", 0, REEL_SIGV4_MISMATCH, "match" },
    { "other unsigned headers", LINE "Content-Type: a\nExpect: b\n", 0,
      REEL_SIGV4_OK, "" },
    { "a bearer token beside it", LINE "Authorization: Bearer a.b.c\n", 0,
      REEL_SIGV4_OK, "" },
    { "two signatures", LINE "Authorization: AWS4-HMAC-SHA256 Credential=a,"
      "SignedHeaders=host,Signature=b\n", 0, REEL_SIGV4_MALFORMED_QUERY,
      "only one signature" },
    { "a signature of Version 2 beside it", LINE "Authorization: AWS a:b=\n",
      0, REEL_SIGV4_V2, "Version 2" },
};


static void
test_moments(void **state)
{
    char            *good = presigned_query();
    size_t           i;
    request_t        r;
    reel_error_t     e;
    const moment_t  *m;

    (void) state;

    for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        m = &moments[i];
        request_parse(&r, reel_str(m->request));
        r.rq.query = reel_str(good);

        if (judge(&r.rq, T0 + m->after, &e) != m->st
            || strstr(e.text, m->text) == NULL)
        {
            fail_msg("%s: %s", m->what, e.text);
        }
    }

    free(good);
}


/* signed with the header; `name: value` lines may be spoilt */
#define HEADERS "x-amz-content-sha256: UNSIGNED-PAYLOAD\n"                    \
                "x-amz-date: 20260102T030405Z\n"


static char *
signed_request(void)
{
    char        *text;
    request_t    r;
    reel_buf_t   out;

    request_parse(&r, REEL_STR(LINE HEADERS));
    /* the parser leaves blanks that a signer has not */
    r.headers[2].value = REEL_STR("20260102T030405Z");

    reel_buf_init(&out, 4096);
    reel_buf_addz(&out, LINE HEADERS "Authorization: ");
    assert_int_equal(reel_sigv4_sign_header(&out, &r.rq, &signer,
                                            REEL_STR("")),
                     REEL_OK);
    reel_buf_addz(&out, "\nContent-Length: 6\n");
    text = reel_buf_take(&out, NULL);
    assert_non_null(text);

    return text;
}


static const spoilt_t  requests[] = {
    { "nothing", "PUT", "PUT", REEL_SIGV4_OK, "" },
    { "wrong method", "PUT", "GET", REEL_SIGV4_MISMATCH, "match" },
    { "other date", "x-amz-date: 20260102T030405Z",
      "x-amz-date: 20260102T030406Z", REEL_SIGV4_MISMATCH, "match" },
    { "other day", "x-amz-date: 20260102T030405Z",
      "x-amz-date: 20260103T030405Z", REEL_SIGV4_MALFORMED_HEADER,
      "the day in Credential" },
    { "other payload", "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-"
      "TRAILER", REEL_SIGV4_MISMATCH, "match" },
    { "unknown payload", "UNSIGNED-PAYLOAD", "STREAMING-ALL",
      REEL_SIGV4_MALFORMED_HEADER, "x-amz-content-sha256 must be" },
    { "no date", "x-amz-date: ", "x: ", REEL_SIGV4_MALFORMED_HEADER,
      "x-amz-date" },
    { "date header instead, garbage", "x-amz-date: ", "date: ",
      REEL_SIGV4_MALFORMED_HEADER, "x-amz-date" },
    { "no payload hash", "x-amz-content-sha256: ", "x: ",
      REEL_SIGV4_MALFORMED_HEADER, "-H 'x-amz-content-sha256" },
    { "no Credential", "Credential=", "x=", REEL_SIGV4_MALFORMED_HEADER,
      "Credential=" },
    { "Credential twice", "Credential=", "Credential=x, Credential=",
      REEL_SIGV4_MALFORMED_HEADER, "each once" },
    { "no Signature", ", Signature=", ", x=", REEL_SIGV4_MALFORMED_HEADER,
      "Authorization must be" },
    { "cut before Signature", ", Signature=", "\nx:",
      REEL_SIGV4_MALFORMED_HEADER, "Signature is missing" },
    { "upper-case signature", "Signature=", "Signature=A",
      REEL_SIGV4_MALFORMED_HEADER, "64 lower-case" },
    { "x-amz- unsigned", "\nContent-Length", "\nx-amz-acl: public\n"
      "Content-Length", REEL_SIGV4_UNSIGNED_HEADERS, "x-amz-acl" },
    { "date repeated", "\nContent-Length",
      "\nx-amz-date: 20260102T030405Z\nContent-Length", REEL_SIGV4_MISMATCH,
      "match" },
    { "two of them", "\nContent-Length", "\nAuthorization: AWS4-HMAC-SHA256 "
      "Credential=a\nContent-Length", REEL_SIGV4_MALFORMED_HEADER, "two" },
    { "other algorithm", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256",
      REEL_SIGV4_MALFORMED_HEADER, "begin with AWS4-HMAC-SHA256" },
    { "Version 2", "AWS4-HMAC-SHA256 ", "AWS key:sig",
      REEL_SIGV4_V2, "Version 2" },
    { "basic", "AWS4-HMAC-SHA256 ", "Basic ", REEL_SIGV4_NONE, "not signed" },
    { "none", "Authorization: ", "X: ", REEL_SIGV4_NONE, "not signed" },
};


static void
test_requests(void **state)
{
    char            *good = signed_request(), *bad;
    size_t           i;
    request_t        r;
    reel_error_t     e;
    const spoilt_t  *s;

    (void) state;

    for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        s = &requests[i];
        bad = replace(good, s->from, s->to);
        request_parse(&r, reel_str(bad));

        if (judge(&r.rq, T0, &e) != s->st
            || strstr(e.text, s->text) == NULL)
        {
            fail_msg("%s: %s", s->what, e.text);
        }

        free(bad);
    }

    request_parse(&r, reel_str(good));
    assert_int_equal(judge(&r.rq, T0 + 900, &e), REEL_SIGV4_OK);
    assert_int_equal(judge(&r.rq, T0 - 900, &e), REEL_SIGV4_OK);
    assert_int_equal(judge(&r.rq, T0 + 901, &e), REEL_SIGV4_SKEWED);
    assert_int_equal(judge(&r.rq, T0 - 901, &e), REEL_SIGV4_SKEWED);
    assert_non_null(strstr(e.text, "20260102T030405Z"));

    free(good);
}


/* a Date header alone will do: then it gives the time */
static void
test_date_header(void **state)
{
    int64_t  t;

    static const struct { const char *s; bool good; } dates[] = {
        { "Fri, 02 Jan 2026 03:04:05 GMT", true },
        { "Fri, 02 Jan 2026 03:04:05 UTC", false },
        { "Fri, 31 Feb 2026 03:04:05 GMT", false },
        { "Fri, 02 Jam 2026 03:04:05 GMT", false },
        { "Fri, 02 Jan 2026 3:04:05 GMT", false },
        { "Friday, 02-Jan-26 03:04:05 GMT", false },
        { "", false },
    };

    size_t               i;
    request_t            r;
    reel_error_t         e;
    reel_sigv4_auth_t    a;
    char                 text[512];
    reel_sigv4_status_t  st;

    (void) state;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        (void) snprintf(text, sizeof(text), LINE "Date: %s\n"
                        "Authorization: AWS4-HMAC-SHA256 Credential=K/"
                        "20260102/r/s3/aws4_request,SignedHeaders=date;host,"
                        "Signature=%064d\n", dates[i].s, 0);
        request_parse(&r, reel_str(text));
        st = reel_sigv4_parse(&a, &r.rq, &e);
        t = a.time_s;
        assert_int_equal(st, dates[i].good ? REEL_SIGV4_OK
                                           : REEL_SIGV4_MALFORMED_HEADER);
        assert_true(!dates[i].good || t == T0);
    }
}


static void
test_signing_refused(void **state)
{
    request_t            r;
    reel_buf_t           out;
    reel_sigv4_signer_t  s = signer;

    (void) state;

    reel_buf_init(&out, 4096);
    request_parse(&r, REEL_STR(LINE));

    s.expires_s = 0;
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_INVAL);
    s.expires_s = 604801;
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_INVAL);
    s.expires_s = 604800;
    r.rq.query = REEL_STR("X-Amz-Signature=0");
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_INVAL);
    r.rq.query = REEL_STR("a=b");
    assert_int_equal(reel_sigv4_sign_header(&out, &r.rq, &s, REEL_STR("")),
                     REEL_INVAL);
    assert_int_equal(out.len, 0);
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_OK);
    reel_buf_release(&out);

    r.rq.nheaders = 0;
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_INVAL);

    /* a buffer that is too small */
    reel_buf_init(&out, 100);
    r.rq.nheaders = 1;
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, REEL_STR("")),
                     REEL_LIMIT);
    reel_buf_release(&out);
}


static void
test_codes(void **state)
{
    static const struct {
        reel_sigv4_status_t  st;
        int                  http;
        const char          *code;
    } codes[] = {
        { REEL_SIGV4_NONE, 403, "AccessDenied" },
        { REEL_SIGV4_MALFORMED_QUERY, 400,
          "AuthorizationQueryParametersError" },
        { REEL_SIGV4_MALFORMED_HEADER, 400, "AuthorizationHeaderMalformed" },
        { REEL_SIGV4_V2, 400, "InvalidRequest" },
        { REEL_SIGV4_UNSIGNED_HEADERS, 403, "AccessDenied" },
        { REEL_SIGV4_UNKNOWN_KEY, 403, "InvalidAccessKeyId" },
        { REEL_SIGV4_MISMATCH, 403, "SignatureDoesNotMatch" },
        { REEL_SIGV4_EXPIRED, 403, "AccessDenied" },
        { REEL_SIGV4_SKEWED, 403, "RequestTimeTooSkewed" },
        { REEL_SIGV4_NOMEM, 500, "InternalError" },
    };

    int     http;
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_string_equal(reel_sigv4_code(codes[i].st, &http),
                            codes[i].code);
        assert_int_equal(http, codes[i].http);
    }
}


static void
test_timestamp(void **state)
{
    char  stamp[17];

    (void) state;

    reel_sigv4_timestamp(stamp, 1369353600);
    assert_string_equal(stamp, "20130524T000000Z");
    reel_sigv4_timestamp(stamp, INT64_MAX);
    assert_string_equal(stamp, "99991231T235959Z");
    reel_sigv4_timestamp(stamp, -1);
    assert_string_equal(stamp, "19700101T000000Z");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_date_header),
        cmocka_unit_test(test_signing_refused),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_timestamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

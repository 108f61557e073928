/*
 * AWS's published test suite, tests/vectors/sigv4: each of the 38 cases is
 * verified and signed, in the header and in the query.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/unit/auth/request.h"
#include "lib/auth/query.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "tests/unit/help/files.h"


#define FOLDER "tests/vectors/sigv4"
#define CASES  38


typedef struct {
    char                 folder[512];
    json_t              *context;
    reel_sigv4_signer_t  signer;
    bool                 normalize;
    bool                 sign_body;
    bool                 token_unsigned;    /* added after signing */
    reel_str_t           token;
    char                 stamp[17];
} vector_t;


static char *
slurp(const vector_t *v, const char *name)
{
    char  path[1024];

    (void) snprintf(path, sizeof(path), "%s/%s", v->folder, name);

    return file_read(path, NULL);
}


static reel_str_t
member(json_t *o, const char *name)
{
    const char  *z = json_string_value(json_object_get(o, name));

    return z != NULL ? reel_str(z) : REEL_STR("");
}


static int64_t
seconds(reel_str_t s)
{
    struct { int y, mo, d, h, mi, s; } t;
    int64_t  days;

    /* "2015-08-30T12:36:00Z", the only one in the suite */
    assert_int_equal(s.len, 20);
    t.y = (int) strtol(s.p, NULL, 10);
    t.mo = (int) strtol(s.p + 5, NULL, 10);
    t.d = (int) strtol(s.p + 8, NULL, 10);
    t.h = (int) strtol(s.p + 11, NULL, 10);
    t.mi = (int) strtol(s.p + 14, NULL, 10);
    t.s = (int) strtol(s.p + 17, NULL, 10);

    t.y -= t.mo <= 2;
    days = 365LL * t.y + t.y / 4 - t.y / 100 + t.y / 400
           + (153 * (t.mo + (t.mo > 2 ? -3 : 9)) + 2) / 5 + t.d - 1 - 719468;

    return days * 86400 + t.h * 3600 + t.mi * 60 + t.s;
}


static void
load(vector_t *v, const char *name)
{
    char    *text;
    json_t  *cred;

    *v = (vector_t) { 0 };
    (void) snprintf(v->folder, sizeof(v->folder), "%s/%s", FOLDER, name);

    text = slurp(v, "context.json");
    v->context = json_loads(text, 0, NULL);
    assert_non_null(v->context);
    free(text);

    cred = json_object_get(v->context, "credentials");
    v->token = member(cred, "token");
    v->token_unsigned
        = json_is_true(json_object_get(v->context, "omit_session_token"));
    v->normalize = json_is_true(json_object_get(v->context, "normalize"));
    v->sign_body = json_is_true(json_object_get(v->context, "sign_body"));
    v->signer = (reel_sigv4_signer_t) {
        .access_key = member(cred, "access_key_id"),
        .secret = member(cred, "secret_access_key"),
        .region = member(v->context, "region"),
        .service = member(v->context, "service"),
        .time_s = seconds(member(v->context, "timestamp")),
        .expires_s = (uint32_t) json_integer_value(
            json_object_get(v->context, "expiration_in_seconds")),
    };
    reel_sigv4_timestamp(v->stamp, v->signer.time_s);
}


static void
body_hash(char *hex, reel_str_t body)
{
    uint8_t  raw[REEL_SHA256_LEN];

    assert_int_equal(reel_sha256(raw, body.p != NULL ? body.p : "", body.len),
                     REEL_OK);
    reel_hex(hex, raw, sizeof(raw));
}


static void
check_verified(const vector_t *v, request_t *r, const char *canonical_file)
{
    char               *want = slurp(v, canonical_file);
    reel_buf_t          canonical;
    reel_error_t        e = { "" };
    reel_sigv4_auth_t   a;

    reel_buf_init(&canonical, 65536);

    assert_int_equal(reel_sigv4_parse(&a, &r->rq, &e), REEL_SIGV4_OK);
    assert_true(reel_str_eq(a.access_key, v->signer.access_key));
    assert_true(reel_str_eq(a.region, v->signer.region));
    assert_true(reel_str_eq(a.service, v->signer.service));
    assert_int_equal(a.time_s, v->signer.time_s);

    assert_int_equal(reel_sigv4_verify(&a, &r->rq, v->signer.secret,
                                       a.time_s, &canonical, &e),
                     REEL_SIGV4_OK);
    assert_string_equal(reel_buf_cstr(&canonical), want);

    reel_buf_release(&canonical);

    /* one other byte in the secret */
    assert_int_equal(reel_sigv4_verify(&a, &r->rq,
                         REEL_STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ"),
                         a.time_s, NULL, &e),
                     REEL_SIGV4_MISMATCH);
    free(want);
}


static void
verify_header(const vector_t *v)
{
    char               *text = slurp(v, "header-signed-request.txt");
    request_t           r;
    reel_error_t        e;
    reel_sigv4_auth_t   a;

    request_parse(&r, reel_str(text));
    r.rq.normalize_path = v->normalize;

    if (v->token_unsigned) {
        /* x-amz- headers have to be signed */
        assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e), REEL_SIGV4_OK);
        assert_int_equal(reel_sigv4_verify(&a, &r.rq, v->signer.secret,
                                           a.time_s, NULL, &e),
                         REEL_SIGV4_UNSIGNED_HEADERS);
        assert_non_null(strstr(e.text, "X-Amz-Security-Token"));
        request_drop(&r, "X-Amz-Security-Token");
    }

    check_verified(v, &r, "header-canonical-request.txt");
    free(text);
}


/* query less the parameter of that name, which must be there */
static char *
without(reel_str_t query, const char *name)
{
    char        *out = calloc(1, query.len + 1);
    size_t       len = 0;
    bool         found = false;
    reel_str_t   one, none;

    assert_non_null(out);

    while (query.p != NULL) {
        one = reel_str_cut(query, '&', &query);

        if (reel_query_get(one, name, &none)) {
            found = true;
            continue;
        }

        if (len != 0) {
            out[len++] = '&';
        }

        memcpy(out + len, one.p, one.len);
        len += one.len;
    }

    assert_true(found);

    return out;
}


static void
verify_query(const vector_t *v)
{
    char       *text = slurp(v, "query-signed-request.txt"), *query = NULL;
    char        hash[65];
    request_t   r;

    request_parse(&r, reel_str(text));
    r.rq.normalize_path = v->normalize;

    /* not S3: the payload is hashed, and the request does not say it */
    body_hash(hash, r.body);
    r.rq.payload_hash = reel_str(hash);

    if (v->token_unsigned) {
        query = without(r.rq.query, "X-Amz-Security-Token");
        r.rq.query = reel_str(query);
    }

    check_verified(v, &r, "query-canonical-request.txt");
    free(query);
    free(text);
}


static void
sign_header(const vector_t *v)
{
    char         hash[65];
    char        *text = slurp(v, "request.txt");
    char        *want = slurp(v, "header-signed-request.txt");
    request_t    r;
    reel_buf_t   out;
    const char  *line;

    request_parse(&r, reel_str(text));
    r.rq.normalize_path = v->normalize;
    request_add(&r, "X-Amz-Date", reel_str(v->stamp));

    if (v->token.len != 0 && !v->token_unsigned) {
        request_add(&r, "X-Amz-Security-Token", v->token);
    }

    if (v->sign_body) {
        body_hash(hash, r.body);
        request_add(&r, "x-amz-content-sha256", reel_str(hash));
    }

    reel_buf_init(&out, 8192);
    assert_int_equal(reel_sigv4_sign_header(&out, &r.rq, &v->signer,
                                            REEL_STR("")),
                     REEL_OK);

    line = strstr(want, "Authorization:");
    assert_non_null(line);
    line += sizeof("Authorization:") - 1;
    assert_int_equal(strcspn(line, "\r\n"), out.len);
    assert_memory_equal(line, out.data, out.len);

    reel_buf_release(&out);
    free(want);
    free(text);
}


static void
sign_query(const vector_t *v)
{
    char                 hash[65];
    char                *text = slurp(v, "request.txt");
    char                *signed_text = slurp(v, "query-signed-request.txt");
    char                *query = NULL;
    request_t            r, want;
    reel_buf_t           out;
    reel_sigv4_signer_t  s = v->signer;

    request_parse(&r, reel_str(text));
    request_parse(&want, reel_str(signed_text));
    r.rq.normalize_path = v->normalize;

    if (v->token_unsigned) {
        query = without(want.rq.query, "X-Amz-Security-Token");
        want.rq.query = reel_str(query);

    } else {
        s.session_token = v->token;
    }

    body_hash(hash, r.body);
    reel_buf_init(&out, 8192);
    assert_int_equal(reel_sigv4_presign(&out, &r.rq, &s, reel_str(hash)),
                     REEL_OK);
    assert_int_equal(out.len, want.rq.query.len);
    assert_memory_equal(out.data, want.rq.query.p, out.len);

    reel_buf_release(&out);
    free(query);
    free(signed_text);
    free(text);
}


static void
each(void (*check)(const vector_t *v))
{
    DIR            *d = opendir(FOLDER);
    unsigned        n = 0;
    vector_t        v;
    struct dirent  *de;

    assert_non_null(d);

    while ((de = readdir(d)) != NULL) {
        if (de->d_name[0] < 'a') {
            continue;           /* ".", "..", LICENSE, NOTICE */
        }

        print_message("    %s\n", de->d_name);
        load(&v, de->d_name);
        check(&v);
        json_decref(v.context);
        n++;
    }

    closedir(d);
    assert_int_equal(n, CASES);
}


static void
test_verify_header(void **state)
{
    (void) state;
    each(verify_header);
}


static void
test_verify_query(void **state)
{
    (void) state;
    each(verify_query);
}


static void
test_sign_header(void **state)
{
    (void) state;
    each(sign_header);
}


static void
test_sign_query(void **state)
{
    (void) state;
    each(sign_query);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_verify_header),
        cmocka_unit_test(test_verify_query),
        cmocka_unit_test(test_sign_header),
        cmocka_unit_test(test_sign_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

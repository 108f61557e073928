#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/auth/jwt.h"
#include "lib/crypt/digest.h"


#define NOW INT64_C(1767323045)
#define SECRET REEL_STR("reel-test-secret-0123456789")


/* RFC 7515, A.1 */
static const char  a1[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
    "LmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/* its key, from base64url */
static const uint8_t  a1_key[64] = {
    0x03, 0x23, 0x35, 0x4b, 0x2b, 0x0f, 0xa5, 0xbc, 0x83, 0x7e, 0x06, 0x65,
    0x77, 0x7b, 0xa6, 0x8f, 0x5a, 0xb3, 0x28, 0xe6, 0xf0, 0x54, 0xc9, 0x28,
    0xa9, 0x0f, 0x84, 0xb2, 0xd2, 0x50, 0x2e, 0xbf, 0xd3, 0xfb, 0x5a, 0x92,
    0xd2, 0x06, 0x47, 0xef, 0x96, 0x8a, 0xb4, 0xc3, 0x77, 0x62, 0x3d, 0x22,
    0x3d, 0x2e, 0x21, 0x72, 0x05, 0x2e, 0x4f, 0x08, 0xc0, 0xcd, 0x9a, 0xf5,
    0x67, 0xd0, 0x80, 0xa3
};


static void
test_rfc7515_a1(void **state)
{
    char          text[sizeof(a1)];
    reel_str_t    key = { (const char *) a1_key, sizeof(a1_key) };
    reel_jwt_t    t;
    reel_error_t  e;

    (void) state;

    assert_int_equal(reel_jwt_peek(&t, reel_str(a1), &e), REEL_OK);
    assert_int_equal(t.exp, 1300819380);
    assert_string_equal(t.kid, "");

    assert_int_equal(reel_jwt_verify(&t, reel_str(a1), key, NULL, 1300819380,
                                     &e),
                     REEL_OK);
    assert_int_equal(reel_jwt_verify(&t, reel_str(a1), key, "reel-api",
                                     1300819380, &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "wrong audience");
    assert_int_equal(reel_jwt_verify(&t, reel_str(a1), key, NULL, 1300819440,
                                     &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "expired");

    key.len--;
    assert_int_equal(reel_jwt_verify(&t, reel_str(a1), key, NULL, 1300819380,
                                     &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "signature");
    key.len++;

    /* any one character of the signature */
    memcpy(text, a1, sizeof(a1));
    text[sizeof(a1) - 10] = 'x';
    assert_int_equal(reel_jwt_verify(&t, reel_str(text), key, NULL,
                                     1300819380, &e),
                     REEL_DENIED);

    /* "k" and "l" differ in a bit that no byte has */
    memcpy(text, a1, sizeof(a1));
    text[sizeof(a1) - 2] = 'l';
    assert_int_equal(reel_jwt_peek(&t, reel_str(text), &e), REEL_BADDATA);
}


static void
test_round(void **state)
{
    reel_jwt_t    t = { .kid = "REEL1", .sub = "page", .aud = "reel-api",
                        .exp = NOW + 3600, .nbf = NOW };
    reel_jwt_t    got;
    reel_buf_t    b;
    reel_str_t    token;
    reel_error_t  e;

    (void) state;

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_jwt_sign(&b, &t, SECRET), REEL_OK);
    token = (reel_str_t) { (char *) b.data, b.len };

    assert_int_equal(reel_jwt_peek(&got, token, &e), REEL_OK);
    assert_string_equal(got.kid, "REEL1");

    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "reel-api", NOW,
                                     &e),
                     REEL_OK);
    assert_string_equal(got.sub, "page");
    assert_string_equal(got.aud, "reel-api");
    assert_int_equal(got.exp, NOW + 3600);
    assert_int_equal(got.nbf, NOW);

    /* the leeway, to the second */
    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "reel-api",
                                     NOW - 60, &e),
                     REEL_OK);
    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "reel-api",
                                     NOW - 61, &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "not yet valid");
    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "reel-api",
                                     NOW + 3659, &e),
                     REEL_OK);
    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "reel-api",
                                     NOW + 3660, &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "expired");
    assert_int_equal(reel_jwt_verify(&got, token, SECRET, "play", NOW, &e),
                     REEL_DENIED);
    assert_string_equal(e.text, "wrong audience");

    t.exp = 0;
    assert_int_equal(reel_jwt_sign(&b, &t, SECRET), REEL_INVAL);
    reel_buf_release(&b);
}


static void
encode(reel_buf_t *b, const void *data, size_t n)
{
    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                  "qrstuvwxyz0123456789-_";

    size_t          i, bit;
    unsigned        v, k;
    const uint8_t  *p = data;

    for (bit = 0; bit < 8 * n; bit += 6) {
        for (v = 0, k = 0; k < 6; k++) {
            i = bit + k;
            v = v << 1 | (i < 8 * n ? p[i / 8] >> (7 - i % 8) & 1 : 0);
        }

        reel_buf_u8(b, (uint8_t) digits[v]);
    }
}


/* signs whatever header and payload are */
static char *
forge(const char *header, const char *payload)
{
    uint8_t     mac[REEL_SHA256_LEN];
    reel_buf_t  b;

    reel_buf_init(&b, 2 * 1024 * 1024);
    encode(&b, header, strlen(header));
    reel_buf_u8(&b, '.');
    encode(&b, payload, strlen(payload));
    assert_int_equal(reel_hmac_sha256(mac, SECRET.p, SECRET.len, b.data,
                                      b.len),
                     REEL_OK);
    reel_buf_u8(&b, '.');
    encode(&b, mac, sizeof(mac));

    return reel_buf_take(&b, NULL);
}


#define HS256 "{\"alg\":\"HS256\"}"
#define GOOD  "{\"aud\":\"reel-api\",\"exp\":1767323100}"
#define X32   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char  *header;
    const char  *payload;
    reel_err_t   err;
    const char  *text;
} forged[] = {
    { HS256, GOOD, REEL_OK, "" },
    { "{\"alg\":\"none\"}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":\"None\"}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":\"RS256\"}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":\"HS512\"}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":\"hs256\"}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":[\"HS256\"]}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{}", GOOD, REEL_UNSUPPORTED, "HS256" },
    { "{\"alg\":\"HS256\",\"crit\":[\"x\"]}", GOOD, REEL_UNSUPPORTED,
      "crit" },
    { "{\"alg\":\"HS256\",\"alg\":\"none\"}", GOOD, REEL_BADDATA, "header" },
    { "{\"alg\":\"HS256\",\"kid\":1}", GOOD, REEL_BADDATA, "kid" },
    { "{\"alg\":\"HS256\",\"kid\":\"" X32 X32 X32 X32 "x\"}", GOOD,
      REEL_BADDATA, "kid" },
    { "[]", GOOD, REEL_BADDATA, "header" },
    { "{\"alg\":\"HS256\"", GOOD, REEL_BADDATA, "header" },
    { "{\"alg\":\"HS256\"} x", GOOD, REEL_BADDATA, "header" },
    { HS256, "{}", REEL_BADDATA, "exp" },
    { HS256, "1", REEL_BADDATA, "payload" },
    { HS256, "{\"exp\":\"1767323100\"}", REEL_BADDATA, "exp" },
    { HS256, "{\"exp\":-1}", REEL_BADDATA, "exp" },
    { HS256, "{\"exp\":1e99}", REEL_BADDATA, "exp" },
    { HS256, "{\"exp\":true}", REEL_BADDATA, "exp" },
    { HS256, "{\"exp\":1767323100,\"exp\":1}", REEL_BADDATA, "payload" },
    { HS256, "{\"exp\":1767323100,\"nbf\":\"\"}", REEL_BADDATA, "nbf" },
    { HS256, "{\"exp\":1767323100,\"sub\":{}}", REEL_BADDATA, "sub" },
    { HS256, "{\"exp\":1767323100,\"aud\":1}", REEL_BADDATA, "aud" },
    { HS256, "{\"exp\":1767323100,\"aud\":[]}", REEL_DENIED, "audience" },
    { HS256, "{\"exp\":1767323100,\"aud\":[1,\"x\"]}", REEL_BADDATA, "aud" },
    { HS256, "{\"exp\":1767323100,\"aud\":[\"x\",\"y\"]}", REEL_DENIED,
      "audience" },
    { HS256, "{\"exp\":1767323100.9,\"aud\":[\"x\",\"reel-api\"]}", REEL_OK,
      "" },
    { HS256, "{\"exp\":1767323100}", REEL_DENIED, "audience" },
    { HS256, "{\"exp\":1767322900,\"aud\":\"reel-api\"}", REEL_DENIED,
      "expired" },
    { HS256, "{\"exp\":1767323100,\"nbf\":1767323106,\"aud\":\"reel-api\"}",
      REEL_DENIED, "not yet valid" },
};


static void
test_forged(void **state)
{
    char          *token;
    size_t         i;
    reel_err_t     err;
    reel_jwt_t     t;
    reel_error_t   e;

    (void) state;

    for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        e.text[0] = '\0';
        token = forge(forged[i].header, forged[i].payload);
        err = reel_jwt_verify(&t, reel_str(token), SECRET, "reel-api", NOW,
                              &e);

        if (err != forged[i].err || strstr(e.text, forged[i].text) == NULL) {
            fail_msg("%s %s: %s %s", forged[i].header, forged[i].payload,
                     reel_err_name(err), e.text);
        }

        free(token);
    }
}


/* alg none as libraries were tricked with: no signature at all */
static void
test_shapes(void **state)
{
    static const char  *shapes[] = {
        "", ".", "..", "...", "a", "a.b", "a.b.", "a.b.c.d", "e30.e30",
        "eyJhbGciOiJIUzI1NiJ9..x",
        "eyJhbGciOiJIUzI1NiJ9=.eyJleHAiOjE3NjczMjMxMDB9.x",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NjczMjMxMDB9 .x",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NjczMjMxMDB9.x",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NjczMjMxMDB9.x+/x",
    };

    size_t        i;
    reel_err_t    err;
    reel_jwt_t    t;
    reel_error_t  e;

    (void) state;

    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        err = reel_jwt_peek(&t, reel_str(shapes[i]), &e);

        if (err != REEL_BADDATA) {
            fail_msg("%s: %s", shapes[i], reel_err_name(err));
        }

        assert_int_not_equal(reel_jwt_verify(&t, reel_str(shapes[i]), SECRET,
                                             NULL, NOW, &e),
                             REEL_OK);
    }

    /* well formed, signed by nobody */
    assert_int_equal(reel_jwt_verify(&t,
        REEL_STR("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NjczMjMxMDB9."), SECRET,
        NULL, NOW, &e), REEL_DENIED);
    assert_string_equal(e.text, "signature");
}


static void
test_large(void **state)
{
    char          *payload, *token;
    size_t         n = 1024 * 1024;
    reel_jwt_t     t;
    reel_error_t   e;

    (void) state;

    payload = malloc(n + 64);
    assert_non_null(payload);
    (void) snprintf(payload, n + 64, "{\"exp\":1767323100,\"x\":\"%*s\"}",
                    (int) n, "");
    token = forge(HS256, payload);
    assert_true(strlen(token) > n);
    assert_int_equal(reel_jwt_peek(&t, reel_str(token), &e), REEL_LIMIT);
    assert_int_equal(reel_jwt_verify(&t, reel_str(token), SECRET, NULL, NOW,
                                     &e),
                     REEL_LIMIT);
    free(token);

    /* nested as deep as fits */
    memset(payload, '[', 2900);
    payload[2900] = '\0';
    token = forge(HS256, payload);
    assert_int_equal(reel_jwt_peek(&t, reel_str(token), &e), REEL_BADDATA);
    free(token);
    free(payload);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rfc7515_a1),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

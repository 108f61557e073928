#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/play_token.h"
#include "lib/base/base64.h"
#include "lib/crypt/digest.h"
#include "tests/unit/auth/rfc_keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EXP      INT64_C(1300819380)    /* of the RFC's tokens */


static reel_jwks_t  keys;       /* one of each kind */


static int
setup(void **state)
{
    reel_error_t  e;

    static const char  json[] = "{\"keys\":[" RFC7515_A1 "," RFC7515_A2 ","
                                RFC7515_A3 "," RFC8037_A1 "]}";

    (void) state;

    return reel_jwks_parse(&keys, json, strlen(json), &e) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;
    reel_jwks_release(&keys);

    return 0;
}


/* the RFCs' tokens have no kid: that is the key of a set of one */
static void
test_rfc(void **state)
{
    size_t             i;
    reel_jwks_t        k;
    reel_error_t       e;
    reel_play_token_t  t;

    static const struct {
        const char *set;
        const char *token;
    } rfc[] = {
        { RFC_SET(RFC7515_A1), RFC7515_A1_INPUT "." RFC7515_A1_SIGNATURE },
        { RFC_SET(RFC7515_A2_PUBLIC),
          RFC7515_A2_INPUT "." RFC7515_A2_SIGNATURE },
        { RFC_SET(RFC7515_A3_PUBLIC),
          RFC7515_A3_INPUT "." RFC7515_A3_SIGNATURE }
    };

    (void) state;

    for (i = 0; i < COUNT(rfc); i++) {
        assert_int_equal(reel_jwks_parse(&k, rfc[i].set, strlen(rfc[i].set),
                                         &e), REEL_OK);
        assert_true(reel_token_looks(reel_str(rfc[i].token)));
        assert_int_equal(reel_token_verify(&t, reel_str(rfc[i].token), &k),
                         REEL_TOKEN_OK);
        assert_int_equal(t.exp, EXP);
        assert_int_equal(reel_token_verify(&t, reel_str(rfc[i].token), &keys),
                         REEL_TOKEN_KEY);
        reel_jwks_release(&k);
    }

    /* of another kind of key: never tried */
    for (i = 0; i < COUNT(rfc); i++) {
        assert_int_equal(reel_jwks_parse(&k, rfc[(i + 1) % 3].set,
                                         strlen(rfc[(i + 1) % 3].set), &e),
                         REEL_OK);
        assert_int_equal(reel_token_verify(&t, reel_str(rfc[i].token), &k),
                         REEL_TOKEN_ALG);
        reel_jwks_release(&k);
    }
}


static char *
sign(const char *claims, size_t key)
{
    reel_buf_t  b;

    reel_buf_init(&b, REEL_PLAY_TOKEN_MAX);
    assert_int_equal(reel_token_sign(&b, reel_str(claims), &keys.keys[key]),
                     REEL_OK);

    return reel_buf_take(&b, NULL);
}


static reel_token_status_t
verify(reel_play_token_t *t, const char *claims, size_t key)
{
    char                 *token = sign(claims, key);
    reel_token_status_t   st;

    st = reel_token_verify(t, reel_str(token), &keys);
    free(token);

    return st;
}


static void
test_kinds(void **state)
{
    char               *token, *c;
    size_t              i;
    reel_play_token_t   t;

    (void) state;

    for (i = 0; i < 4; i++) {
        token = sign("{\"exp\":2000000000,\"sub\":\"x\"}", i);
        assert_int_equal(reel_token_verify(&t, reel_str(token), &keys),
                         REEL_TOKEN_OK);
        assert_true(reel_str_eqz(reel_token_subject(&t), "x"));

        /* a character of the signature's middle; one part less */
        c = &token[strlen(token) - 20];
        *c = *c == 'A' ? 'B' : 'A';
        assert_int_equal(reel_token_verify(&t, reel_str(token), &keys),
                         REEL_TOKEN_SIGNATURE);
        *strchr(token, '.') = 'A';
        assert_int_equal(reel_token_verify(&t, reel_str(token), &keys),
                         REEL_TOKEN_MALFORMED);
        free(token);
    }
}


static const struct {
    const char          *claims;
    reel_token_status_t  status;
} claims[] = {
    { "{\"exp\":1}", REEL_TOKEN_OK },
    { "{\"exp\":1.5,\"nbf\":0,\"iat\":7,\"other\":[{}]}", REEL_TOKEN_OK },
    { "{}", REEL_TOKEN_MALFORMED },
    { "[]", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"exp\":9000000000}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":0}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":-1}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":\"1\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":true}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1e300}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1e999}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":99999999999999999999}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":253402300800}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"nbf\":null}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"iat\":\"x\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"sub\":1}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"sub\":\"\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"sub\":\"a\\u0000b\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"sub\":[\"a\"]}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"aud\":[]}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"aud\":[1]}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":[]}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":\"10.0.0.0/33\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":\"10.0.0/8\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":\"::/129\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":\"::/\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"net\":\"::/-1\"}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"country\":49}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"max_height\":0}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"max_height\":480.0}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"max_height\":70000}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"max_height\":480}", REEL_TOKEN_OK },
    { "{\"exp\":1,\"start\":-1}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"start\":5,\"end\":5}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"end\":0}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"end\":1e10}", REEL_TOKEN_MALFORMED },
    { "{\"exp\":1,\"start\":5,\"end\":5.5}", REEL_TOKEN_OK },
};


static void
test_claims(void **state)
{
    size_t               i;
    reel_play_token_t    t;
    reel_token_status_t  st;

    (void) state;

    for (i = 0; i < COUNT(claims); i++) {
        st = verify(&t, claims[i].claims, 0);

        if (st != claims[i].status) {
            fail_msg("%s: %d", claims[i].claims, st);
        }
    }

    assert_int_equal(verify(&t, "{\"exp\":9.9,\"start\":1.25,\"end\":3,"
                            "\"max_height\":480}", 3), REEL_TOKEN_OK);
    assert_int_equal(t.exp, 9);
    assert_int_equal(t.start_us, 1250000);
    assert_int_equal(t.end_us, 3000000);
    assert_int_equal(t.max_height, 480);
}


/* more strings than fit */
static void
test_many(void **state)
{
    size_t             i, n = 0;
    char               text[2800];
    reel_play_token_t  t;

    (void) state;

    n += (size_t) snprintf(text, sizeof(text), "{\"exp\":1,\"net\":[\"::\"");

    for (i = 0; i < 79; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, ",\"10.1.1.%zu\"",
                               i);
    }

    (void) snprintf(text + n, sizeof(text) - n, "]}");
    assert_int_equal(verify(&t, text, 0), REEL_TOKEN_OK);
    (void) snprintf(text + n, sizeof(text) - n, ",\"1.1.1.1\"]}");
    assert_int_equal(verify(&t, text, 0), REEL_TOKEN_MALFORMED);
}


/* signs whatever the header is, by HMAC with the key of a1 or with bytes */
static char *
forge(const char *header, const char *payload, const char *secret, size_t n)
{
    char     *token = calloc(1, 8192);
    size_t    at;
    uint8_t   mac[REEL_SHA256_LEN];

    assert_non_null(token);
    reel_base64url(token, header, strlen(header));
    at = strlen(token);
    token[at++] = '.';
    reel_base64url(token + at, payload, strlen(payload));
    assert_int_equal(reel_hmac_sha256(mac, secret, n, token, strlen(token)),
                     REEL_OK);
    at = strlen(token);
    token[at++] = '.';
    reel_base64url(token + at, mac, sizeof(mac));

    return token;
}


static void
test_forged(void **state)
{
    char                *token;
    size_t               i;
    reel_play_token_t    t;
    reel_token_status_t  st;

    static const struct {
        const char          *header;
        reel_token_status_t  status;
    } forged[] = {
        { "{\"alg\":\"HS256\",\"kid\":\"a1\"}", REEL_TOKEN_OK },
        { "{\"alg\":\"HS256\",\"kid\":\"a1\",\"jwk\":{},\"jku\":\"x\"}",
          REEL_TOKEN_OK },
        { "{\"alg\":\"none\",\"kid\":\"a1\"}", REEL_TOKEN_ALG },
        { "{\"alg\":\"hs256\",\"kid\":\"a1\"}", REEL_TOKEN_ALG },
        { "{\"alg\":\"HS512\",\"kid\":\"a1\"}", REEL_TOKEN_ALG },
        { "{\"alg\":[\"HS256\"],\"kid\":\"a1\"}", REEL_TOKEN_ALG },
        { "{\"kid\":\"a1\"}", REEL_TOKEN_ALG },
        { "{\"alg\":\"HS256\",\"kid\":\"a2\"}", REEL_TOKEN_ALG },
        { "{\"alg\":\"HS256\",\"kid\":\"ed\"}", REEL_TOKEN_ALG },
        { "{\"alg\":\"RS256\",\"kid\":\"a2\"}", REEL_TOKEN_SIGNATURE },
        { "{\"alg\":\"ES256\",\"kid\":\"a3\"}", REEL_TOKEN_SIGNATURE },
        { "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", REEL_TOKEN_SIGNATURE },
        { "{\"alg\":\"HS256\"}", REEL_TOKEN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"\"}", REEL_TOKEN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":\"zz\"}", REEL_TOKEN_KEY },
        { "{\"alg\":\"HS256\",\"kid\":1}", REEL_TOKEN_MALFORMED },
        { "{\"alg\":\"HS256\",\"kid\":\"a1\",\"kid\":\"a1\"}",
          REEL_TOKEN_MALFORMED },
        { "{\"alg\":\"HS256\",\"kid\":\"a1\",\"crit\":[\"b64\"]}",
          REEL_TOKEN_MALFORMED },
        { "\"HS256\"", REEL_TOKEN_MALFORMED },
        { "", REEL_TOKEN_MALFORMED },
    };

    (void) state;

    for (i = 0; i < COUNT(forged); i++) {
        token = forge(forged[i].header, "{\"exp\":1}",
                      (char *) keys.keys[0].secret, keys.keys[0].secret_len);
        st = reel_token_verify(&t, reel_str(token), &keys);

        if (st != forged[i].status) {
            fail_msg("%s: %d", forged[i].header, st);
        }

        free(token);
    }

    /* the public key's text as secret */
    token = forge("{\"alg\":\"HS256\",\"kid\":\"a2\"}", "{\"exp\":1}",
                  RFC7515_A2_N, strlen(RFC7515_A2_N));
    assert_int_equal(reel_token_verify(&t, reel_str(token), &keys),
                     REEL_TOKEN_ALG);
    free(token);
}


static void
test_shapes(void **state)
{
    char               *large;
    size_t              i;
    reel_play_token_t   t;

    static const char *const  shapes[] = {
        "", ".", "..", "...", "eyJ", "eyJ.a", "eyJ..", "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.e30", "eyJhbGciOiJIUzI1NiJ9.e30.a.b",
        "eyJhbGciOiJIUzI1NiJ9=.e30.a", "eyJhbGciOiJIUzI1NiJ.e30.a",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImExIn0.e30.a",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImExIn0.e30.a+/b"
    };

    (void) state;

    for (i = 0; i < COUNT(shapes); i++) {
        if (reel_token_verify(&t, reel_str(shapes[i]), &keys)
            != REEL_TOKEN_MALFORMED)
        {
            fail_msg("%s", shapes[i]);
        }
    }

    large = malloc(1 << 20);
    assert_non_null(large);
    memset(large, 'A', 1 << 20);
    memcpy(large, "eyJ.", 4);
    large[100] = '.';
    assert_true(reel_token_looks((reel_str_t) { large, 1 << 20 }));
    assert_int_equal(reel_token_verify(&t, (reel_str_t) { large, 1 << 20 },
                                       &keys), REEL_TOKEN_MALFORMED);
    free(large);

    assert_false(reel_token_looks(REEL_STR("eyJ.e30")));
    assert_false(reel_token_looks(REEL_STR("eyJ.e30.x.y")));
    assert_false(reel_token_looks(REEL_STR("eyJ.e3%30.x")));
    assert_false(reel_token_looks(REEL_STR("film.v2.mp4")));
    assert_true(reel_token_looks(REEL_STR("eyA.e30.")));
}


static void
test_time(void **state)
{
    reel_play_token_t  t;

    (void) state;

    assert_int_equal(verify(&t, "{\"exp\":1000,\"nbf\":500}", 0),
                     REEL_TOKEN_OK);
    assert_int_equal(reel_token_time(&t, 440, 0), REEL_TOKEN_OK);
    assert_int_equal(reel_token_time(&t, 439, 0), REEL_TOKEN_NOT_YET);
    assert_int_equal(reel_token_time(&t, 1059, 0), REEL_TOKEN_OK);
    assert_int_equal(reel_token_time(&t, 1060, 0), REEL_TOKEN_EXPIRED);
    assert_int_equal(reel_token_time(&t, 1060, 10), REEL_TOKEN_OK);
    assert_int_equal(reel_token_time(&t, 1070, 10), REEL_TOKEN_EXPIRED);
}


static void
test_covers(void **state)
{
    size_t             i;
    char               text[128];
    reel_play_token_t  t;

    static const struct {
        const char *sub;
        const char *path;
        bool        covers;
    } paths[] = {
        { "a", "a", true }, { "a", "a/b", true }, { "a", "a/", true },
        { "a", "ab", false }, { "a", "ab/a", false }, { "a", "", false },
        { "a", "b/a", false }, { "a/b.mp4", "a/b.mp4/master.m3u8", true },
        { "a/b.mp4", "a/b.mp4x/master.m3u8", false },
        { "a/b.mp4", "a", false }, { "*", "", true }, { "*", "x/y", true },
        { "films/*", "films/a", true }, { "films/*", "films", false },
        { "films/*", "filmsx/a", false }, { "f*", "filmsx/a", true },
        { "a*b", "a*b/c", true }, { "a*b", "axb", false },
        { "A", "a", false },
    };

    (void) state;

    for (i = 0; i < COUNT(paths); i++) {
        (void) snprintf(text, sizeof(text), "{\"exp\":1,\"sub\":\"%s\"}",
                        paths[i].sub);
        assert_int_equal(verify(&t, text, 0), REEL_TOKEN_OK);

        if (reel_token_covers(&t, reel_str(paths[i].path))
            != paths[i].covers)
        {
            fail_msg("%s %s", paths[i].sub, paths[i].path);
        }

        assert_int_equal(reel_token_names_one(&t),
                         strchr(paths[i].sub, '\0')[-1] != '*');
    }

    assert_int_equal(verify(&t, "{\"exp\":1}", 0), REEL_TOKEN_OK);
    assert_false(reel_token_covers(&t, REEL_STR("")));
    assert_false(reel_token_covers(&t, REEL_STR("x")));
    assert_false(reel_token_names_one(&t));
}


static void
test_audience(void **state)
{
    reel_play_token_t  t;

    (void) state;

    assert_int_equal(verify(&t, "{\"exp\":1,\"aud\":[\"a\",\"b\"]}", 0),
                     REEL_TOKEN_OK);
    assert_true(reel_token_audience(&t, "a"));
    assert_true(reel_token_audience(&t, "b"));
    assert_false(reel_token_audience(&t, "c"));
    assert_false(reel_token_audience(&t, NULL));
    assert_int_equal(verify(&t, "{\"exp\":1,\"aud\":\"ab\"}", 0),
                     REEL_TOKEN_OK);
    assert_false(reel_token_audience(&t, "a"));
    assert_int_equal(verify(&t, "{\"exp\":1}", 0), REEL_TOKEN_OK);
    assert_false(reel_token_audience(&t, "a"));
    assert_true(reel_token_audience(&t, NULL));
}


static bool
in_net(const reel_play_token_t *t, const char *hex)
{
    size_t    i, n = strlen(hex) / 2;
    unsigned  v;
    uint8_t   addr[16];

    for (i = 0; i < n; i++) {
        v = (unsigned) strtoul((char[]) { hex[2 * i], hex[2 * i + 1], 0 },
                               NULL, 16);
        addr[i] = (uint8_t) v;
    }

    return reel_token_network(t, addr, n);
}


static void
test_network(void **state)
{
    reel_play_token_t  t;

    (void) state;

    assert_int_equal(verify(&t, "{\"exp\":1,\"net\":[\"192.0.2.128/25\","
                            "\"10.1.2.3\",\"2001:db8:8000::/33\"]}", 0),
                     REEL_TOKEN_OK);
    assert_true(in_net(&t, "c0000280"));
    assert_true(in_net(&t, "c00002ff"));
    assert_false(in_net(&t, "c000027f"));
    assert_true(in_net(&t, "0a010203"));
    assert_false(in_net(&t, "0a010204"));
    assert_true(in_net(&t, "20010db8800000000000000000000001"));
    assert_false(in_net(&t, "20010db8700000000000000000000001"));
    /* IPv4 behind an IPv6 socket */
    assert_true(in_net(&t, "00000000000000000000ffff0a010203"));
    assert_false(in_net(&t, "000000000000000000000000" "0a010203"));
    assert_false(reel_token_network(&t, NULL, 0));

    assert_int_equal(verify(&t, "{\"exp\":1,\"net\":\"0.0.0.0/0\"}", 0),
                     REEL_TOKEN_OK);
    assert_true(in_net(&t, "0a010203"));
    assert_false(in_net(&t, "20010db8700000000000000000000001"));
    assert_int_equal(verify(&t, "{\"exp\":1}", 0), REEL_TOKEN_OK);
    assert_true(reel_token_network(&t, NULL, 0));
}


static void
test_country(void **state)
{
    reel_play_token_t  t;

    (void) state;

    assert_int_equal(verify(&t, "{\"exp\":1,\"country\":[\"DE\",\"at\"]}",
                            0), REEL_TOKEN_OK);
    assert_true(reel_token_country(&t, REEL_STR("DE")));
    assert_true(reel_token_country(&t, REEL_STR("AT")));
    assert_false(reel_token_country(&t, REEL_STR("D")));
    assert_false(reel_token_country(&t, REEL_STR("")));
    assert_int_equal(verify(&t, "{\"exp\":1}", 0), REEL_TOKEN_OK);
    assert_true(reel_token_country(&t, REEL_STR("")));
}


static void
test_referrer(void **state)
{
    size_t             i;
    reel_play_token_t  t;

    static const struct {
        const char *referer;
        bool        permits;
    } sites[] = {
        { "https://example.com/", true }, { "https://example.com", true },
        { "https://EXAMPLE.com:8443/a?b#c", true },
        { "https://www.site.org/x", true }, { "https://a.b.site.org", true },
        { "https://site.org/", false }, { "https://xsite.org/", false },
        { "https://.site.org/", false },
        { "https://example.com.evil.net/", false },
        { "https://evil.net/https://example.com/", false },
        { "https://evil.net?://example.com/", false },
        { "https://example.com@evil.net/", false },
        { "https://evil.net#@example.com/", false },
        { "example.com", false }, { "", false }, { "://", false },
        { "https://[::1]:80/", true }, { "https://:80/", false },
    };

    (void) state;

    assert_int_equal(verify(&t, "{\"exp\":1,\"referrer\":[\"example.com\","
                            "\"*.site.org\",\"::1\"]}", 0), REEL_TOKEN_OK);

    for (i = 0; i < COUNT(sites); i++) {
        if (reel_token_referrer(&t, reel_str(sites[i].referer))
            != sites[i].permits)
        {
            fail_msg("%s", sites[i].referer);
        }
    }

    assert_int_equal(verify(&t, "{\"exp\":1}", 0), REEL_TOKEN_OK);
    assert_true(reel_token_referrer(&t, REEL_STR("")));
}


static void
test_codes(void **state)
{
    int          st;
    const char  *text;

    (void) state;

    for (st = REEL_TOKEN_MISSING; st < REEL_TOKEN_NOMEM; st++) {
        text = NULL;
        assert_non_null(reel_token_code((reel_token_status_t) st, &text));
        assert_non_null(text);
    }

    assert_null(reel_token_code(REEL_TOKEN_OK, &text));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rfc),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_audience),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_country),
        cmocka_unit_test(test_referrer),
        cmocka_unit_test(test_codes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/jwk.h"
#include "lib/base/base64.h"
#include "tests/unit/auth/rfc_keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static const char *const  sets[] = {
    RFC_SET(RFC7515_A1), RFC_SET(RFC7515_A2), RFC_SET(RFC7515_A3),
    RFC_SET(RFC8037_A1)
};

static const char *const  publics[] = {
    NULL, RFC_SET(RFC7515_A2_PUBLIC), RFC_SET(RFC7515_A3_PUBLIC),
    RFC_SET(RFC8037_A2)
};

static const struct {
    const char *input;
    const char *signature;
} vectors[] = {
    { RFC7515_A1_INPUT, RFC7515_A1_SIGNATURE },
    { RFC7515_A2_INPUT, RFC7515_A2_SIGNATURE },
    { RFC7515_A3_INPUT, RFC7515_A3_SIGNATURE },
    { RFC8037_A4_INPUT, RFC8037_A4_SIGNATURE }
};


static void
parse(reel_jwks_t *k, const char *json)
{
    reel_error_t  e = { "" };

    if (reel_jwks_parse(k, json, strlen(json), &e) != REEL_OK) {
        fail_msg("%s", e.text);
    }
}


static void
test_vectors(void **state)
{
    size_t       i, n, len;
    uint8_t      sig[REEL_JWK_SIG_MAX], own[REEL_JWK_SIG_MAX];
    reel_jwks_t  k, pub;
    reel_str_t   input;

    (void) state;

    for (i = 0; i < COUNT(vectors); i++) {
        input = reel_str(vectors[i].input);
        parse(&k, sets[i]);
        assert_int_equal(k.keys[0].alg, i + 1);
        assert_int_equal(reel_unbase64url(sig, sizeof(sig), &n,
                                          reel_str(vectors[i].signature)),
                         REEL_OK);
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n),
                         REEL_OK);

        /* one's own signature; ECDSA's are random, the others' are these */
        assert_int_equal(reel_jwk_sign(&k.keys[0], input, own, &len),
                         REEL_OK);
        assert_int_equal(len, n);
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, own, len),
                         REEL_OK);

        if (k.keys[0].alg != REEL_ALG_ES256) {
            assert_memory_equal(own, sig, n);
        }

        if (publics[i] != NULL) {
            parse(&pub, publics[i]);
            assert_int_equal(reel_jwk_verify(&pub.keys[0], input, sig, n),
                             REEL_OK);
            assert_int_equal(reel_jwk_sign(&pub.keys[0], input, own, &len),
                             REEL_INVAL);
            reel_jwks_release(&pub);
        }

        /* any bit of it, any length, another input */
        sig[n / 2] ^= 4;
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n),
                         REEL_DENIED);
        sig[n / 2] ^= 4;
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n - 1),
                         REEL_DENIED);
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, 0),
                         REEL_DENIED);
        input.len--;
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n),
                         REEL_DENIED);
        memset(sig, 0, n);
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n),
                         REEL_DENIED);
        memset(sig, 0xff, n);
        assert_int_equal(reel_jwk_verify(&k.keys[0], input, sig, n),
                         REEL_DENIED);
        reel_jwks_release(&k);
    }
}


#define K32 "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
#define OCT "{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"" K32 "\"}"

static const struct {
    const char *json;
    const char *text;           /* NULL: it is taken */
} files[] = {
    { "{\"keys\":[" OCT "]}", NULL },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"use\":\"sig\",\"alg\":"
      "\"HS256\",\"k\":\"" K32 "\",\"x\":1}],\"y\":2}", NULL },
    { "", "not JSON" },
    { "{\"keys\":[" OCT "]", "not JSON" },
    { "[]", "a list of" },
    { "{\"keys\":[]}", "a list of" },
    { "{\"keys\":{}}", "a list of" },
    { "{\"keys\":[1]}", "kid" },
    { "{\"keys\":[" OCT "," OCT "]}", "kid is that of" },
    { "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K32 "\"}]}", "kid" },
    { "{\"keys\":[{\"kid\":\"\",\"kty\":\"oct\",\"k\":\"" K32 "\"}]}", "kid" },
    { "{\"keys\":[{\"kid\":\"a\\n\",\"kty\":\"oct\",\"k\":\"" K32 "\"}]}",
      "kid" },
    { "{\"keys\":[{\"kid\":\"a\",\"k\":\"" K32 "\"}]}", "kty" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"kty\":\"RSA\"}]}",
      "not JSON" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"alg\":\"none\",\"k\":\""
      K32 "\"}]}", "alg" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\""
      K32 "\"}]}", "alg" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"use\":\"enc\",\"k\":\""
      K32 "\"}]}", "use" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\"}]}", "32 to" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}",
      "32 to" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"" K32 "=\"}]}",
      "base64url" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"" K32
      "\",\"e\":\"AQAB\"}]}", "RSA" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"e\":\"AQAB\"}]}", "RSA" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-384\"}]}",
      "P-256" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\"}]}", "P-256" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""
      K32 "\",\"y\":\"" K32 "\"}]}", "do not fit" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""
      K32 "\"}]}", "bytes each" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\""
      K32 "\"}]}", "Ed25519" },
    { "{\"keys\":[{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
      "\"c2hvcnQ\"}]}", "bytes each" },
};


static void
test_files(void **state)
{
    size_t        i;
    reel_err_t    err;
    reel_jwks_t   k;
    reel_error_t  e;

    (void) state;

    for (i = 0; i < COUNT(files); i++) {
        e.text[0] = '\0';
        err = reel_jwks_parse(&k, files[i].json, strlen(files[i].json), &e);

        if (files[i].text == NULL ? err != REEL_OK
            : (err != REEL_BADDATA || strstr(e.text, files[i].text) == NULL))
        {
            fail_msg("%s: %s %s", files[i].json, reel_err_name(err), e.text);
        }

        /* no bytes of a key, whatever is wrong */
        assert_null(strstr(e.text, "MDEy"));
        reel_jwks_release(&k);
    }
}


static void
test_find(void **state)
{
    reel_jwks_t  k, other;

    (void) state;

    parse(&k, "{\"keys\":[" OCT ",{\"kid\":\"b\",\"kty\":\"oct\",\"k\":\"" K32
          "\"}]}");
    parse(&other, "{\"keys\":[" OCT "]}");

    assert_ptr_equal(reel_jwks_find(&k, REEL_STR("a")), &k.keys[0]);
    assert_ptr_equal(reel_jwks_find(&k, REEL_STR("b")), &k.keys[1]);
    assert_null(reel_jwks_find(&k, REEL_STR("c")));
    assert_null(reel_jwks_find(&k, REEL_STR("aa")));
    assert_null(reel_jwks_find(&k, REEL_STR("")));
    assert_ptr_equal(reel_jwks_find(&other, REEL_STR("")), &other.keys[0]);
    assert_memory_not_equal(k.digest, other.digest, sizeof(k.digest));

    reel_jwks_release(&k);
    reel_jwks_release(&other);
    reel_jwks_release(&other);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

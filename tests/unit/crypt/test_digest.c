#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
assert_digest(const uint8_t *got, const char *want)
{
    char  hex[2 * REEL_SHA256_LEN + 1];

    reel_hex(hex, got, REEL_SHA256_LEN);
    assert_string_equal(hex, want);
}


/* FIPS 180-2, appendix B, and the empty string */
static void
sha256(void **state)
{
    size_t          i, at;
    uint8_t         out[REEL_SHA256_LEN];
    reel_str_t      parts[2];
    reel_sha256_t  *h;
    static const struct {
        const char *in, *digest;
    } t[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
              "b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
                 "20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db"
          "06c1" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_sha256(out, t[i].in, strlen(t[i].in)),
                         REEL_OK);
        assert_digest(out, t[i].digest);

        /* in two pieces, cut everywhere */
        for (at = 0; at <= strlen(t[i].in); at++) {
            h = reel_sha256_new();
            assert_non_null(h);
            assert_int_equal(reel_sha256_update(h, t[i].in, at), REEL_OK);
            assert_int_equal(reel_sha256_update(h, t[i].in + at,
                                                strlen(t[i].in) - at),
                             REEL_OK);
            assert_int_equal(reel_sha256_final(h, out), REEL_OK);
            assert_digest(out, t[i].digest);

            parts[0] = (reel_str_t) { t[i].in, at };
            parts[1] = (reel_str_t) { t[i].in + at, strlen(t[i].in) - at };
            memset(out, 0, sizeof(out));
            assert_int_equal(reel_sha256_parts(out, parts, 2), REEL_OK);
            assert_digest(out, t[i].digest);
        }
    }

    assert_int_equal(reel_sha256_parts(out, NULL, 0), REEL_OK);
    assert_digest(out, t[0].digest);
}


static void
million(void **state)
{
    char            a[1000];
    unsigned        i;
    uint8_t         out[REEL_SHA256_LEN];
    reel_sha256_t  *h;

    (void) state;

    memset(a, 'a', sizeof(a));
    h = reel_sha256_new();
    assert_non_null(h);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(reel_sha256_update(h, a, sizeof(a)), REEL_OK);
    }

    assert_int_equal(reel_sha256_final(h, out), REEL_OK);
    assert_digest(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d"
                       "39ccc7112cd0");

    /* given up half way: nothing may leak */
    h = reel_sha256_new();
    assert_non_null(h);
    assert_int_equal(reel_sha256_update(h, a, sizeof(a)), REEL_OK);
    reel_sha256_free(h);
    reel_sha256_free(NULL);
}


/* RFC 4231, cases 1 to 4, 6 and 7, and the empty key */
static void
hmac(void **state)
{
    size_t    i;
    uint8_t   key[131], data[50], out[REEL_SHA256_LEN];
    static const struct {
        const char *key, *data, *mac;
    } t[] = {
        { "Jefe", "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec"
          "3843" },
        { "", "",
          "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292"
          "c5ad" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_hmac_sha256(out, t[i].key, strlen(t[i].key),
                                          t[i].data, strlen(t[i].data)),
                         REEL_OK);
        assert_digest(out, t[i].mac);
    }

    assert_int_equal(reel_hmac_sha256(out, NULL, 0, NULL, 0), REEL_OK);
    assert_digest(out, t[1].mac);

    memset(key, 0x0b, 20);
    assert_int_equal(reel_hmac_sha256(out, key, 20, "Hi There", 8), REEL_OK);
    assert_digest(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9"
                       "376c2e32cff7");

    memset(key, 0xaa, sizeof(key));
    memset(data, 0xdd, sizeof(data));
    assert_int_equal(reel_hmac_sha256(out, key, 20, data, 50), REEL_OK);
    assert_digest(out, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d963"
                       "5514ced565fe");

    /* a key longer than a block is hashed first */
    assert_int_equal(reel_hmac_sha256(out, key, 131, "Test Using Larger Than "
                         "Block-Size Key - Hash Key First", 54), REEL_OK);
    assert_digest(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546"
                       "040f0ee37f54");

    for (i = 0; i < 25; i++) {
        key[i] = (uint8_t) (i + 1);
    }

    memset(data, 0xcd, sizeof(data));
    assert_int_equal(reel_hmac_sha256(out, key, 25, data, 50), REEL_OK);
    assert_digest(out, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e"
                       "3ff46729665b");
}


static void
comparison(void **state)
{
    (void) state;

    assert_true(reel_memeq("abc", "abc", 3));
    assert_false(reel_memeq("abc", "abd", 3));
    assert_false(reel_memeq("abc", "xbc", 3));
    assert_true(reel_memeq("abc", "abd", 2));
    assert_true(reel_memeq("", "", 0));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(million),
        cmocka_unit_test(hmac),
        cmocka_unit_test(comparison),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}

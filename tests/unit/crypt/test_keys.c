#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/crypt/hkdf.h"
#include "lib/crypt/keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static reel_str_t
bytes(uint8_t *dst, const char *hex)
{
    size_t  n = strlen(hex) / 2;

    assert_int_equal(reel_unhex(dst, n, reel_str(hex)), REEL_OK);

    return (reel_str_t) { (char *) dst, n };
}


/* RFC 5869, appendix A.1 to A.3 */
static void
rfc5869(void **state)
{
    char        hex[2 * 82 + 1];
    size_t      i, n;
    uint8_t     key[80], salt[80], info[80], out[82];
    static const struct {
        const char *key, *salt, *info, *okm;
    } t[] = {
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
          "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
          "34007208d5b887185865" },
        { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
          "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
          "404142434445464748494a4b4c4d4e4f",
          "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
          "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
          "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
          "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
          "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
          "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
          "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
          "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
          "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
          "9d201395faa4b61a96c8" }
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        n = strlen(t[i].okm) / 2;
        assert_int_equal(reel_hkdf_sha256(out, n, bytes(key, t[i].key),
                                          bytes(salt, t[i].salt),
                                          bytes(info, t[i].info)), REEL_OK);
        reel_hex(hex, out, n);
        assert_string_equal(hex, t[i].okm);
    }

    assert_int_equal(reel_hkdf_sha256(out, 256 * 32, REEL_STR("k"),
                                      REEL_STR(""), REEL_STR("")),
                     REEL_INVAL);
}


/* each word changes the key; all of them change the KID but the period */
static void
words(void **state)
{
    char                      id[37];
    size_t                    i, k;
    uint8_t                   iv[REEL_KEY], iv2[REEL_KEY];
    const uint8_t             master[REEL_MASTER_KEY] = { 1 };
    const uint8_t             other[REEL_MASTER_KEY] = { 2 };
    const uint8_t             salt[16] = { 3 }, salt2[16] = { 4 };
    reel_content_key_t        keys[7], found;
    const reel_key_source_t   s[] = {
        { master, salt, REEL_STR("a"), REEL_SCHEME_CENC },
        { other, salt, REEL_STR("a"), REEL_SCHEME_CENC },
        { master, salt2, REEL_STR("a"), REEL_SCHEME_CENC },
        { master, salt, REEL_STR("b"), REEL_SCHEME_CENC },
        { master, salt, REEL_STR("a"), REEL_SCHEME_CBCS }
    };

    (void) state;

    for (i = 0; i < COUNT(s); i++) {
        assert_int_equal(reel_key_derive(&keys[i], &s[i], REEL_STR("video"),
                                         7), REEL_OK);
    }

    assert_int_equal(reel_key_derive(&keys[5], &s[0], REEL_STR("audio"), 7),
                     REEL_OK);
    assert_int_equal(reel_key_derive(&keys[6], &s[0], REEL_STR("video"), 8),
                     REEL_OK);

    for (i = 0; i < COUNT(keys); i++) {
        for (k = 0; k < i; k++) {
            assert_memory_not_equal(keys[i].key, keys[k].key, REEL_KEY);
            assert_memory_not_equal(keys[i].kid, keys[k].kid, REEL_KID);
        }
    }

    assert_memory_equal(keys[0].kid, keys[6].kid, 12);

    assert_int_equal(reel_key_find(&found, &s[0], REEL_STR("video"),
                                   keys[6].kid, 9), REEL_OK);
    assert_memory_equal(found.key, keys[6].key, REEL_KEY);
    assert_int_equal(reel_key_find(&found, &s[0], REEL_STR("video"),
                                   keys[6].kid, 8), REEL_NOTFOUND);
    assert_int_equal(reel_key_find(&found, &s[0], REEL_STR("audio"),
                                   keys[6].kid, 9), REEL_NOTFOUND);
    assert_int_equal(reel_key_find(&found, &s[1], REEL_STR("video"),
                                   keys[6].kid, 9), REEL_NOTFOUND);

    assert_int_equal(reel_key_iv(iv, &s[0], REEL_STR("v720/cmaf"), 0),
                     REEL_OK);
    assert_int_equal(reel_key_iv(iv2, &s[0], REEL_STR("v360/cmaf"), 0),
                     REEL_OK);
    assert_memory_not_equal(iv, iv2, REEL_KEY);

    reel_kid_print(id, (const uint8_t *) "\x01\x23\x45\x67\x89\xab\xcd\xef"
                   "\x01\x23\x45\x67\x89\xab\xcd\xef");
    assert_string_equal(id, "01234567-89ab-cdef-0123-456789abcdef");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rfc5869),
        cmocka_unit_test(words)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

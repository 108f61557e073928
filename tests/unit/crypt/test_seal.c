#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "lib/base/hex.h"
#include "lib/crypt/seal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SIZE     (300 * 1024)

static const uint8_t  key[16] = "sixteen bytes ab";
static const uint8_t  iv[16] = "another sixteen";

static uint8_t  plain[SIZE], sealed[SIZE], wanted[SIZE];


/* OpenSSL's own way, a block at a time */
static void
ctr(uint8_t *p, size_t n, const uint8_t *counter, uint64_t from)
{
    int              len;
    size_t           i, k;
    uint8_t          block[16], pad[16];
    EVP_CIPHER_CTX  *c = EVP_CIPHER_CTX_new();

    assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key,
                                        NULL), 1);

    for (i = 0; i < n; i++) {
        if (i == 0 || (from + i) % 16 == 0) {
            uint64_t  low = (from + i) / 16;

            memcpy(block, counter, 16);

            for (k = 16; k-- > 8;) {
                low += block[k];
                block[k] = (uint8_t) low;
                low >>= 8;
            }

            assert_int_equal(EVP_EncryptUpdate(c, pad, &len, block, 16), 1);
        }

        p[i] ^= pad[(from + i) % 16];
    }

    EVP_CIPHER_CTX_free(c);
}


static void
cbc_block(uint8_t *p, uint8_t *chain)
{
    int              len;
    size_t           k;
    uint8_t          block[16];
    EVP_CIPHER_CTX  *c = EVP_CIPHER_CTX_new();

    for (k = 0; k < 16; k++) {
        block[k] = p[k] ^ chain[k];
    }

    assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key,
                                        NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(c, p, &len, block, 16), 1);
    memcpy(chain, p, 16);
    EVP_CIPHER_CTX_free(c);
}


/* what the standard says of one sample, said slowly */
static void
expect(reel_scheme_t scheme, const reel_subsample_t *subs, unsigned n,
    size_t size)
{
    size_t                   at = 0, b;
    unsigned                 i;
    uint8_t                  chain[16];
    uint64_t                 counted = 0;
    const reel_subsample_t   all = { 0, (uint32_t) size };

    memcpy(wanted, plain, size);

    for (i = 0; i < (subs != NULL ? n : 1); i++) {
        const reel_subsample_t  *s = subs != NULL ? &subs[i] : &all;

        at += s->clear;

        if (scheme == REEL_SCHEME_CENC) {
            ctr(wanted + at, s->hidden, iv, counted);
            counted += s->hidden;

        } else {
            memcpy(chain, iv, 16);

            for (b = 0; b + 16 <= s->hidden; b += subs != NULL ? 160 : 16) {
                cbc_block(wanted + at + b, chain);
            }
        }

        at += s->hidden;
    }

    assert_int_equal(at, size);
}


/* in pieces of `cut` bytes; what is not taken is given again */
static void
seal(reel_scheme_t scheme, const reel_subsample_t *subs, unsigned n,
    size_t size, size_t cut)
{
    size_t       at = 0, part, done;
    reel_seal_t  s;

    memset(sealed, 0, size);
    assert_int_equal(reel_seal_init(&s, scheme, key), REEL_OK);
    assert_int_equal(reel_seal_begin(&s, iv, subs, n, (uint32_t) size),
                     REEL_OK);

    while (at < size) {
        part = size - at < cut ? size - at : cut;
        assert_int_equal(reel_seal_run(&s, sealed + at, plain + at, part,
                                       &done), REEL_OK);
        assert_true(done != 0);
        at += done;
    }

    reel_seal_release(&s);
}


static void
samples(void **state)
{
    size_t          i, k, size;
    unsigned        j;
    reel_scheme_t   schemes[] = { REEL_SCHEME_CENC, REEL_SCHEME_CBCS };
    const size_t    cuts[] = { 16, 17, 159, 160, 161, 1000, 65536, SIZE };
    static const struct {
        unsigned          n;        /* 0: all is protected */
        reel_subsample_t  subs[4];
    } t[] = {
        { 0, { { 0, 371 } } }, { 0, { { 0, 16 } } }, { 0, { { 0, 7 } } },
        { 1, { { 5, 0 } } },
        { 1, { { 100, 32 } } },
        { 1, { { 96, 200000 } } },
        { 3, { { 96, 1600 }, { 70, 176 }, { 33, 0 } } },
        { 4, { { 65535, 0 }, { 65535, 16 }, { 9, 48000 }, { 0, 1 } } },
        { 2, { { 96, 90001 }, { 97, 159 } } }
    };

    (void) state;

    for (i = 0; i < SIZE; i++) {
        plain[i] = (uint8_t) (i * 7919 >> 5);
    }

    for (i = 0; i < COUNT(t); i++) {
        size = t[i].subs[0].clear + t[i].subs[0].hidden;

        for (j = 1; j < t[i].n; j++) {
            size += t[i].subs[j].clear + t[i].subs[j].hidden;
        }

        for (j = 0; j < COUNT(schemes); j++) {
            expect(schemes[j], t[i].n != 0 ? t[i].subs : NULL, t[i].n, size);

            for (k = 0; k < COUNT(cuts); k++) {
                seal(schemes[j], t[i].n != 0 ? t[i].subs : NULL, t[i].n,
                     size, cuts[k]);
                assert_memory_equal(sealed, wanted, size);
            }
        }
    }
}


/* NIST SP 800-38A, F.2.1 and F.5.1 */
static void
vectors(void **state)
{
    char         hex[65];
    size_t       i;
    uint8_t      k[16], in[32], out[32], v[16];
    reel_aes_t  *a;
    static const struct {
        reel_aes_mode_t  mode;
        const char      *iv, *out;
    } t[] = {
        { REEL_AES_CBC, "000102030405060708090a0b0c0d0e0f",
          "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
        { REEL_AES_CTR, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
          "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" }
    };

    (void) state;

    assert_int_equal(reel_unhex(k, 16, REEL_STR("2b7e151628aed2a6abf71588"
                                                "09cf4f3c")), REEL_OK);
    assert_int_equal(reel_unhex(in, 32, REEL_STR(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")),
        REEL_OK);

    for (i = 0; i < COUNT(t); i++) {
        a = reel_aes_new(t[i].mode, k);
        assert_non_null(a);
        assert_int_equal(reel_unhex(v, 16, reel_str(t[i].iv)), REEL_OK);
        assert_int_equal(reel_aes_begin(a, v), REEL_OK);
        assert_int_equal(reel_aes_run(a, out, in, 16), REEL_OK);
        assert_int_equal(reel_aes_run(a, out + 16, in + 16, 16), REEL_OK);
        reel_hex(hex, out, 32);
        assert_string_equal(hex, t[i].out);

        if (t[i].mode == REEL_AES_CBC) {
            assert_int_equal(reel_aes_run(a, out, in, 15), REEL_INVAL);
        }

        reel_aes_free(a);
    }
}


static void
cenc_iv(void **state)
{
    char     hex[33];
    uint8_t  v[16];

    (void) state;

    reel_cenc_iv(v, 0x3f, INT64_C(0x01020304050607));
    reel_hex(hex, v, 16);
    assert_string_equal(hex, "3f010203040506070000000000000000");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(samples),
        cmocka_unit_test(vectors),
        cmocka_unit_test(cenc_iv)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

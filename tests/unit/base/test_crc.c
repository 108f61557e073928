#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/crc32c.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const reel_crc_t  *k;
    uint64_t           poly;        /* as the standards print it, reflected */
    uint64_t           mask;
    uint64_t           check;       /* of "123456789" */
} crc_t;


static const crc_t  all[] = {
    { &reel_crc_32, 0xedb88320, UINT32_MAX, 0xcbf43926 },
    { &reel_crc_32c, 0x82f63b78, UINT32_MAX, 0xe3069283 },
    { &reel_crc_64nvme, 0x9a6c9329ac4bc9b5, UINT64_MAX, 0xae8b14860a799888 },
};


/* RFC 3720 B.4 and the check values of the catalogue */
static void
vectors(void **state)
{
    size_t   i;
    uint8_t  buf[32];

    (void) state;

    for (i = 0; i < COUNT(all); i++) {
        assert_int_equal(reel_crc(all[i].k, 0, "123456789", 9),
                         all[i].check);
        assert_int_equal(reel_crc(all[i].k, 0, NULL, 0), 0);
    }

    assert_int_equal(reel_crc32c(0, "123456789", 9), 0xe3069283);

    memset(buf, 0, sizeof(buf));
    assert_int_equal(reel_crc32c(0, buf, 32), 0x8a9136aa);

    memset(buf, 0xff, sizeof(buf));
    assert_int_equal(reel_crc32c(0, buf, 32), 0x62a8ab43);

    for (i = 0; i < 32; i++) {
        buf[i] = (uint8_t) i;
    }

    assert_int_equal(reel_crc32c(0, buf, 32), 0x46dd794e);

    for (i = 0; i < 32; i++) {
        buf[i] = (uint8_t) (31 - i);
    }

    assert_int_equal(reel_crc32c(0, buf, 32), 0x113fdb5c);
}


/* bit by bit, as the polynomial says */
static uint64_t
slow(const crc_t *c, const uint8_t *p, size_t len)
{
    unsigned  bit;
    uint64_t  crc = c->mask;

    while (len-- > 0) {
        crc ^= *p++;

        for (bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ c->poly : crc >> 1;
        }
    }

    return crc ^ c->mask;
}


static void
fill(uint8_t *p, size_t n)
{
    size_t    i;
    uint32_t  x = 1;

    for (i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = (uint8_t) (x >> 24);
    }
}


/* each byte alone, and each in each place of the eight tables */
static void
tables(void **state)
{
    size_t   i, at;
    uint8_t  buf[8];
    unsigned b;

    (void) state;

    for (i = 0; i < COUNT(all); i++) {
        for (at = 0; at < 8; at++) {
            for (b = 0; b < 256; b++) {
                memset(buf, 0x5a, 8);
                buf[at] = (uint8_t) b;
                assert_int_equal(reel_crc_soft(all[i].k, 0, buf, 8),
                                 slow(&all[i], buf, 8));
                assert_int_equal(reel_crc_soft(all[i].k, 0, buf + at, 1),
                                 slow(&all[i], buf + at, 1));
            }
        }
    }
}


/* every length through all ways of going on, at odd addresses too */
static void
lengths(void **state)
{
    size_t    i, len;
    uint8_t   buf[1100];
    uint64_t  want;

    (void) state;

    fill(buf, sizeof(buf));

    for (i = 0; i < COUNT(all); i++) {
        for (len = 0; len < sizeof(buf) - 1; len++) {
            want = slow(&all[i], buf + 1, len);
            assert_int_equal(reel_crc(all[i].k, 0, buf + 1, len), want);
            assert_int_equal(reel_crc_soft(all[i].k, 0, buf + 1, len), want);
        }
    }
}


/* cut in two anywhere: fed in turn, and summed apart and combined */
static void
pieces(void **state)
{
    size_t    i, at, len = 700;
    uint8_t   buf[700];
    uint64_t  crc, want, b;

    (void) state;

    fill(buf, len);

    for (i = 0; i < COUNT(all); i++) {
        want = slow(&all[i], buf, len);

        for (at = 0; at <= len; at++) {
            crc = reel_crc(all[i].k, 0, buf, at);
            b = reel_crc(all[i].k, 0, buf + at, len - at);
            assert_int_equal(reel_crc_combine(all[i].k, crc, b, len - at),
                             want);

            crc = reel_crc(all[i].k, crc, buf + at, len - at);
            assert_int_equal(crc, want);

            crc = reel_crc_soft(all[i].k, 0, buf, at);
            crc = reel_crc_soft(all[i].k, crc, buf + at, len - at);
            assert_int_equal(crc, want);
        }
    }
}


/* a length of more than 32 bits: 2^k zero bytes double by combination */
static void
combine_long(void **state)
{
    size_t    i, k;
    uint64_t  zeros, both;
    static const uint8_t  zero[1];

    (void) state;

    for (i = 0; i < COUNT(all); i++) {
        zeros = reel_crc(all[i].k, 0, zero, 1);

        for (k = 0; k < 40; k++) {
            zeros = reel_crc_combine(all[i].k, zeros, zeros, UINT64_C(1)
                                     << k);
        }

        /* 2^40 zeros behind something, at once and in two halves */
        both = reel_crc(all[i].k, 0, "abc", 3);
        both = reel_crc_combine(all[i].k, both, zeros, UINT64_C(1) << 40);
        both = reel_crc_combine(all[i].k, both, zeros, UINT64_C(1) << 40);
        zeros = reel_crc_combine(all[i].k, zeros, zeros, UINT64_C(1) << 40);
        assert_int_equal(reel_crc_combine(all[i].k,
                             reel_crc(all[i].k, 0, "abc", 3), zeros,
                             UINT64_C(1) << 41), both);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(tables),
        cmocka_unit_test(lengths),
        cmocka_unit_test(pieces),
        cmocka_unit_test(combine_long),
    };

    return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}

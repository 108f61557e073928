#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/bits.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
fixed(void **state)
{
    unsigned     n, i;
    uint32_t     want;
    reel_bits_t  b;
    static const uint8_t  data[] = { 0xa5, 0x3c, 0x0f, 0x96, 0x77, 0x81 };

    (void) state;

    reel_bits_init(&b, data, sizeof(data));
    assert_int_equal(reel_bits_u(&b, 1), 1);
    assert_int_equal(reel_bits_u(&b, 3), 2);
    assert_int_equal(reel_bits_u(&b, 0), 0);
    assert_int_equal(reel_bits_u(&b, 8), 0x53);
    assert_int_equal(reel_bits_u(&b, 32), 0xc0f96778);
    assert_int_equal(reel_bits_u(&b, 4), 1);
    assert_int_equal(b.err, REEL_OK);
    assert_int_equal(reel_bits_u(&b, 1), 0);
    assert_int_equal(b.err, REEL_BADDATA);

    /* every width at every offset, against one bit at a time */
    for (n = 0; n <= 32; n++) {
        for (i = 0; i + n <= sizeof(data) * 8; i++) {
            reel_bits_t  one;
            unsigned     k;

            reel_bits_init(&one, data, sizeof(data));
            one.bit = i;

            for (want = 0, k = 0; k < n; k++) {
                want = want << 1 | reel_bits_u(&one, 1);
            }

            reel_bits_init(&b, data, sizeof(data));
            b.bit = i;
            assert_int_equal(reel_bits_u(&b, n), want);
            assert_int_equal(b.bit, i + n);
        }
    }
}


static void
ends(void **state)
{
    reel_bits_t  b;

    (void) state;

    reel_bits_init(&b, "\xff", 1);
    assert_int_equal(reel_bits_u(&b, 9), 0);
    assert_int_equal(b.err, REEL_BADDATA);
    assert_int_equal(reel_bits_u(&b, 1), 0);

    reel_bits_init(&b, "\xff\xff\xff\xff\xff", 5);
    assert_int_equal(reel_bits_u(&b, 33), 0);
    assert_int_equal(b.err, REEL_BADDATA);

    reel_bits_init(&b, NULL, 0);
    assert_int_equal(reel_bits_u(&b, 0), 0);
    assert_int_equal(b.err, REEL_OK);
    assert_int_equal(reel_bits_ue(&b), 0);
    assert_int_equal(b.err, REEL_BADDATA);
    assert_int_equal(reel_bits_se(&b), 0);
}


static void
golomb(void **state)
{
    size_t       i;
    reel_bits_t  b;
    static const struct {
        const char *data;
        size_t      len;
        reel_err_t  err;
        uint32_t    ue;
        int32_t     se;
    } t[] = {
        { "\x80", 1, REEL_OK, 0, 0 },
        { "\x40", 1, REEL_OK, 1, 1 },
        { "\x60", 1, REEL_OK, 2, -1 },
        { "\x20", 1, REEL_OK, 3, 2 },
        { "\x38", 1, REEL_OK, 6, -3 },
        { "\x01\xfe", 2, REEL_OK, 254, -127 },

        /* 31 zeros: 2^31 - 1 and 2^32 - 2 */
        { "\x00\x00\x00\x01\x00\x00\x00\x00", 8, REEL_OK, 0x7fffffff,
          0x40000000 },
        { "\x00\x00\x00\x01\xff\xff\xff\xfe", 8, REEL_OK, 0xfffffffe,
          -0x7fffffff },

        /* 33 zeros, all zeros, a suffix cut off */
        { "\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00", 10, REEL_BADDATA,
          0, 0 },
        { "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 10, REEL_BADDATA,
          0, 0 },
        { "\x00\x00", 2, REEL_BADDATA, 0, 0 },
        { "\x01\xf0", 1, REEL_BADDATA, 0, 0 },
        { "\x00\x00\x00\x01\xff\xff\xff", 7, REEL_BADDATA, 0, 0 },

        /* 32 zeros: one more than 2^32 - 1 */
        { "\x00\x00\x00\x00\x80\x00\x00\x00\x80\x00", 10, REEL_BADDATA,
          0, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_bits_init(&b, t[i].data, t[i].len);
        assert_int_equal(reel_bits_ue(&b), t[i].ue);
        assert_int_equal(b.err, t[i].err);

        reel_bits_init(&b, t[i].data, t[i].len);
        assert_int_equal(reel_bits_se(&b), t[i].se);
        assert_int_equal(b.err, t[i].err);
    }

    /* 2^32 - 1 is a ue, but no se */
    reel_bits_init(&b, "\x00\x00\x00\x00\x80\x00\x00\x00\x00", 9);
    assert_true(reel_bits_ue(&b) == UINT32_MAX);
    assert_int_equal(b.err, REEL_OK);

    reel_bits_init(&b, "\x00\x00\x00\x00\x80\x00\x00\x00\x00", 9);
    assert_int_equal(reel_bits_se(&b), 0);
    assert_int_equal(b.err, REEL_BADDATA);

    /* 1, 0, -1, 0, and one that is not whole */
    reel_bits_init(&b, "\x57\x00", 2);
    reel_bits_skip_se(&b, 0);
    assert_int_equal(b.bit, 0);
    reel_bits_skip_se(&b, 3);
    assert_int_equal(b.bit, 7);
    assert_int_equal(reel_bits_se(&b), 0);
    assert_int_equal(b.err, REEL_OK);
    reel_bits_skip_se(&b, 2);
    assert_int_equal(b.err, REEL_BADDATA);
}


static void
widths(void **state)
{
    size_t  i;

    static const struct {
        uint64_t n;
        unsigned bits;
    } t[] = {
        { 0, 0 }, { 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 },
        { 256, 8 }, { 257, 9 }, { UINT32_MAX, 32 },
        { (uint64_t) UINT32_MAX + 2, 33 }
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_bits_for(t[i].n), t[i].bits);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(fixed),
        cmocka_unit_test(ends),
        cmocka_unit_test(golomb),
        cmocka_unit_test(widths),
    };

    return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mp4/subsamples.h"


static reel_err_t
nal(reel_subsamples_t *s, uint32_t n, uint8_t type, uint32_t left, bool clear)
{
    uint32_t       size = 0;
    reel_err_t     err;
    const uint8_t  head[REEL_NAL_HEAD] = {
        (uint8_t) (n >> 24), (uint8_t) (n >> 16), (uint8_t) (n >> 8),
        (uint8_t) n, type
    };

    err = reel_subsamples_nal(s, head, left, clear, &size);

    if (err == REEL_OK) {
        assert_int_equal(size, n + 4);
    }

    return err;
}


static void
assert_entry(const reel_subsamples_t *s, uint32_t i, unsigned clear,
    unsigned hidden)
{
    assert_int_equal(reel_subsamples_at(s, i)->clear, clear);
    assert_int_equal(reel_subsamples_at(s, i)->hidden, hidden);
}


static void
pictures(void **state)
{
    uint16_t           n;
    reel_subsamples_t  s;

    (void) state;

    reel_subsamples_init(&s, REEL_CODEC_AVC, 100);

    /* SEI, a slice, a short slice; 1000 + 4 - 96 = 56 blocks and 12 bytes */
    reel_subsamples_begin(&s);
    assert_int_equal(nal(&s, 40, 6, 2000, false), REEL_OK);
    assert_int_equal(nal(&s, 1000, 0x65, 1956, false), REEL_OK);
    assert_int_equal(nal(&s, 92, 0x41, 952, false), REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 2);
    assert_entry(&s, 0, 44 + 108, 896);
    assert_entry(&s, 1, 96, 0);

    /* a long one that stays clear is cut; nothing at all has an entry */
    reel_subsamples_begin(&s);
    assert_int_equal(nal(&s, 100000, 0x41, 100004, true), REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 2);
    assert_entry(&s, 2, 65535, 0);
    assert_entry(&s, 3, 100004 - 65535, 0);
    reel_subsamples_begin(&s);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 1);
    assert_entry(&s, 4, 0, 0);

    /* what does not fit */
    reel_subsamples_begin(&s);
    assert_int_equal(nal(&s, 100, 0x41, 103, false), REEL_BADDATA);
    assert_int_equal(nal(&s, UINT32_MAX, 0x41, 103, false), REEL_BADDATA);
    assert_int_equal(nal(&s, 0, 0, 3, false), REEL_BADDATA);
    reel_subsamples_release(&s);

    /* the 40th entry is for all that is left */
    reel_subsamples_init(&s, REEL_CODEC_HEVC, 100);
    reel_subsamples_begin(&s);

    for (n = 0; n < 60; n++) {
        assert_int_equal(nal(&s, 300, 19 << 1, 1000, false), REEL_OK);
    }

    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 40);
    assert_entry(&s, 0, 288, 16);
    assert_entry(&s, 39, 21 * 304, 0);

    /* parameter sets are no slices */
    reel_subsamples_begin(&s);
    assert_int_equal(nal(&s, 1000, 33 << 1, 1004, false), REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_entry(&s, 40, 1004, 0);
    reel_subsamples_release(&s);
}


static void
kinds(void **state)
{
    bool  whole;

    (void) state;

    assert_int_equal(reel_subsamples_kind(&whole, REEL_CODEC_HEVC), REEL_OK);
    assert_false(whole);
    assert_int_equal(reel_subsamples_kind(&whole, REEL_CODEC_OPUS), REEL_OK);
    assert_true(whole);
    assert_int_equal(reel_subsamples_kind(&whole, REEL_CODEC_AV1),
                     REEL_UNSUPPORTED);
    assert_int_equal(reel_subsamples_kind(&whole, REEL_CODEC_VP9),
                     REEL_UNSUPPORTED);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(pictures),
        cmocka_unit_test(kinds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

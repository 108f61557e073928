#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mp4/subsamples.h"


/* slices whose parameter sets nobody knows: 92 bytes of them are clear */
static reel_err_t
nal(reel_subsamples_t *s, uint32_t n, uint8_t type, uint32_t left, bool clear)
{
    uint32_t       size = 0;
    reel_err_t     err;
    const uint8_t  head[REEL_NAL_LENGTH + 3] = {
        (uint8_t) (n >> 24), (uint8_t) (n >> 16), (uint8_t) (n >> 8),
        (uint8_t) n, type, 0xff, 0xff
    };

    err = reel_subsamples_nal(s, head, sizeof(head), left, clear, &size);

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


/* SPS and PPS of x264, interlaced */
static const uint8_t  avcc[] = {
    1, 0x64, 0, 0x15, 0xff, 0xe1,
    0, 25, 0x67, 0x64, 0x00, 0x15, 0xac, 0x56, 0x24, 0x30, 0x8d, 0x80, 0x88,
    0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0x90, 0xf8, 0xa1,
    0x4c, 0x4c,
    1, 0, 6, 0x68, 0xf8, 0x8a, 0x3c, 0xb2, 0x2c
};

/* and a slice, whose data begins at its byte 11 */
static const uint8_t  slice[] = {
    0, 0, 0x10, 0x00, 0x41, 0x9a, 0xf7, 0xae, 0x7d, 0x2d, 0xad, 0xad, 0x91,
    0x11, 0xff, 0xae, 0xb7, 0x51, 0xe0, 0xa0
};


static void
pictures(void **state)
{
    uint16_t            n;
    uint32_t            size;
    reel_slices_t      *slices;
    reel_subsamples_t   s;

    (void) state;

    slices = reel_slices_new(REEL_CODEC_AVC, (reel_str_t)
                             { (const char *) avcc, sizeof(avcc) });
    assert_non_null(slices);
    reel_subsamples_init(&s, REEL_SCHEME_CENC, slices, 100);

    /* whole blocks, which end with the slice: 4096 - 11 are 255 and 5 */
    reel_subsamples_begin(&s);
    assert_int_equal(reel_subsamples_nal(&s, slice, 3, 4100, false, &size),
                     REEL_AGAIN);
    assert_int_equal(reel_subsamples_nal(&s, slice, 14, 4100, false, &size),
                     REEL_AGAIN);
    assert_int_equal(reel_subsamples_nal(&s, slice, 15, 4100, false, &size),
                     REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 1);
    assert_entry(&s, 0, 4 + 11 + 5, 4080);
    reel_subsamples_release(&s);

    /* cbcs: from the first byte of slice data on */
    reel_subsamples_init(&s, REEL_SCHEME_CBCS, slices, 100);
    reel_subsamples_begin(&s);
    assert_int_equal(reel_subsamples_nal(&s, slice, 15, 4100, false, &size),
                     REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_entry(&s, 0, 4 + 11, 4085);
    reel_subsamples_release(&s);
    reel_slices_free(slices);
}


static void
bounds(void **state)
{
    uint16_t            n;
    reel_slices_t      *slices;
    reel_subsamples_t   s;

    (void) state;

    slices = reel_slices_new(REEL_CODEC_AVC, (reel_str_t) { "", 0 });
    assert_non_null(slices);
    reel_subsamples_init(&s, REEL_SCHEME_CENC, slices, 100);

    /* SEI, a slice, a short slice; 1000 - 92 = 56 blocks and 12 bytes */
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
    reel_slices_free(slices);
}


static void
many(void **state)
{
    uint16_t            n;
    uint32_t            i, sum;
    reel_slices_t      *slices;
    reel_subsamples_t   s;

    (void) state;

    /* the 40th entry is for all that is left */
    slices = reel_slices_new(REEL_CODEC_HEVC, (reel_str_t) { "", 0 });
    assert_non_null(slices);
    reel_subsamples_init(&s, REEL_SCHEME_CBCS, slices, 200);
    reel_subsamples_begin(&s);

    for (n = 0; n < 60; n++) {
        assert_int_equal(nal(&s, 300, 19 << 1, (60 - n) * 304, false),
                         REEL_OK);
    }

    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 40);
    assert_entry(&s, 0, 288, 16);
    assert_entry(&s, 39, 21 * 304, 0);

    /* which takes more of them when it is long */
    reel_subsamples_begin(&s);

    for (n = 0; n < 60; n++) {
        assert_int_equal(nal(&s, 9996, 19 << 1, (60 - n) * 10000, false),
                         REEL_OK);
    }

    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 40);
    assert_entry(&s, 40 + 35, 288, 9712);

    for (i = 0, sum = 0; i < 40; i++) {
        sum += reel_subsamples_at(&s, 40 + i)->clear
               + reel_subsamples_at(&s, 40 + i)->hidden;
    }

    assert_int_equal(sum, 600000);

    /* one that is long itself is hidden, whatever comes behind it */
    reel_subsamples_begin(&s);

    for (n = 0; n < 30; n++) {
        assert_int_equal(nal(&s, 199996, 19 << 1, (30 - n) * 200000, false),
                         REEL_OK);
    }

    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_int_equal(n, 30);

    /* what is no slice */
    reel_subsamples_begin(&s);
    assert_int_equal(nal(&s, 1000, 39 << 1, 1004, false), REEL_OK);
    assert_int_equal(reel_subsamples_end(&s, &n), REEL_OK);
    assert_entry(&s, 110, 1004, 0);
    reel_subsamples_release(&s);
    reel_slices_free(slices);
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
    assert_int_equal(reel_subsamples_kind(&whole, REEL_CODEC_VP9), REEL_OK);
    assert_false(whole);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(pictures),
        cmocka_unit_test(bounds),
        cmocka_unit_test(many),
        cmocka_unit_test(kinds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

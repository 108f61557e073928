#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/codec/vp9_frame.h"


/* frames of libvpx, and where ffmpeg's trace_headers sees their headers end */
static const char  *key = "83498342000bf006b018e0907061080027005f7fbfbf";
static const char  *segments = "8701024b0a1c120e0c4a198080e030180f363101823711"
                               "b800000001207f90da30";


static size_t
unhex(uint8_t *dst, const char *hex)
{
    size_t  n = strlen(hex) / 2;

    assert_int_equal(reel_unhex(dst, n, reel_str(hex)), REEL_OK);

    return n;
}


static void
headers(void **state)
{
    size_t           i, n, len;
    uint8_t          p[64];
    reel_vp9_refs_t  refs = { { 0 }, { 0 } };

    (void) state;

    /* what a frame refers to must have been there */
    len = unhex(p, segments);
    assert_int_equal(reel_vp9_frame_header(&n, &refs, p, len), REEL_BADDATA);

    len = unhex(p, key);

    for (i = 0; i < 18; i++) {
        assert_int_equal(reel_vp9_frame_header(&n, &refs, p, i),
                         REEL_BADDATA);
    }

    assert_int_equal(refs.width[0], 0);
    assert_int_equal(reel_vp9_frame_header(&n, &refs, p, len), REEL_OK);
    assert_int_equal(n, 18);

    for (i = 0; i < REEL_VP9_REFS; i++) {
        assert_int_equal(refs.width[i], 192);
        assert_int_equal(refs.height[i], 108);
    }

    len = unhex(p, segments);

    for (i = 0; i < 29; i++) {
        assert_int_equal(reel_vp9_frame_header(&n, &refs, p, i),
                         REEL_BADDATA);
    }

    assert_int_equal(reel_vp9_frame_header(&n, &refs, p, len), REEL_OK);
    assert_int_equal(n, 29);

    /* one that is shown again; another marker */
    assert_int_equal(reel_vp9_frame_header(&n, &refs, (const uint8_t *)
                                           "\x88\x40", 2), REEL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(reel_vp9_frame_header(&n, &refs, (const uint8_t *)
                                           "\x48\x40", 2), REEL_BADDATA);
}


static void
superframes(void **state)
{
    uint32_t        sizes[REEL_VP9_FRAMES];

    /* two frames, sizes of two bytes */
    const uint8_t   two[] = { 0xc9, 0x00, 0x01, 0x02, 0x00, 0xc9 };
    const uint8_t   large[] = { 0xc9, 0x00, 0x01, 0x03, 0x00, 0xc9 };
    const uint8_t   other[] = { 0xc8, 0x00, 0x01, 0x02, 0x00, 0xc9 };

    (void) state;

    assert_int_equal(reel_vp9_superframe(sizes, two, 6, 264), 2);
    assert_int_equal(sizes[0], 256);
    assert_int_equal(sizes[1], 2);

    assert_int_equal(reel_vp9_superframe(sizes, large, 6, 264), 1);
    assert_int_equal(sizes[0], 264);
    assert_int_equal(reel_vp9_superframe(sizes, other, 6, 264), 1);
    assert_int_equal(reel_vp9_superframe(sizes, two + 1, 5, 5), 1);
    assert_int_equal(sizes[0], 5);
    assert_int_equal(reel_vp9_superframe(sizes, two, 5, 264), 1);
    assert_int_equal(reel_vp9_superframe(sizes, two, 0, 0), 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(headers),
        cmocka_unit_test(superframes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

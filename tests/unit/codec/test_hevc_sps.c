#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/codec/hevc.h"
#include "tests/unit/codec/bitw.h"

/* the second byte of the NAL unit's header comes first */
#define NAL_HEAD 0x42


/* all up to the size: sub_layers - 1 with both, one or none of their parts */
static void
begin(bitw_t *w, unsigned sub_layers_minus1)
{
    unsigned  i;

    bitw_u(w, 8, 1);
    bitw_u(w, 4, 0);
    bitw_u(w, 3, sub_layers_minus1);
    bitw_u(w, 1, 1);

    bitw_u(w, 8, 2 << 6 | 1 << 5 | 4);      /* B, high tier, profile 4 */
    bitw_u(w, 32, 0x08000000);
    bitw_u(w, 24, 0x9a8b00);
    bitw_u(w, 24, 0x000001);
    bitw_u(w, 8, 186);

    for (i = 0; i < sub_layers_minus1; i++) {
        bitw_u(w, 2, i & 3);
    }

    for (i = sub_layers_minus1; sub_layers_minus1 > 0 && i < 8; i++) {
        bitw_u(w, 2, 0);
    }

    for (i = 0; i < sub_layers_minus1; i++) {
        if (i & 2) {
            bitw_u(w, 32, ~0u);
            bitw_u(w, 32, ~0u);
            bitw_u(w, 24, ~0u);
        }

        if (i & 1) {
            bitw_u(w, 8, 93);
        }
    }

    bitw_ue(w, 3);                          /* sps_seq_parameter_set_id */
}


static void
size(bitw_t *w, unsigned chroma, unsigned width, unsigned height,
    unsigned depth)
{
    bitw_ue(w, chroma);

    if (chroma == 3) {
        bitw_u(w, 1, 0);
    }

    bitw_ue(w, width);
    bitw_ue(w, height);
    bitw_u(w, 1, 1);                        /* the window that is shown */
    bitw_ue(w, 1);
    bitw_ue(w, 2);
    bitw_ue(w, 0);
    bitw_ue(w, 4);
    bitw_ue(w, depth - 8);
    bitw_ue(w, depth - 8);
}


/* pic order counts of 4 + lsb bits; block sizes; no lists, no pcm */
static void
coding(bitw_t *w, unsigned lsb)
{
    unsigned  i;

    bitw_ue(w, lsb);
    bitw_u(w, 1, 0);

    for (i = 0; i < 9; i++) {
        bitw_ue(w, i);
    }

    bitw_u(w, 1, 0);
    bitw_u(w, 2, 3);
    bitw_u(w, 1, 0);
}


/* transfer 18 is what must come out when all was walked rightly */
static void
vui(bitw_t *w)
{
    bitw_u(w, 2, 0);
    bitw_u(w, 1, 1);
    bitw_u(w, 1, 1);
    bitw_u(w, 8, 255);                      /* 4:3, written out */
    bitw_u(w, 16, 4);
    bitw_u(w, 16, 3);
    bitw_u(w, 1, 1);
    bitw_u(w, 1, 0);
    bitw_u(w, 1, 1);
    bitw_u(w, 3, 5);
    bitw_u(w, 1, 1);
    bitw_u(w, 1, 1);
    bitw_u(w, 24, 9 << 16 | 18 << 8 | 9);
}


static reel_err_t
parse(reel_hevc_sps_t *sps, bitw_t *w)
{
    size_t   n;
    uint8_t  nal[1024];

    n = bitw_nal(w, nal, NAL_HEAD);

    return reel_hevc_sps(sps, nal, n);
}


static void
assert_colours(const reel_hevc_sps_t *sps)
{
    assert_int_equal(sps->vui.sar_num, 4);
    assert_int_equal(sps->vui.sar_den, 3);
    assert_int_equal(sps->vui.primaries, 9);
    assert_int_equal(sps->vui.transfer, 18);
    assert_int_equal(sps->vui.matrix, 9);
    assert_int_equal(sps->vui.full_range, 1);
}


static void
plain(void **state)
{
    bitw_t           w = { .bit = 0 };
    reel_hevc_sps_t  sps;

    (void) state;

    begin(&w, 3);
    size(&w, 1, 1920, 1088, 10);
    coding(&w, 4);
    bitw_ue(&w, 0);                         /* no sets */
    bitw_u(&w, 1, 1);                       /* two long-term pictures */
    bitw_ue(&w, 2);
    bitw_u(&w, 9, 77);
    bitw_u(&w, 9, 78);
    vui(&w);

    assert_int_equal(parse(&sps, &w), REEL_OK);
    assert_int_equal(sps.ptl.space, 2);
    assert_true(sps.ptl.high_tier);
    assert_int_equal(sps.ptl.profile, 4);
    assert_int_equal(sps.ptl.compat, 0x08000000);
    assert_memory_equal(sps.ptl.constraints, "\x9a\x8b\0\0\0\1", 6);
    assert_int_equal(sps.ptl.level, 186);
    assert_int_equal(sps.sub_layers, 4);
    assert_true(sps.nesting);
    assert_int_equal(sps.width, 1920 - 2 * 3);
    assert_int_equal(sps.height, 1088 - 2 * 4);
    assert_int_equal(sps.bit_depth, 10);
    assert_int_equal(sps.chroma_depth, 10);
    assert_colours(&sps);
}


/* scaling lists of all sizes, pcm, and 4:4:4, whose window counts ones */
static void
lists(void **state)
{
    unsigned         i, j;
    bitw_t           w = { .bit = 0 };
    reel_hevc_sps_t  sps;

    (void) state;

    begin(&w, 0);
    size(&w, 3, 64, 64, 12);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 1);

    for (i = 0; i < 9; i++) {
        bitw_ue(&w, i);
    }

    bitw_u(&w, 2, 3);

    for (i = 0; i < 20; i++) {
        bitw_u(&w, 1, i % 7 == 0);

        if (i % 7 != 0) {
            bitw_ue(&w, 0);
            continue;
        }

        if (i >= 12) {
            bitw_se(&w, 8);
        }

        for (j = 0; j < (i < 6 ? 16 : 64); j++) {
            bitw_se(&w, j % 2 ? 1 : -1);
        }
    }

    bitw_u(&w, 2, 0);
    bitw_u(&w, 1, 1);                       /* pcm */
    bitw_u(&w, 8, 0x77);
    bitw_ue(&w, 0);
    bitw_ue(&w, 2);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 0);
    vui(&w);

    assert_int_equal(parse(&sps, &w), REEL_OK);
    assert_int_equal(sps.width, 64 - 3);
    assert_int_equal(sps.height, 64 - 4);
    assert_int_equal(sps.chroma_format, 3);
    assert_colours(&sps);
}


/*
 * Sets made of the one before: how many pictures each has decides how many
 * bits the next one is long.
 */
static void
shifted_sets(void **state)
{
    unsigned         i;
    bitw_t           w = { .bit = 0 };
    reel_hevc_sps_t  sps;

    (void) state;

    begin(&w, 0);
    size(&w, 1, 640, 360, 8);
    coding(&w, 0);
    bitw_ue(&w, 4);

    /* -1 -3 | +2 */
    bitw_ue(&w, 2);
    bitw_ue(&w, 1);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 1);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 1);
    bitw_u(&w, 1, 1);

    /* by +1: -2 and 3 stay, 0 is none, 1 is the set's own; the first of the
       four is neither used nor kept: 3 pictures less it are -2 | 1 3 */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 0);
    bitw_ue(&w, 0);
    for (i = 0; i < 4; i++) {
        bitw_u(&w, 1, 1);
    }

    /* by -2: -4, -1, 1 and -2; one is dropped: -4 goes */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 1);
    bitw_u(&w, 2, 0);
    for (i = 0; i < 3; i++) {
        bitw_u(&w, 1, 1);
    }

    /* by +1 of three pictures: four flags */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 0);
    bitw_ue(&w, 0);
    for (i = 0; i < 4; i++) {
        bitw_u(&w, 2, 1);
    }

    bitw_u(&w, 1, 0);
    vui(&w);

    assert_int_equal(parse(&sps, &w), REEL_OK);
    assert_colours(&sps);
}


static void
refused(void **state)
{
    size_t           i, n;
    bitw_t           w = { .bit = 0 };
    uint8_t          nal[1024];
    reel_hevc_sps_t  sps;

    (void) state;

    /* cut at each byte; another type; 8 sub-layers */
    begin(&w, 0);
    size(&w, 1, 640, 360, 8);
    coding(&w, 0);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 0);
    vui(&w);
    n = bitw_nal(&w, nal, NAL_HEAD);
    assert_int_equal(reel_hevc_sps(&sps, nal, n), REEL_OK);

    for (i = 0; i + 1 < n; i++) {
        assert_int_equal(reel_hevc_sps(&sps, nal, i), REEL_BADDATA);
    }

    nal[0] = 0x40;
    assert_int_equal(reel_hevc_sps(&sps, nal, n), REEL_BADDATA);
    nal[0] = 0x42;
    nal[2] |= 7 << 1;
    assert_int_equal(reel_hevc_sps(&sps, nal, n), REEL_BADDATA);

    /* a window of nothing; 65 sets; 17 pictures in one */
    memset(&w, 0, sizeof(w));
    begin(&w, 0);
    size(&w, 1, 6, 360, 8);
    assert_int_equal(parse(&sps, &w), REEL_BADDATA);

    memset(&w, 0, sizeof(w));
    begin(&w, 0);
    size(&w, 1, 640, 360, 8);
    coding(&w, 0);
    bitw_ue(&w, 65);
    assert_int_equal(parse(&sps, &w), REEL_BADDATA);

    memset(&w, 0, sizeof(w));
    begin(&w, 0);
    size(&w, 1, 640, 360, 8);
    coding(&w, 0);
    bitw_ue(&w, 1);
    bitw_ue(&w, 9);
    bitw_ue(&w, 8);
    assert_int_equal(parse(&sps, &w), REEL_BADDATA);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(lists),
        cmocka_unit_test(shifted_sets),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

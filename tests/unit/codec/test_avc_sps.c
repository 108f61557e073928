#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/codec/avc.h"
#include "tests/unit/codec/bitw.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


/* from x264, r3095; what ffprobe says of the same streams */
static const struct {
    const char     *hex;
    reel_avc_sps_t  want;
} from_x264[] = {
    { "67640028acd940780227e5c05a808080a0000003002000000641e30632c0",
      { 100, 0, 40, 1920, 1080, { 1, 1, 1, 1, 1, 0 }, 1, 8, 8 } },
    { "6742c00bd9030578888c0440000003004000000c83c50a92",
      { 66, 0xc0, 11, 178, 146, { 1, 1, 2, 2, 2, 0 }, 1, 8, 8 } },
    { "6764000dacd94141fb011000000300100000030320f1429960",
      { 100, 0, 13, 320, 240, { 1, 1, 2, 2, 2, 0 }, 1, 8, 8 } },
    /* coded as fields */
    { "6764001eacd940b424d8208000000300800000190f8a14cb",
      { 100, 0, 30, 720, 576, { 16, 11, 2, 2, 2, 0 }, 1, 8, 8 } },
    { "676e000da6cd94150878888c05b848804a000003000200000300641e28532c",
      { 110, 0, 13, 322, 242, { 1, 1, 9, 16, 9, 1 }, 1, 10, 10 } },
    { "677a000dbcd9415087888fc044000003000400000300c83c50a658",
      { 122, 0, 13, 322, 242, { 1, 1, 2, 2, 2, 0 }, 2, 8, 8 } },
    { "67f4000d919b28283f6022000003000200000300641e28532c",
      { 244, 0, 13, 320, 240, { 1, 1, 2, 2, 2, 0 }, 3, 8, 8 } }
};


static void
assert_sps(const reel_avc_sps_t *a, const reel_avc_sps_t *b)
{
    assert_int_equal(a->profile, b->profile);
    assert_int_equal(a->compat, b->compat);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->vui.sar_num, b->vui.sar_num);
    assert_int_equal(a->vui.sar_den, b->vui.sar_den);
    assert_int_equal(a->chroma_format, b->chroma_format);
    assert_int_equal(a->bit_depth, b->bit_depth);
    assert_int_equal(a->chroma_depth, b->chroma_depth);
    assert_int_equal(a->vui.primaries, b->vui.primaries);
    assert_int_equal(a->vui.transfer, b->vui.transfer);
    assert_int_equal(a->vui.matrix, b->vui.matrix);
    assert_int_equal(a->vui.full_range, b->vui.full_range);
}


static void
encoder(void **state)
{
    size_t          i, len, cut;
    uint8_t         nal[64];
    reel_avc_sps_t  sps;

    (void) state;

    for (i = 0; i < COUNT(from_x264); i++) {
        len = strlen(from_x264[i].hex) / 2;
        assert_int_equal(reel_unhex(nal, len, reel_str(from_x264[i].hex)),
                         REEL_OK);
        assert_int_equal(reel_avc_sps(&sps, nal, len), REEL_OK);
        assert_sps(&sps, &from_x264[i].want);

        /* cut anywhere it is an error, or ends behind what is read */
        for (cut = 0; cut < len; cut++) {
            if (reel_avc_sps(&sps, nal, cut) == REEL_OK) {
                assert_sps(&sps, &from_x264[i].want);
            }
        }

        assert_int_equal(reel_avc_sps(&sps, nal, 8), REEL_BADDATA);
    }
}


/* up to max_num_ref_frames and the gaps flag, High, order count type 1 */
static void
begin_high(bitw_t *w, unsigned chroma_format)
{
    unsigned  i, k;

    *w = (bitw_t) { .bit = 0 };

    bitw_u(w, 8, 100);
    bitw_u(w, 8, 0);
    bitw_u(w, 8, 40);
    bitw_ue(w, 0);
    bitw_ue(w, chroma_format);

    if (chroma_format == 3) {
        bitw_u(w, 1, 1);                    /* planes coded apart */
    }

    bitw_ue(w, 2);
    bitw_ue(w, 1);
    bitw_u(w, 1, 0);

    /* scaling lists: one whole, one that stops, others absent */
    bitw_u(w, 1, 1);

    for (i = 0; i < (chroma_format == 3 ? 12u : 8u); i++) {
        bitw_u(w, 1, i == 0 || i == 1 || i == 7);

        if (i == 0) {
            for (k = 0; k < 16; k++) {
                bitw_se(w, k % 2 ? 3 : -2);
            }
        } else if (i == 1) {
            bitw_se(w, 4);
            bitw_se(w, -12);                /* next scale 0: the rest as is */
        } else if (i == 7) {
            for (k = 0; k < 64; k++) {
                bitw_se(w, 1);
            }
        }
    }

    bitw_ue(w, 4);
    bitw_ue(w, 1);                          /* pic_order_cnt_type */
    bitw_u(w, 1, 0);
    bitw_se(w, -100000);
    bitw_se(w, 7);
    bitw_ue(w, 3);
    bitw_se(w, 1);
    bitw_se(w, -1);
    bitw_se(w, 0);

    bitw_ue(w, 4);
    bitw_u(w, 1, 0);
}


static void
by_hand(void **state)
{
    size_t          len;
    bitw_t          w;
    uint8_t         nal[600];
    reel_avc_sps_t  sps;

    (void) state;

    begin_high(&w, 1);
    bitw_ue(&w, 99);                        /* 1600 */
    bitw_ue(&w, 29);                        /* 480, fields: 960 */
    bitw_u(&w, 1, 0);                       /* frame_mbs_only_flag */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);                       /* cropping */
    bitw_ue(&w, 1);
    bitw_ue(&w, 2);                         /* (1 + 2) * 2 off the width */
    bitw_ue(&w, 0);
    bitw_ue(&w, 5);                         /* 5 * 4 off the height */
    bitw_u(&w, 1, 1);                       /* VUI */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 8, 255);
    bitw_u(&w, 16, 1024);
    bitw_u(&w, 16, 65535);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);                       /* overscan */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 3, 5);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 0);

    len = bitw_nal(&w, nal, 0x27);
    assert_int_equal(reel_avc_sps(&sps, nal, len), REEL_OK);
    assert_sps(&sps, &(reel_avc_sps_t) { 100, 0, 40, 1594, 940,
                                         { 1024, 65535, 2, 2, 2, 1 }, 1, 10,
                                         9 });

    /* separate planes are cropped by single samples; SAR 0:n is none */
    begin_high(&w, 3);
    bitw_ue(&w, 0);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 1);
    bitw_ue(&w, 0);
    bitw_ue(&w, 0);
    bitw_ue(&w, 3);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 8, 255);
    bitw_u(&w, 16, 0);
    bitw_u(&w, 16, 11);
    bitw_u(&w, 2, 0);

    len = bitw_nal(&w, nal, 0x67);
    assert_int_equal(reel_avc_sps(&sps, nal, len), REEL_OK);
    assert_sps(&sps, &(reel_avc_sps_t) { 100, 0, 40, 15, 13,
                                         { 1, 1, 2, 2, 2, 0 }, 3, 10, 9 });
}


/* a size and a cropping window, in an SPS that is right otherwise */
static reel_err_t
parse_size(uint32_t mbs_w, uint32_t mbs_h, uint32_t crop)
{
    bitw_t          w;
    uint8_t         nal[600];
    reel_avc_sps_t  sps;

    begin_high(&w, 0);
    bitw_ue(&w, mbs_w);
    bitw_ue(&w, mbs_h);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, crop);
    bitw_ue(&w, crop);
    bitw_ue(&w, 0);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 0);

    return reel_avc_sps(&sps, nal, bitw_nal(&w, nal, 0x67));
}


static void
hostile(void **state)
{
    uint8_t         nal[64];
    reel_avc_sps_t  sps;

    (void) state;

    assert_int_equal(parse_size(10, 10, 0), REEL_OK);
    assert_int_equal(parse_size(10, 10, 87), REEL_OK);
    assert_int_equal(parse_size(10, 10, 88), REEL_BADDATA);
    assert_int_equal(parse_size(10, 10, UINT32_MAX - 1), REEL_BADDATA);
    assert_int_equal(parse_size(4094, 4094, 0), REEL_OK);
    assert_int_equal(parse_size(4095, 1, 0), REEL_LIMIT);
    assert_int_equal(parse_size(4096, 1, 0), REEL_BADDATA);
    assert_int_equal(parse_size(UINT32_MAX - 1, 1, 0), REEL_BADDATA);

    /* nothing but zeros, nothing but ones (each code a 0), not an SPS */
    memset(nal, 0, sizeof(nal));
    nal[0] = 0x67;
    assert_int_equal(reel_avc_sps(&sps, nal, sizeof(nal)), REEL_BADDATA);

    memset(nal + 1, 0xff, sizeof(nal) - 1);
    assert_int_equal(reel_avc_sps(&sps, nal, sizeof(nal)), REEL_OK);
    assert_int_equal(sps.width, 16);
    assert_int_equal(sps.height, 16);

    nal[0] = 0x68;
    assert_int_equal(reel_avc_sps(&sps, nal, sizeof(nal)), REEL_BADDATA);
    nal[0] = 0xe7;
    assert_int_equal(reel_avc_sps(&sps, nal, sizeof(nal)), REEL_BADDATA);
    assert_int_equal(reel_avc_sps(&sps, nal, 0), REEL_BADDATA);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(hostile)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/hevc.h"
#include "tests/unit/codec/vectors.h"

/* x265, 320x180: 8 bit, and 10 bit PQ of BT.2020; the PPS is the same */
#define VPS     "40010c01ffff01600000030090000003000003003c959409"
#define SPS     "42010101600000030090000003000003003ca00a080c1f3e5959" \
                "52930bc05a020000030002000003003010"
#define PPS     "4401c073c189"
#define VPS_10  "40010c01ffff02200000030090000003000003003c959409"
#define SPS_10  "42010102200000030090000003000003003ca00a080c1f3b6595" \
                "952930bc05a84880482000000300200000030301"
#define START   "00000001"

#define HEAD    "0101600000009000000000003cf000fcfdf8f800000f"
#define HEAD_10 "0102200000009000000000003cf000fcfdfafa00000f"
#define ARRAYS   "03" "a0000100" "18" VPS "a1000100" "2b" SPS \
                 "a2000100" "06" PPS

/* mastering display and light level, as x265 says them */
#define SEI_LIGHT     "4e01900403e8019080"
#define SEI_MASTERING "4e01891833c286c41d4c0bb884d03e803d13404200989680" \
                      "000003000180"


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check(HEAD ARRAYS, reel_hevc_facts, reel_hevc_codec_string,
                 "hvc1.1.6.L60.90", &f);
    assert_int_equal(f.width, 320);
    assert_int_equal(f.height, 180);
    assert_int_equal(f.bit_depth, 8);
    assert_int_equal(f.chroma_format, 1);
    assert_int_equal(f.transfer, 2);
    assert_int_equal(f.profile, 1);
    assert_int_equal(f.level, 60);
    assert_false(f.hdr.mastering || f.hdr.light);

    vector_check(HEAD_10 "04" "a0000100" "18" VPS_10 "a1000100" "2e" SPS_10
                 "a2000100" "06" PPS "270002" "0009" SEI_LIGHT
                 "001e" SEI_MASTERING,
                 reel_hevc_facts, reel_hevc_codec_string, "hvc1.2.4.L60.90",
                 &f);
    assert_int_equal(f.bit_depth, 10);
    assert_int_equal(f.primaries, 9);
    assert_int_equal(f.transfer, 16);
    assert_int_equal(f.matrix, 9);
    assert_true(f.hdr.light);
    assert_int_equal(f.hdr.max_cll, 1000);
    assert_int_equal(f.hdr.max_fall, 400);
    assert_true(f.hdr.mastering);
    assert_int_equal(f.hdr.primaries[0][0], 13250);
    assert_int_equal(f.hdr.primaries[2][1], 16000);
    assert_int_equal(f.hdr.white[1], 16450);
    assert_int_equal(f.hdr.max_luminance, 10000000);
    assert_int_equal(f.hdr.min_luminance, 1);
}


/* profile space, tier, compatibility from the right, trailing zeros gone */
static void
strings(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check("012220000000b0000000000099f000fcfdf8f800000f" ARRAYS,
                 reel_hevc_facts, reel_hevc_codec_string, "hvc1.2.4.H153.B0",
                 &f);
    assert_true(f.high_tier);
    vector_check("014460000000000000000000b4f000fcfdf8f800000f" ARRAYS,
                 reel_hevc_facts, reel_hevc_codec_string, "hvc1.A4.6.L180",
                 &f);
    vector_check("01c480000001900a0b00000cb4f000fcfdf8f800000f" ARRAYS,
                 reel_hevc_facts, reel_hevc_codec_string,
                 "hvc1.C4.80000001.L180.90.A.B.0.0.C", &f);
}


static void
refused(void **state)
{
    (void) state;

    /* version 2; 2-byte lengths; no PPS; a PPS among the SPS; 17 arrays */
    vector_refused("02" "01600000009000000000003cf000fcfdf8f800000f" ARRAYS,
                   reel_hevc_facts, reel_hevc_codec_string, REEL_BADDATA);
    vector_refused("0101600000009000000000003cf000fcfdf8f800000d" ARRAYS,
                   reel_hevc_facts, reel_hevc_codec_string, REEL_UNSUPPORTED);
    vector_refused(HEAD "02" "a0000100" "18" VPS "a1000100" "2b" SPS,
                   reel_hevc_facts, reel_hevc_codec_string, REEL_BADDATA);
    vector_refused(HEAD "02" "a0000100" "18" VPS "a1000100" "06" PPS,
                   reel_hevc_facts, reel_hevc_codec_string, REEL_BADDATA);
    vector_refused(HEAD "11", reel_hevc_facts, reel_hevc_codec_string,
                   REEL_BADDATA);
}


static void
config(void **state)
{
    reel_buf_t  b;
    reel_str_t  in = vector(HEAD "03" "a0000100" "18" VPS "a1000100" "06"
                            "420101016000" "a2000100" "06" PPS);

    (void) state;

    /* whole as a record, but its SPS cannot be read */
    reel_buf_init(&b, 1000);
    assert_int_equal(reel_hevc_config(&b, (const uint8_t *) in.p, in.len),
                     REEL_BADDATA);
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);
    free((char *) in.p);

    /* an encoder's header, its sets twice and an AUD before */
    vector_config(START "460110" START VPS "000001" SPS START PPS START PPS
                  START VPS, reel_hevc_config, HEAD ARRAYS);
    vector_config(START VPS_10 START SPS_10 START PPS, reel_hevc_config,
                  HEAD_10 "03" "a0000100" "18" VPS_10 "a1000100" "2e" SPS_10
                  "a2000100" "06" PPS);

    /* one of hev1 becomes one of hvc1 */
    vector_config(HEAD "03" "20000100" "18" VPS "21000100" "2b" SPS
                  "22000100" "06" PPS, reel_hevc_config, HEAD ARRAYS);
}


static void
samples(void **state)
{
    unsigned    slices;
    reel_buf_t  b;
    reel_str_t  in, want;

    (void) state;

    /* AUD, sets, SEI before and behind, filler go; end of sequence stays */
    in = vector(START "460110" START VPS START SPS START PPS START SEI_LIGHT
                START "2801ac74" "000001" "02012233" START "500101" START
                "4c01ff" START "4a01");
    want = vector("00000004" "2801ac74" "00000004" "02012233"
                  "00000002" "4a01");
    reel_buf_init(&b, 1000);
    assert_int_equal(reel_hevc_to_sample(&b, (const uint8_t *) in.p, in.len,
                                         &slices), REEL_OK);
    assert_int_equal(slices, 2);
    assert_int_equal(b.len, want.len);
    assert_memory_equal(b.data, want.p, want.len);
    free((char *) in.p);
    free((char *) want.p);

    in = vector("000001" "a801");               /* the forbidden bit */
    assert_int_equal(reel_hevc_to_sample(&b, (const uint8_t *) in.p, in.len,
                                         &slices), REEL_BADDATA);
    free((char *) in.p);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(strings),
        cmocka_unit_test(refused),
        cmocka_unit_test(config),
        cmocka_unit_test(samples)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

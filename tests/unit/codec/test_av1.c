#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/av1.h"
#include "tests/unit/codec/bitw.h"
#include "tests/unit/codec/vectors.h"

/* sequence headers of SVT-AV1, 320x180: 8 bit, and 10 bit HLG of BT.2020 */
#define SEQUENCE     "0a0b000000043cfecc02f80040"
#define SEQUENCE_HLG "0a0e000000043cfecc02f85091209040"

/* of libaom: 4:4:4 PQ in 10 bit, full range, one picture */
#define SEQUENCE_444 "0a0d200000043cfeccdaf961220132"


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check("81000c00" SEQUENCE, reel_av1_facts, reel_av1_codec_string,
                 "av01.0.00M.08", &f);
    assert_int_equal(f.width, 320);
    assert_int_equal(f.height, 180);
    assert_int_equal(f.bit_depth, 8);
    assert_int_equal(f.chroma_format, 1);
    assert_int_equal(f.transfer, 2);

    vector_check("81004c00" SEQUENCE_HLG, reel_av1_facts,
                 reel_av1_codec_string, "av01.0.00M.10.0.110.09.18.09.0", &f);
    assert_int_equal(f.bit_depth, 10);
    assert_int_equal(f.transfer, 18);

    vector_check("81204000" SEQUENCE_444, reel_av1_facts,
                 reel_av1_codec_string, "av01.1.00M.10.0.000.09.16.09.1", &f);
    assert_int_equal(f.chroma_format, 3);
    assert_true(f.full_range);

    /* the record alone */
    vector_check("8108cc00", reel_av1_facts, reel_av1_codec_string,
                 "av01.0.08H.10", &f);
    assert_true(f.high_tier);
    assert_int_equal(f.width, 0);
    vector_check("81081c00", reel_av1_facts, reel_av1_codec_string,
                 "av01.0.08M.08.1.110.02.02.02.0", &f);
    assert_int_equal(f.chroma_format, 0);
    vector_check("81486800", reel_av1_facts, reel_av1_codec_string,
                 "av01.2.08M.12.0.100.02.02.02.0", &f);
    assert_int_equal(f.chroma_format, 2);
}


static void
refused(void **state)
{
    (void) state;

    vector_refused("82000c00", reel_av1_facts, reel_av1_codec_string,
                   REEL_BADDATA);
    vector_refused("81600c00", reel_av1_facts, reel_av1_codec_string,
                   REEL_BADDATA);                       /* profile 3 */

    /* the record tells another level, depth and profile than its header */
    vector_refused("81010c00" SEQUENCE, reel_av1_facts,
                   reel_av1_codec_string, REEL_BADDATA);
    vector_refused("81004c00" SEQUENCE, reel_av1_facts,
                   reel_av1_codec_string, REEL_BADDATA);
    vector_refused("81200c00" SEQUENCE, reel_av1_facts,
                   reel_av1_codec_string, REEL_BADDATA);
    /* an OBU whose size is 9 bytes long, and one with its forbidden bit */
    vector_refused("81000c000a808080808080808000", reel_av1_facts,
                   reel_av1_codec_string, REEL_BADDATA);
    vector_refused("81000c008a00", reel_av1_facts, reel_av1_codec_string,
                   REEL_BADDATA);
}


static void
config(void **state)
{
    (void) state;

    /* behind a temporal delimiter; without a size; as it is */
    vector_config("1200" SEQUENCE "1a0100", reel_av1_config,
                  "81000c00" SEQUENCE);
    vector_config("08000000043cfecc02f80040", reel_av1_config,
                  "81000c00" SEQUENCE);
    vector_config("81000c00" SEQUENCE, reel_av1_config, "81000c00" SEQUENCE);
    vector_config(SEQUENCE_HLG, reel_av1_config, "81004c00" SEQUENCE_HLG);
    vector_config(SEQUENCE_444, reel_av1_config, "81204000" SEQUENCE_444);
}


/* every branch of sequence_header_obu(), written by hand */
static void
long_header(void **state)
{
    unsigned             i;
    bitw_t               w = { .bit = 0 };
    reel_av1_sequence_t  s;

    (void) state;

    bitw_u(&w, 3, 2);                   /* professional */
    bitw_u(&w, 2, 0);
    bitw_u(&w, 1, 1);                   /* timing */
    bitw_u(&w, 32, 1001);
    bitw_u(&w, 32, 24000);
    bitw_u(&w, 1, 1);
    bitw_ue(&w, 0);
    bitw_u(&w, 1, 1);                   /* a decoder model */
    bitw_u(&w, 5, 19);
    bitw_u(&w, 32, 1001);
    bitw_u(&w, 10, 0x3ff);
    bitw_u(&w, 1, 1);                   /* display delays */
    bitw_u(&w, 5, 1);

    for (i = 0; i < 2; i++) {
        bitw_u(&w, 12, 0x103);
        bitw_u(&w, 5, 13 - i);
        bitw_u(&w, 1, 1 - i);           /* tier */
        bitw_u(&w, 1, 1);
        bitw_u(&w, 20, 0xfffff);
        bitw_u(&w, 20, 0);
        bitw_u(&w, 1, 1);
        bitw_u(&w, 1, 1);
        bitw_u(&w, 4, 9);
    }

    bitw_u(&w, 8, 15 << 4 | 15);
    bitw_u(&w, 16, 4095);
    bitw_u(&w, 16, 2159);
    bitw_u(&w, 1, 1);                   /* frame ids */
    bitw_u(&w, 7, 0x7f);
    bitw_u(&w, 3, 7);
    bitw_u(&w, 4, 15);
    bitw_u(&w, 1, 1);                   /* order hints */
    bitw_u(&w, 2, 3);
    bitw_u(&w, 2, 1);                   /* screen content tools, forced */
    bitw_u(&w, 2, 0);                   /* integer vectors, forced off */
    bitw_u(&w, 3, 6);
    bitw_u(&w, 3, 7);
    bitw_u(&w, 3, 6);                   /* 12 bit, coloured */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 24, 9 << 16 | 16 << 8 | 9);
    bitw_u(&w, 1, 1);                   /* full range */
    bitw_u(&w, 2, 3);
    bitw_u(&w, 2, 2);

    assert_int_equal(reel_av1_sequence(&s, w.bytes, w.bit / 8 + 1), REEL_OK);
    assert_int_equal(s.profile, 2);
    assert_int_equal(s.level, 13);
    assert_int_equal(s.tier, 1);
    assert_int_equal(s.width, 4096);
    assert_int_equal(s.height, 2160);
    assert_int_equal(s.bit_depth, 12);
    assert_false(s.monochrome);
    assert_int_equal(s.primaries, 9);
    assert_int_equal(s.transfer, 16);
    assert_int_equal(s.matrix, 9);
    assert_int_equal(s.full_range, 1);
    assert_int_equal(s.subsampling_x, 1);
    assert_int_equal(s.subsampling_y, 1);
    assert_int_equal(s.chroma_position, 2);

    for (i = 0; i < w.bit / 8; i++) {
        assert_int_equal(reel_av1_sequence(&s, w.bytes, i), REEL_BADDATA);
    }
}


/* a still picture's header, of RGB */
static void
reduced_header(void **state)
{
    bitw_t               w = { .bit = 0 };
    reel_av1_sequence_t  s;

    (void) state;

    bitw_u(&w, 3, 1);
    bitw_u(&w, 2, 3);
    bitw_u(&w, 5, 4);
    bitw_u(&w, 8, 3 << 4 | 2);
    bitw_u(&w, 4, 15);
    bitw_u(&w, 3, 7);
    bitw_u(&w, 3, 0);
    bitw_u(&w, 3, 0);
    bitw_u(&w, 1, 0);                   /* 8 bit */
    bitw_u(&w, 1, 1);
    bitw_u(&w, 24, 1 << 16 | 13 << 8 | 0);
    bitw_u(&w, 2, 0);

    assert_int_equal(reel_av1_sequence(&s, w.bytes, w.bit / 8 + 1), REEL_OK);
    assert_int_equal(s.level, 4);
    assert_int_equal(s.width, 16);
    assert_int_equal(s.height, 8);
    assert_int_equal(s.full_range, 1);
    assert_int_equal(s.subsampling_x, 0);
    assert_int_equal(s.subsampling_y, 0);
}


static void
samples(void **state)
{
    reel_buf_t  b;
    reel_str_t  in, want;

    (void) state;

    /* delimiter and padding go; the last OBU gets its size, and a long size
       its short form */
    reel_buf_init(&b, 1000);
    in = vector("1200" SEQUENCE "7a0400000080" "36e8818080000a" "30ffee");
    want = vector(SEQUENCE "36e8010a" "3202ffee");
    assert_int_equal(reel_av1_to_sample(&b, (const uint8_t *) in.p, in.len),
                     REEL_OK);
    assert_int_equal(b.len, want.len);
    assert_memory_equal(b.data, want.p, want.len);
    free((char *) in.p);
    free((char *) want.p);
    reel_buf_clear(&b);

    assert_int_equal(reel_av1_to_sample(&b, (const uint8_t *) "\x42\0", 2),
                     REEL_UNSUPPORTED);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(refused),
        cmocka_unit_test(config),
        cmocka_unit_test(long_header),
        cmocka_unit_test(reduced_header),
        cmocka_unit_test(samples)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

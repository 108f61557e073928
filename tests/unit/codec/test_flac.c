#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/flac.h"
#include "tests/unit/codec/vectors.h"

/* libavcodec's: 4608 samples a block, 48 kHz, stereo, 16 bit */
#define INFO "12001200000000004a580bb802f000000000" \
             "00000000000000000000000000000000"

/* 24 bit, 96 kHz, 3 channels */
#define INFO_HD "100010000000000000001770057000000000" \
                "00000000000000000000000000000000"


static void
config(void **state)
{
    (void) state;

    vector_config(INFO, reel_flac_config, "0000000080000022" INFO);

    /* a stream's beginning, with a comment behind */
    vector_config("664c614300000022" INFO "8400000100", reel_flac_config,
                  "0000000080000022" INFO);
}


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check("0000000080000022" INFO, reel_flac_facts,
                 reel_flac_codec_string, "fLaC", &f);
    assert_int_equal(f.channels, 2);
    assert_int_equal(f.sample_rate, 48000);
    assert_int_equal(f.bit_depth, 16);
    assert_int_equal(f.frame, 4608);

    vector_check("0000000080000022" INFO_HD, reel_flac_facts,
                 reel_flac_codec_string, "fLaC", &f);
    assert_int_equal(f.sample_rate, 96000);
    assert_int_equal(f.channels, 3);
    assert_int_equal(f.bit_depth, 24);
}


static void
refused(void **state)
{
    (void) state;

    /* a version to come; a comment first; one byte too few */
    vector_refused("0100000080000022" INFO, reel_flac_facts,
                   reel_flac_codec_string, REEL_UNSUPPORTED);
    vector_refused("0000000084000022" INFO, reel_flac_facts,
                   reel_flac_codec_string, REEL_BADDATA);
    vector_refused("0000000080000021" INFO, reel_flac_facts,
                   reel_flac_codec_string, REEL_BADDATA);
    /* 0 Hz */
    vector_refused("000000008000002212001200000000004a58000002f000000000"
                   "00000000000000000000000000000000", reel_flac_facts,
                   reel_flac_codec_string, REEL_BADDATA);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config),
        cmocka_unit_test(facts),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

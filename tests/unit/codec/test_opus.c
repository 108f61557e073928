#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/opus.h"
#include "tests/unit/codec/vectors.h"


static void
config(void **state)
{
    (void) state;

    /* libopus of stereo, and of 5.1 with its table */
    vector_config("4f707573486561640102380180bb0000000000", reel_opus_config,
                  "000201380000bb80000000");
    vector_config("4f707573486561640106380180bb000000000104020004010203"
                  "05", reel_opus_config,
                  "000601380000bb800000010402000401020305");
}


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check("000201380000bb80000000", reel_opus_facts,
                 reel_opus_codec_string, "opus", &f);
    assert_int_equal(f.channels, 2);
    assert_int_equal(f.sample_rate, 48000);

    vector_check("000601380000bb800000010402000401020305", reel_opus_facts,
                 reel_opus_codec_string, "opus", &f);
    assert_int_equal(f.channels, 6);
}


static void
refused(void **state)
{
    reel_buf_t  b;
    reel_str_t  s = vector("4f707573486561641002380180bb0000000000");

    (void) state;

    vector_refused("010201380000bb80000000", reel_opus_facts,
                   reel_opus_codec_string, REEL_UNSUPPORTED);
    /* no channel; three without a table; more coupled streams than streams */
    vector_refused("000001380000bb80000000", reel_opus_facts,
                   reel_opus_codec_string, REEL_BADDATA);
    vector_refused("000301380000bb80000000", reel_opus_facts,
                   reel_opus_codec_string, REEL_BADDATA);
    vector_refused("000201380000bb8000000101020001", reel_opus_facts,
                   reel_opus_codec_string, REEL_BADDATA);

    reel_buf_init(&b, 100);
    assert_int_equal(reel_opus_config(&b, (const uint8_t *) s.p, s.len),
                     REEL_UNSUPPORTED);
    reel_buf_release(&b);
    free((char *) s.p);
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

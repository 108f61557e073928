#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/ac3.h"
#include "tests/unit/codec/vectors.h"

/*
 * Syncframes of E-AC-3 of 10 bytes: 5.1 of six blocks at 48 kHz, and one that
 * depends on it with Lrs/Rrs and LFE2 in its channel map.
 */
#define INDEPENDENT "0b7700043f87c0000000"
#define DEPENDENT   "0b7740043487d0202000"


static void
config(void **state)
{
    (void) state;

    /* libavcodec's: 5.1 at 448 kbit/s */
    vector_config("0b77b50b1e40ebf8", reel_ac3_config, "103de0");
    /* mono at 44.1 kHz: no mix level stands */
    vector_config("0b770000494020", reel_ac3_config, "500880");
}


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    vector_check("101140", reel_ac3_facts, reel_ac3_codec_string, "ac-3", &f);
    assert_int_equal(f.channels, 2);
    assert_int_equal(f.sample_rate, 48000);

    vector_check("103de0", reel_ac3_facts, reel_ac3_codec_string, "ac-3", &f);
    assert_int_equal(f.channels, 6);

    vector_refused("d01140", reel_ac3_facts, reel_ac3_codec_string,
                   REEL_BADDATA);
}


static void
enhanced(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    /* libavcodec's, 192 kbit/s of 5.1 */
    vector_check("0600200f00", reel_eac3_facts, reel_eac3_codec_string,
                 "ec-3", &f);
    assert_int_equal(f.channels, 6);
    assert_int_equal(f.sample_rate, 48000);

    /* 7.1: Lrs/Rrs in a dependent substream */
    vector_check("0c00200f0202", reel_eac3_facts, reel_eac3_codec_string,
                 "ec-3", &f);
    assert_int_equal(f.channels, 8);

    /* two programmes: the first counts; half a rate is not said */
    vector_check("0c01e00200200f00", reel_eac3_facts,
                 reel_eac3_codec_string, "ec-3", &f);
    assert_int_equal(f.channels, 1);
    assert_int_equal(f.sample_rate, 0);

    vector_refused("0600220f00", reel_eac3_facts, reel_eac3_codec_string,
                   REEL_BADDATA);                       /* bsid 17 */
}


static void
units(void **state)
{
    reel_buf_t  b;
    reel_str_t  s;

    (void) state;

    /* 10 bytes in 32 ms are 2 kbit/s, 20 are 5 */
    vector_config(INDEPENDENT, reel_eac3_config, "0010200f00");
    vector_config(INDEPENDENT DEPENDENT, reel_eac3_config, "0028200f0302");

    /* a dependent one alone; AC-3 and E-AC-3 taken for each other; a cut */
    reel_buf_init(&b, 100);
    s = vector(DEPENDENT);
    assert_int_equal(reel_eac3_config(&b, (const uint8_t *) s.p, s.len),
                     REEL_BADDATA);
    free((char *) s.p);
    s = vector("0b77b50b1e40ebf8");
    assert_int_equal(reel_eac3_config(&b, (const uint8_t *) s.p, s.len),
                     REEL_UNSUPPORTED);
    assert_int_equal(reel_ac3_config(&b, (const uint8_t *) "\x0b\x77\0\0\0\x80"
                                     "\0\0", 8), REEL_UNSUPPORTED);
    free((char *) s.p);
    s = vector(INDEPENDENT);
    assert_int_equal(reel_eac3_config(&b, (const uint8_t *) s.p, s.len - 1),
                     REEL_BADDATA);
    assert_int_equal(b.len, 0);
    free((char *) s.p);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config),
        cmocka_unit_test(facts),
        cmocka_unit_test(enhanced),
        cmocka_unit_test(units)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

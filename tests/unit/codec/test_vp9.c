#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/vp9.h"
#include "tests/unit/codec/vectors.h"


static void
facts(void **state)
{
    reel_codec_facts_t  f;

    (void) state;

    /* libvpx: nothing said of colours */
    vector_check("01000000000b820202020000", reel_vp9_facts,
                 reel_vp9_codec_string, "vp09.00.11.08", &f);
    assert_int_equal(f.bit_depth, 8);
    assert_int_equal(f.chroma_format, 1);
    assert_int_equal(f.transfer, 2);

    /* BT.709 is the default too */
    vector_check("010000000029820101010000", reel_vp9_facts,
                 reel_vp9_codec_string, "vp09.00.41.08", &f);

    /* HDR10; chroma between the lines; all of a full range 4:4:4 */
    vector_check("01000000020aa20910090000", reel_vp9_facts,
                 reel_vp9_codec_string, "vp09.02.10.10.01.09.16.09.00", &f);
    assert_int_equal(f.transfer, 16);
    vector_check("010000000029800202020000", reel_vp9_facts,
                 reel_vp9_codec_string, "vp09.00.41.08.00.02.02.02.00", &f);
    assert_int_equal(f.chroma_format, 1);
    vector_check("01000000033ec7010d000000", reel_vp9_facts,
                 reel_vp9_codec_string, "vp09.03.62.12.03.01.13.00.01", &f);
    assert_int_equal(f.chroma_format, 3);
    assert_true(f.full_range);
}


static void
refused(void **state)
{
    (void) state;

    vector_refused("00000000000b820202020000", reel_vp9_facts,
                   reel_vp9_codec_string, REEL_UNSUPPORTED);
    vector_refused("01000000040b820202020000", reel_vp9_facts,
                   reel_vp9_codec_string, REEL_BADDATA);   /* profile 4 */
    vector_refused("01000000000b920202020000", reel_vp9_facts,
                   reel_vp9_codec_string, REEL_BADDATA);   /* 9 bit */
    vector_refused("01000000000b880202020000", reel_vp9_facts,
                   reel_vp9_codec_string, REEL_BADDATA);   /* chroma 4 */
    vector_refused("01000000000b820202020001", reel_vp9_facts,
                   reel_vp9_codec_string, REEL_BADDATA);   /* data missing */
}


static void
key_frame(const char *hex, uint32_t num, uint32_t den, const char *want,
    reel_codec_facts_t *f)
{
    char                got[REEL_CODEC_STRING];
    reel_buf_t          b;
    reel_str_t          s = vector(hex);
    reel_codec_facts_t  other = { 0 };

    *f = (reel_codec_facts_t) { .primaries = 2, .transfer = 2, .matrix = 2 };
    reel_buf_init(&b, 100);
    assert_int_equal(reel_vp9_config(&b, f, (const uint8_t *) s.p, s.len, num,
                                     den), REEL_OK);
    assert_int_equal(b.len, 12);
    assert_int_equal(reel_vp9_codec_string(got, sizeof(got), (reel_str_t) {
                         (char *) b.data, b.len }), REEL_OK);
    assert_string_equal(got, want);

    while (s.len > 0) {
        reel_buf_clear(&b);
        assert_true(reel_vp9_config(&b, &other, (const uint8_t *) s.p,
                                    --s.len, num, den) != REEL_OK || s.len >= 9);
    }

    reel_buf_release(&b);
    free((char *) s.p);
}


static void
config(void **state)
{
    reel_buf_t          b;
    reel_codec_facts_t  f;

    (void) state;

    /* libvpx: 320x180, profile 0, at several rates */
    key_frame("824983420013f00b3604", 24, 1, "vp09.00.11.08", &f);
    assert_int_equal(f.width, 320);
    assert_int_equal(f.height, 180);
    key_frame("824983420013f00b3604", 24000, 1001, "vp09.00.11.08", &f);
    key_frame("824983420013f00b3604", 240, 1, "vp09.00.30.08", &f);
    key_frame("824983420013f00b3604", 1000000, 1, "vp09.00.62.08", &f);

    /* 10 bit 4:2:2 of BT.709 */
    key_frame("b124c1a112009f8059b021", 24, 1,
              "vp09.03.11.10.02.01.01.01.00", &f);
    assert_int_equal(f.chroma_format, 2);

    /* an inter frame, one that shows another, and no frame at all */
    reel_buf_init(&b, 100);
    assert_int_equal(reel_vp9_config(&b, &f, (const uint8_t *) "\x86\0\0", 3,
                                     24, 1), REEL_UNSUPPORTED);
    assert_int_equal(reel_vp9_config(&b, &f, (const uint8_t *) "\x88\0\0", 3,
                                     24, 1), REEL_UNSUPPORTED);
    assert_int_equal(reel_vp9_config(&b, &f, (const uint8_t *) "\x42", 1,
                                     24, 1), REEL_BADDATA);
    assert_int_equal(reel_vp9_config(&b, &f, (const uint8_t *) "\x82", 1,
                                     24, 0), REEL_INVAL);
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(refused),
        cmocka_unit_test(config)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

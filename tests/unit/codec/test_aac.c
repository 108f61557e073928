#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/codec/aac.h"
#include "tests/unit/codec/bitw.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static const struct {
    const char *asc;
    reel_err_t  err;
    unsigned    object_type;
    uint32_t    sample_rate;
    unsigned    channels;
    const char *codec;
} configs[] = {

    /* libavcodec's encoder: LC, and an extension that says "no SBR" */
    { "120856e500", REEL_OK, 2, 44100, 1, "mp4a.40.2" },
    { "119056e500", REEL_OK, 2, 48000, 2, "mp4a.40.2" },
    { "11b056e500", REEL_OK, 2, 48000, 6, "mp4a.40.2" },
    { "158856e500", REEL_OK, 2, 8000, 1, "mp4a.40.2" },

    /* no extension; 7.1 */
    { "1190", REEL_OK, 2, 48000, 2, "mp4a.40.2" },
    { "11b8", REEL_OK, 2, 48000, 8, "mp4a.40.2" },

    /* SBR: backward compatible, and hierarchical; PS both ways */
    { "131056e598", REEL_OK, 5, 48000, 2, "mp4a.40.5" },
    { "2b118800", REEL_OK, 5, 48000, 2, "mp4a.40.5" },
    { "130856e59d4880", REEL_OK, 29, 48000, 2, "mp4a.40.29" },
    { "eb098800", REEL_OK, 29, 48000, 2, "mp4a.40.29" },

    /* SBR at the core's own rate, and at three times it */
    { "29898800", REEL_OK, 5, 48000, 1, "mp4a.40.5" },
    { "2c098800", REEL_BADDATA, 0, 0, 0, NULL },

    /* an explicit rate of 12345 Hz */
    { "1780181c90", REEL_OK, 2, 12345, 2, "mp4a.40.2" },

    { "", REEL_BADDATA, 0, 0, 0, NULL },
    { "11", REEL_BADDATA, 0, 0, 0, NULL },
    { "0190", REEL_BADDATA, 0, 0, 0, NULL },    /* object type 0 */
    { "1690", REEL_BADDATA, 0, 0, 0, NULL },    /* rate index 13 */
    { "1780000010", REEL_BADDATA, 0, 0, 0, NULL },  /* 0 Hz */
    { "1194", REEL_UNSUPPORTED, 0, 0, 0, NULL },    /* 960 samples */
    { "1180", REEL_UNSUPPORTED, 0, 0, 0, NULL },    /* a PCE */
    { "0990", REEL_UNSUPPORTED, 0, 0, 0, NULL },    /* Main */
    { "f9489000", REEL_UNSUPPORTED, 0, 0, 0, NULL } /* USAC (42) */
};


static void
table(void **state)
{
    char               codec[12];
    size_t             i, n;
    uint8_t            asc[16];
    reel_str_t         s;
    reel_aac_config_t  c;

    (void) state;

    for (i = 0; i < COUNT(configs); i++) {
        n = strlen(configs[i].asc) / 2;
        assert_int_equal(reel_unhex(asc, n, reel_str(configs[i].asc)),
                         REEL_OK);
        s = (reel_str_t) { (char *) asc, n };

        assert_int_equal(reel_aac_config(&c, s), configs[i].err);
        assert_int_equal(reel_aac_codec_string(codec, sizeof(codec), s),
                         configs[i].err);

        if (configs[i].err != REEL_OK) {
            continue;
        }

        assert_int_equal(c.object_type, configs[i].object_type);
        assert_int_equal(c.sample_rate, configs[i].sample_rate);
        assert_int_equal(c.channels, configs[i].channels);
        assert_int_equal(c.frame, configs[i].object_type == 2
                                  || strcmp(configs[i].asc, "29898800") == 0
                                  ? 1024 : 2048);
        assert_string_equal(codec, configs[i].codec);
        assert_int_equal(reel_aac_codec_string(codec, 9, s), REEL_INVAL);
    }
}


/* the extension may be cut at any bit: then there is none, or an error */
static void
cut(void **state)
{
    size_t             n;
    bitw_t             w = { .bit = 0 };
    reel_err_t         err;
    reel_aac_config_t  c;

    (void) state;

    bitw_u(&w, 5, 2);
    bitw_u(&w, 4, 6);
    bitw_u(&w, 4, 2);
    bitw_u(&w, 3, 0);
    bitw_u(&w, 11, 0x2b7);
    bitw_u(&w, 5, 5);
    bitw_u(&w, 1, 1);
    bitw_u(&w, 4, 15);
    bitw_u(&w, 24, 48000);

    for (n = 2; n <= 8; n++) {
        err = reel_aac_config(&c, (reel_str_t) { (char *) w.bytes, n });

        if (n < 4 || n == 8) {
            assert_int_equal(err, REEL_OK);
            assert_int_equal(c.sample_rate, n == 8 ? 48000 : 24000);
            assert_int_equal(c.object_type, n == 8 ? 5 : 2);
        } else if (n > 4) {
            assert_int_equal(err, REEL_BADDATA);
        }
    }
}


/* written out: elements, their tag, window and gain, and the end */
static void
silence(void **state)
{
    uint8_t  unit[REEL_AAC_SILENCE];

    (void) state;

    assert_int_equal(reel_aac_silence(unit, 1), 4);
    assert_memory_equal(unit, "\x00\x00\x00\x07", 4);
    assert_int_equal(reel_aac_silence(unit, 2), 6);
    assert_memory_equal(unit, "\x21\x00\x00\x00\x00\x1c", 6);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(cut),
        cmocka_unit_test(silence)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

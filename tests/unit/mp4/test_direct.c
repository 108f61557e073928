#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mp4/direct.h"
#include "tests/unit/mp4/moov.h"
#include "tests/unit/mp4/tracks.h"


static void
make(reel_buf_t *b, const reel_cmaf_track_t *tracks, unsigned n)
{
    unsigned      i;
    moov_track_t  t[3];

    memset(t, 0, sizeof(t));

    for (i = 0; i < n; i++) {
        t[i].track = tracks[i];
    }

    reel_buf_init(b, 1 << 20);
    moov_make(b, t, n);
}


static reel_err_t
judge(const reel_cmaf_track_t *tracks, unsigned n, reel_error_t *e)
{
    reel_buf_t  b;
    reel_err_t  err;

    make(&b, tracks, n);
    err = reel_movie_direct(b.data, b.len, e);
    reel_buf_release(&b);

    return err;
}


static void
h264_and_aac_are_fit(void **state)
{
    reel_error_t       e = { "" };
    reel_cmaf_track_t  t[] = { track_video(), track_audio(), track_audio() };

    (void) state;

    assert_int_equal(judge(t, 3, &e), REEL_OK);
    assert_int_equal(judge(t, 1, &e), REEL_OK);
    assert_int_equal(judge(t + 1, 1, &e), REEL_OK);
    assert_int_equal(judge(t, 0, &e), REEL_UNSUPPORTED);
}


static void
other_codecs_are_not(void **state)
{
    size_t             i;
    reel_error_t       e = { "" };
    reel_cmaf_track_t  t[2];

    (void) state;

    for (i = 0; i < track_ncases; i++) {
        if (track_cases[i].track.codec == REEL_CODEC_AVC
            || track_cases[i].track.codec == REEL_CODEC_AAC)
        {
            continue;
        }

        /* sound beside a picture that is fit, pictures instead of one */
        t[0] = track_video();
        t[track_cases[i].track.track_id == REEL_TRACK_VIDEO ? 0 : 1] =
            track_cases[i].track;
        assert_int_equal(judge(t, track_cases[i].track.track_id
                                  == REEL_TRACK_VIDEO ? 1 : 2, &e),
                         REEL_UNSUPPORTED);
        assert_non_null(strstr(e.text, "stsd: not "));
    }

    /* a second picture is not shown */
    for (i = 0; i < track_ncases; i++) {
        if (track_cases[i].track.track_id == REEL_TRACK_VIDEO) {
            t[0] = track_video();
            t[1] = track_cases[i].track;
            assert_int_equal(judge(t, 2, &e), REEL_OK);
        }
    }
}


static void
high_dynamic_range_is_not(void **state)
{
    reel_error_t       e = { "" };
    reel_cmaf_track_t  t = track_video();

    (void) state;

    t.primaries = 9;
    t.matrix = 9;
    t.transfer = 18;
    assert_int_equal(judge(&t, 1, &e), REEL_UNSUPPORTED);
    t.transfer = 16;
    assert_int_equal(judge(&t, 1, &e), REEL_UNSUPPORTED);
    t.transfer = 14;
    assert_int_equal(judge(&t, 1, &e), REEL_OK);
}


/* moov's first box but one: trak, tkhd, version and flags, then the rest */
static void
turned_and_disabled_are_not(void **state)
{
    uint8_t           *tkhd;
    reel_buf_t         b;
    reel_error_t       e = { "" };
    reel_cmaf_track_t  t = track_video();

    (void) state;

    make(&b, &t, 1);
    tkhd = memmem(b.data, b.len, "tkhd", 4);
    assert_non_null(tkhd);

    assert_int_equal(reel_movie_direct(b.data, b.len, &e), REEL_OK);

    tkhd[7] = 2;
    assert_int_equal(reel_movie_direct(b.data, b.len, &e), REEL_UNSUPPORTED);
    assert_string_equal(e.text, "tkhd: not in use");
    tkhd[7] = 3;

    tkhd[4 + 4 + 20 + 16 + 1] = 0;
    tkhd[4 + 4 + 20 + 16 + 5] = 1;
    assert_int_equal(reel_movie_direct(b.data, b.len, &e), REEL_UNSUPPORTED);
    assert_string_equal(e.text, "tkhd: turned");

    reel_buf_release(&b);
}


static void
cut_short_is_bad(void **state)
{
    size_t             n;
    reel_buf_t         b;
    reel_error_t       e = { "" };
    reel_cmaf_track_t  t = track_video();

    (void) state;

    make(&b, &t, 1);

    for (n = 0; n < b.len; n++) {
        assert_int_not_equal(reel_movie_direct(b.data, n, &e), REEL_OK);
    }

    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(h264_and_aac_are_fit),
        cmocka_unit_test(other_codecs_are_not),
        cmocka_unit_test(high_dynamic_range_is_not),
        cmocka_unit_test(turned_and_disabled_are_not),
        cmocka_unit_test(cut_short_is_bad)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/mp4/box.h"
#include "lib/mp4/profile.h"
#include "tests/unit/mp4/tracks.h"


static void
assert_brand(uint32_t got, const char *want)
{
    assert_int_equal(got, want == NULL ? 0
                     : REEL_FOURCC(want[0], want[1], want[2], want[3]));
}


/* level, size, depth and range choose; what breaks one bound has no brand */
static void
video(void **state)
{
    size_t  i;

    static const struct {
        bool     hevc;
        uint8_t  profile, level, depth, transfer;
        uint16_t width, height;
        const char *brand;
    } cases[] = {
        { false, 77, 30, 8, 1, 640, 360, "cfsd" },
        { false, 100, 31, 8, 2, 1280, 720, "cfhd" },
        { false, 100, 42, 8, 1, 1920, 1080, "chdf" },
        { false, 100, 50, 8, 1, 1920, 1080, NULL },
        { false, 100, 40, 8, 1, 1080, 1920, NULL },
        { false, 110, 40, 10, 1, 1920, 1080, NULL },
        { true, 1, 93, 8, 1, 1280, 720, "chhd" },
        { true, 2, 123, 10, 1, 1920, 1080, "chh1" },
        { true, 1, 150, 8, 1, 3840, 2160, "cud8" },
        { true, 2, 153, 10, 2, 3840, 2160, "cud1" },
        { true, 2, 153, 10, 16, 3840, 2160, "chd1" },
        { true, 2, 120, 10, 18, 1920, 1080, "clg1" },
        { true, 2, 156, 10, 16, 3840, 2160, NULL },
        { true, 1, 120, 8, 16, 1920, 1080, NULL }
    };

    reel_cmaf_track_t   t;
    reel_codec_facts_t  f;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        t = (reel_cmaf_track_t) {
            .width = cases[i].width, .height = cases[i].height,
            .primaries = 9, .transfer = cases[i].transfer, .matrix = 9
        };
        f = (reel_codec_facts_t) {
            .profile = cases[i].profile, .level = cases[i].level,
            .bit_depth = cases[i].depth, .chroma_format = 1
        };

        assert_brand(cases[i].hevc ? reel_brand_hevc(&t, &f)
                                   : reel_brand_avc(&t, &f), cases[i].brand);

        t.full_range = true;
        assert_brand(cases[i].hevc ? reel_brand_hevc(&t, &f)
                                   : reel_brand_avc(&t, &f), NULL);
        t.full_range = false;
        f.high_tier = true;
        assert_brand(reel_brand_hevc(&t, &f), NULL);
    }
}


static void
sound(void **state)
{
    reel_cmaf_track_t   t = { .codec = REEL_CODEC_AAC };
    reel_codec_facts_t  f = { .profile = 2, .channels = 2,
                              .sample_rate = 48000 };

    (void) state;

    assert_brand(reel_brand_aac(&t, &f), "caac");
    f.profile = 29;
    assert_brand(reel_brand_aac(&t, &f), "caac");
    f.channels = 6;
    assert_brand(reel_brand_aac(&t, &f), NULL);
    assert_brand(reel_brand_eac3(&t, &f), "ceac");
    f.sample_rate = 44100;
    assert_brand(reel_brand_eac3(&t, &f), NULL);
    assert_brand(reel_brand_av1(&t, &f), "av01");
}


static void
ranges(void **state)
{
    (void) state;

    assert_int_equal(reel_video_range(16), REEL_RANGE_PQ);
    assert_int_equal(reel_video_range(18), REEL_RANGE_HLG);
    assert_int_equal(reel_video_range(1), REEL_RANGE_SDR);
    assert_int_equal(reel_video_range(2), REEL_RANGE_SDR);
    assert_int_equal(reel_video_range(14), REEL_RANGE_SDR);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video),
        cmocka_unit_test(sound),
        cmocka_unit_test(ranges)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

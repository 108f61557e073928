/* the ladder of a source */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"


static void
ladders(void **state)
{
    char              got[512];
    size_t            i, len;
    uint32_t          n, k;
    reel_pipeline_t   pl;
    reel_video_rung_t r[REEL_TASK_RUNGS];
    static const struct {
        uint32_t    w, h;
        const char *want;
    } rows[] = {
        { 1920, 1080, "v1080 1920x1080 v720 1280x720 v480 854x480 "
                      "v360 640x360 v240 426x240" },
        { 3840, 2160, "v1080 1920x1080 v720 1280x720 v480 854x480 "
                      "v360 640x360 v240 426x240" },
        { 1080, 1920, "v1080 1080x1920 v720 720x1280 v480 480x854 "
                      "v360 360x640 v240 240x426" },
        { 854, 480, "v480 854x480 v360 640x360 v240 428x240" },
        { 960, 540, "v540 960x540 v480 854x480 v360 640x360 v240 426x240" },
        { 768, 432, "v432 768x432 v360 640x360 v240 426x240" },
        { 798, 332, "v332 798x332 v240 576x240" },
        { 642, 642, "v642 642x642 v480 480x480 v360 360x360 v240 240x240" },
        /* larger than the highest: never more than that */
        { 1920, 1088, "v1080 1906x1080 v720 1270x720 v480 848x480 "
                      "v360 636x360 v240 424x240" },
        /* barely larger than a rung: instead of it */
        { 880, 500, "v500 880x500 v360 634x360 v240 422x240" },
        /* smaller than the lowest: only its own */
        { 160, 120, "v120 160x120" },
        { 161, 121, "v120 160x120" },
        { 1, 1, "v2 2x2" },
        { 4000, 100, "v100 4000x100" },
        { 241, 241, "v240 240x240" },
        { 720, 576, "v576 720x576 v480 600x480 v360 450x360 v240 300x240" },
    };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < COUNT(rows); i++) {
        n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, rows[i].w, rows[i].h,
                            NULL);
        got[0] = '\0';

        for (k = 0, len = 0; k < n; k++) {
            len += (size_t) snprintf(got + len, sizeof(got) - len,
                                     "%s%s %ux%u", k ? " " : "", r[k].name,
                                     r[k].width, r[k].height);
        }

        assert_string_equal(got, rows[i].want);
    }
}


/* whatever the size: even, falling, not larger, rates falling too */
static void
rules(void **state)
{
    uint32_t          w, h, n, k, s, top;
    reel_pipeline_t   pl;
    reel_video_rung_t r[REEL_TASK_RUNGS];

    (void) state;

    reel_pipeline_default(&pl);

    for (w = 2; w < 2500; w += 37) {
        for (h = 2; h < 2500; h += 41) {
            n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, w, h,
                            NULL);
            assert_in_range(n, 1, REEL_TASK_RUNGS);
            top = UINT32_MAX;

            for (k = 0; k < n; k++) {
                s = r[k].width < r[k].height ? r[k].width : r[k].height;
                assert_int_equal(r[k].width % 2 + r[k].height % 2, 0);
                assert_true(r[k].width <= w && r[k].height <= h);
                assert_true(s < top);
                assert_true(k == 0 || r[k].max_kbps <= r[k - 1].max_kbps);
                assert_true(r[k].buf_kbits >= r[k].max_kbps);
                assert_in_range(r[k].crf, 0, 51);
                top = s;
            }

            assert_true(n == 1 || r[n - 1].height == 240
                        || r[n - 1].width == 240);
        }
    }
}


static void
own_size_lies_between_its_neighbours(void **state)
{
    reel_pipeline_t   pl;
    reel_video_rung_t r[REEL_TASK_RUNGS];

    (void) state;

    reel_pipeline_default(&pl);
    pl.rungs[1].crf = 20;
    (void) reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 1600, 900,
                            NULL);
    assert_string_equal(r[0].name, "v900");
    assert_int_equal(r[0].max_kbps, (4500 + 7800) / 2);
    assert_int_equal(r[0].buf_kbits, (6750 + 11700) / 2);
    assert_int_equal(r[0].crf, 21);

    /* a quarter of the lowest one's area, but not less than 100 kb/s */
    (void) reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 160, 120,
                            NULL);
    assert_int_equal(r[0].max_kbps, 125);
    (void) reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 32, 32,
                            NULL);
    assert_int_equal(r[0].max_kbps, 100);
}


/* every so-manieth picture of each rung of the default's ladder */
static void
half_rate(void **state)
{
    char              got[64];
    size_t            i, len;
    uint32_t          n, k;
    reel_source_t     s;
    reel_pipeline_t   pl;
    reel_video_rung_t r[REEL_TASK_RUNGS];
    static const struct {
        uint32_t    num, den, w, h, max_fps;        /* of the second rung */
        const char *want;
    } rows[] = {
        { 50, 1, 1920, 1080, 0, "1 1 1 2 2" },
        { 60000, 1001, 1920, 1080, 0, "1 1 1 2 2" },
        { 48, 1, 1920, 1080, 0, "1 1 1 2 2" },
        { 30, 1, 1920, 1080, 0, "1 1 1 1 1" },
        { 33, 1, 1920, 1080, 0, "1 1 1 1 1" },
        { 24000, 1001, 1920, 1080, 0, "1 1 1 1 1" },
        { 50, 1, 1920, 1080, 15, "1 4 1 2 2" },
        { 50, 1, 1920, 1080, 25, "1 2 1 2 2" },
        { 50, 1, 1920, 1080, 240, "1 1 1 2 2" },
        /* the largest shows all, whatever its size: a rung or its own */
        { 50, 1, 640, 360, 0, "1 2" },
        { 50, 1, 768, 432, 0, "1 2 2" },
        { 50, 1, 160, 120, 0, "1" },
        { 5000, 1, 1920, 1080, 0, "1 1 1 16 16" },
    };

    (void) state;

    film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 100 });

    for (i = 0; i < COUNT(rows); i++) {
        reel_pipeline_default(&pl);
        pl.rungs[1].max_fps = rows[i].max_fps;
        s.video.rate = (reel_rational_t) { rows[i].num, rows[i].den };
        n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, rows[i].w, rows[i].h,
                            &s);

        for (k = 0, len = 0; k < n; k++) {
            len += (size_t) snprintf(got + len, sizeof(got) - len, "%s%u",
                                     k ? " " : "", r[k].every);
        }

        assert_string_equal(got, rows[i].want);
    }

    reel_source_release(&s);
}


/* what of the pipelines' HDR rungs keeps it, and is there at all */
static void
hdr(void **state)
{
    size_t            i;
    uint32_t          n;
    reel_source_t     s;
    reel_pipeline_t   pl;
    reel_video_rung_t r[REEL_TASK_RUNGS];
    static const struct {
        reel_video_range_t range;
        reel_hdr_use_t     pipeline, rung;
        reel_video_codec_t codec;
        bool               want;
    } rows[] = {
        { REEL_RANGE_PQ, REEL_HDR_KEEP, 0, REEL_VIDEO_HEVC, true },
        { REEL_RANGE_HLG, REEL_HDR_KEEP, 0, REEL_VIDEO_AV1, true },
        { REEL_RANGE_PQ, REEL_HDR_KEEP, 0, REEL_VIDEO_H264, false },
        { REEL_RANGE_SDR, REEL_HDR_KEEP, 0, REEL_VIDEO_HEVC, false },
        { REEL_RANGE_PQ, REEL_HDR_MAP, 0, REEL_VIDEO_HEVC, false },
        { REEL_RANGE_PQ, REEL_HDR_KEEP, REEL_HDR_MAP, REEL_VIDEO_HEVC,
          false },
        { REEL_RANGE_PQ, REEL_HDR_MAP, REEL_HDR_KEEP, REEL_VIDEO_HEVC, true },
    };

    (void) state;

    film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 100 });

    for (i = 0; i < COUNT(rows); i++) {
        reel_pipeline_default(&pl);
        pl.hdr = rows[i].pipeline;
        pl.rungs[0].codec = rows[i].codec;
        pl.rungs[0].hdr = rows[i].rung;
        s.video.light.range = rows[i].range;
        n = reel_plan_rungs(r, &pl, rows[i].codec, 1920, 1080, &s);
        assert_in_range(n, 1, 5);
        assert_int_equal(r[0].hdr, rows[i].want);
    }

    /* a rung that is left out takes no other's place */
    reel_pipeline_default(&pl);
    memcpy(pl.rungs[1].when, "hdr", 4);
    s.video.light.range = REEL_RANGE_SDR;
    n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 880, 500, &s);
    assert_int_equal(n, 3);
    assert_string_equal(r[0].name, "v480");

    s.video.light.range = REEL_RANGE_PQ;
    n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 880, 500, &s);
    assert_int_equal(n, 3);
    assert_string_equal(r[0].name, "v500");

    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ladders),
        cmocka_unit_test(rules),
        cmocka_unit_test(own_size_lies_between_its_neighbours),
        cmocka_unit_test(half_rate),
        cmocka_unit_test(hdr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* timeline and grid: docs' media rules, in exact ticks */

#include "tests/unit/job/film.h"

#include <string.h>

#include "lib/job/plan_part.h"


static reel_timeline_t
timeline(const film_t *f)
{
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;

    reel_pipeline_default(&pl);
    film_make(&s, f);
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    reel_source_release(&s);

    return t;
}


static void
clock_of_a_constant_rate(void **state)
{
    size_t          i;
    reel_timeline_t t;
    static const struct {
        uint32_t num, den, timescale, frame_ts, gop;
    } rows[] = {
        { 24, 1, 12288, 512, 48 },
        { 25, 1, 12800, 512, 50 },
        { 25, 2, 12800, 1024, 25 },
        { 30, 1, 15360, 512, 60 },
        { 50, 1, 12800, 256, 100 },
        { 60, 1, 15360, 256, 120 },
        { 30000, 1001, 30000, 1001, 60 },
        { 24000, 1001, 24000, 1001, 48 },
        { 60000, 1001, 60000, 1001, 120 },
        { 60000, 2000, 15360, 512, 60 },        /* reduced first */
        { 1, 1, 16384, 16384, 2 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        t = timeline(&(film_t) { .num = rows[i].num, .den = rows[i].den,
                                 .frames = 240 });
        assert_int_equal(t.grid.timescale, rows[i].timescale);
        assert_int_equal(t.grid.frame_ts, rows[i].frame_ts);
        assert_int_equal(t.grid.gop_ts, rows[i].gop * rows[i].frame_ts);
        assert_int_equal(t.grid.end_ts, 240 * rows[i].frame_ts);
        assert_int_equal(t.grid.fragments,
                         (240 + rows[i].gop - 1) / rows[i].gop);
    }
}


/* GOPs hold whole pictures of the rungs that have every second or fourth */
static void
gops_of_halved_rungs(void **state)
{
    size_t          i;
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;
    static const struct {
        uint32_t num, gop_ms, max_fps, gop;
    } rows[] = {
        { 25, 1000, 0, 25 },
        { 50, 500, 0, 26 },
        { 50, 500, 15, 24 },
        { 50, 500, 240, 26 },
        { 60, 2000, 15, 120 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        reel_pipeline_default(&pl);
        pl.gop_ms = rows[i].gop_ms;
        pl.rungs[4].max_fps = rows[i].max_fps;
        film_make(&s, &(film_t) { .num = rows[i].num, .den = 1,
                                  .frames = 240 });
        assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
        assert_int_equal(t.grid.gop_ts, rows[i].gop * t.grid.frame_ts);
        reel_source_release(&s);
    }
}


/* of a slow film one picture may be a GOP, but not where AV1 is made */
static void
gop_of_few_pictures(void **state)
{
    size_t           i;
    reel_source_t    s;
    reel_timeline_t  t;
    reel_pipeline_t  pl;

    static const struct {
        uint32_t            gop_ms;
        reel_video_codec_t  codec;
        uint32_t            gop;
    } rows[] = {
        { 500, REEL_VIDEO_H264, 1 },
        { 1000, REEL_VIDEO_HEVC, 1 },
        { 500, REEL_VIDEO_AV1, 2 },
        { 2000, REEL_VIDEO_AV1, 2 },
        { 3000, REEL_VIDEO_AV1, 3 },
    };

    (void) state;
    film_make(&s, &(film_t) { .num = 1, .den = 1, .frames = 24 });

    for (i = 0; i < COUNT(rows); i++) {
        reel_pipeline_default(&pl);
        pl.gop_ms = rows[i].gop_ms;
        pl.rungs[4].codec = rows[i].codec;
        assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
        assert_int_equal(t.grid.gop_ts, rows[i].gop * t.grid.frame_ts);
    }

    reel_source_release(&s);
}


static void
clock_of_a_variable_rate(void **state)
{
    reel_timeline_t t;

    (void) state;

    t = timeline(&(film_t) { .num = 7, .den = 1, .frames = 70,
                             .variable = 1 });
    assert_int_equal(t.grid.timescale, 90000);
    assert_int_equal(t.grid.gop_ts, 180000);
    assert_int_equal(t.grid.frame_ts, 0);
    assert_int_equal(t.grid.end_ts, 900000);
    assert_int_equal(t.grid.fragments, 5);

    /* a rate that no display has is no constant rate */
    t = timeline(&(film_t) { .num = 57600, .den = 1, .frames = 57600 });
    assert_int_equal(t.grid.frame_ts, 0);
    assert_true(t.rate.num <= 240);
    t = timeline(&(film_t) { .num = 1, .den = 5, .frames = 10 });
    assert_int_equal(t.grid.frame_ts, 0);
    assert_int_equal(t.grid.end_ts, 50 * 90000);
}


static void
rate_that_loses_pictures_is_not_constant(void **state)
{
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &(film_t) { .num = 50, .den = 1, .frames = 500 });
    s.video.rate = (reel_rational_t) { 25, 1 };
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_int_equal(t.grid.frame_ts, 0);
    reel_source_release(&s);
}


static void
audio_only(void **state)
{
    reel_timeline_t t;

    (void) state;

    t = timeline(&(film_t) { .audio_len = 10.005, .audio_start = 3 });
    assert_false(t.video);
    assert_int_equal(t.grid.timescale, 90000);
    assert_int_equal(t.grid.gop_ts, 180000);
    assert_int_equal(t.audio_origin[0], 3 * 48000);
    /* 5 ms are no access unit, and no slot of their own */
    assert_int_equal(t.grid.end_ts, 900000);
    assert_int_equal(t.grid.fragments, 5);

    t = timeline(&(film_t) { .audio_len = 10.05 });
    assert_int_equal(t.grid.end_ts, 904500);
    assert_int_equal(t.grid.fragments, 6);

    t = timeline(&(film_t) { .audio_len = 0.01 });
    assert_int_equal(t.grid.fragments, 1);
}


static void
end_is_the_longest_track(void **state)
{
    size_t i;
    static const struct {
        film_t   f;
        uint64_t frames;
    } rows[] = {
        { { .num = 24, .den = 1, .frames = 720, .audio_len = 30 }, 720 },
        /* an excess under one frame is trimmed */
        { { .num = 24, .den = 1, .frames = 720, .audio_len = 30.037 }, 720 },
        { { .num = 24, .den = 1, .frames = 720, .audio_len = 30.042 }, 721 },
        { { .num = 30, .den = 1, .frames = 10883, .audio_len = 360 }, 10883 },
        { { .num = 30000, .den = 1001, .frames = 150, .audio_len = 5.055 },
          151 },
        /* sound 2.8 s longer: the last picture is held */
        { { .num = 25, .den = 1, .frames = 250, .audio_len = 12.8 }, 320 },
        { { .num = 25, .den = 2, .frames = 377, .audio_len = 30.208 }, 377 },
        { { .num = 25, .den = 1, .frames = 1 }, 1 },
        { { .num = 25, .den = 1, .frames = 1, .audio_len = 1 }, 25 },
        /* sound late, and ends late */
        { { .num = 25, .den = 1, .frames = 25, .audio_start = 0.5,
            .audio_len = 1 }, 37 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        reel_timeline_t t = timeline(&rows[i].f);

        assert_int_equal(t.grid.end_ts,
                         (int64_t) (rows[i].frames * t.grid.frame_ts));
    }
}


static void
sound_that_leads(void **state)
{
    size_t i;
    static const struct {
        double   lead;          /* of sound before video, s */
        uint64_t late;          /* slots that show the first picture */
        int64_t  cut;           /* samples cut from the sound's start */
    } rows[] = {
        { 0, 0, 0 },
        { 0.01, 0, 480 },
        { 1024.0 / 48000, 0, 1024 },
        { 0.039, 0, 1872 },
        { 0.04, 1, 0 },
        { 0.05, 1, 480 },
        { 1.0, 25, 0 },
        { 1.02, 25, 960 },
        { -0.5, 0, -24000 },    /* late sound: silence first */
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        reel_timeline_t t = timeline(&(film_t) {
            .num = 25, .den = 1, .frames = 250, .video_start = 2,
            .audio_start = 2 - rows[i].lead, .audio_len = 5 });
        int64_t start = (int64_t) ((2 - rows[i].lead) * 48000 + 0.5);

        assert_int_equal(t.video_origin,
                         2 * 25000 - (int64_t) rows[i].late * 1000);
        assert_int_equal(t.audio_origin[0] - start, rows[i].cut);
        assert_int_equal(t.grid.end_ts,
                         (int64_t) (250 + rows[i].late) * t.grid.frame_ts);
        assert_int_equal(reel_timeline_place(&t,
                             (reel_rational_t) { 1, 25000 }, 50000),
                         (int64_t) rows[i].late * t.grid.frame_ts);
    }
}


/* at 2 frames a second not half a second of sound is cut: silence instead */
static void
sound_that_leads_a_slow_film(void **state)
{
    reel_timeline_t t;

    (void) state;

    t = timeline(&(film_t) { .num = 2, .den = 1, .frames = 20,
                             .video_start = 0.4, .audio_len = 5 });
    assert_int_equal(t.video_origin, -200);     /* of 1/2000 s */
    assert_int_equal(t.audio_origin[0], -4800);
    assert_int_equal(t.grid.end_ts, 21 * (int64_t) t.grid.frame_ts);
}


static void
variable_rate_ends(void **state)
{
    reel_timeline_t t;

    (void) state;

    /* video leads; sound ends 1 s later */
    t = timeline(&(film_t) { .num = 10, .den = 1, .frames = 50,
                             .variable = 1, .audio_start = 1,
                             .audio_len = 5 });
    assert_int_equal(t.video_origin, 0);
    assert_int_equal(t.audio_origin[0], 0);
    assert_int_equal(t.grid.end_ts, 6 * 90000);

    /* sound leads by any amount: it is the origin */
    t = timeline(&(film_t) { .num = 10, .den = 1, .frames = 50,
                             .variable = 1, .video_start = 0.25,
                             .audio_len = 5 });
    assert_int_equal(t.video_origin, 0);
    assert_int_equal(t.grid.end_ts, 90000 * 21 / 4);

    /* 50 ms of rest are no slot of their own, 150 ms are */
    t = timeline(&(film_t) { .num = 20, .den = 1, .frames = 80,
                             .variable = 1, .audio_len = 4.04 });
    assert_int_equal(t.grid.fragments, 2);
    assert_int_equal(t.grid.end_ts, 360000);
    t = timeline(&(film_t) { .num = 20, .den = 1, .frames = 80,
                             .variable = 1, .audio_len = 4.15 });
    assert_int_equal(t.grid.fragments, 3);
}


static void
unrelated_clocks(void **state)
{
    reel_timeline_t t;

    (void) state;

    /* sound stamped 12 hours after a film of 10 s */
    t = timeline(&(film_t) { .num = 25, .den = 1, .frames = 250,
                             .audio_start = 43200, .audio_len = 10 });
    assert_int_equal(t.grid.end_ts, 250 * (int64_t) t.grid.frame_ts);
    assert_int_equal(t.audio_origin[0], 43200 * 48000LL);
}


static void
refused(void **state)
{
    reel_grid_t     g;
    reel_error_t    e;
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &(film_t) { 0 });
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, &e), REEL_UNSUPPORTED);
    assert_non_null(strstr(e.text, "neither"));

    /* sound alone, in a pipeline that keeps none */
    film_make(&s, &(film_t) { .audio_len = 5 });
    pl.audio_kbps = 0;
    assert_int_equal(reel_plan_grid(&g, &pl, &s), REEL_UNSUPPORTED);

    /* 25 days */
    reel_pipeline_default(&pl);
    film_make(&s, &(film_t) { .audio_len = 25.0 * 86400 });
    assert_int_equal(reel_plan_grid(&g, &pl, &s), REEL_LIMIT);
}


/* time stamps at the edges of what a source may say: no overflow */
static void
hostile_time(void **state)
{
    size_t          i, j, k;
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;
    static const int64_t pts[] = {
        -REEL_PTS_MAX, -1, 0, 1, (int64_t) 1 << 40, REEL_PTS_MAX
    };
    static const reel_rational_t tb[] = {
        { 1, 1 }, { UINT32_MAX, 1 }, { 1, UINT32_MAX }, { 1, 90000 },
        { UINT32_MAX, UINT32_MAX }
    };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < COUNT(pts) * COUNT(pts); i++) {
        for (j = 0; j < COUNT(tb) * COUNT(tb); j++) {
            for (k = 0; k < 4; k++) {
                film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 2,
                                          .audio_len = 1,
                                          .variable = k & 1 });
                s.video.tb = tb[j % COUNT(tb)];
                s.audio.tb = tb[j / COUNT(tb)];
                s.video.first_pts = pts[i % COUNT(pts)];
                s.video.last_pts = k & 2 ? REEL_PTS_MAX : s.video.first_pts;
                s.video.last_dur = k & 2 ? REEL_PTS_MAX : 1;
                s.audio.first_pts = pts[i / COUNT(pts)];
                s.audio.end_pts = k & 2 ? REEL_PTS_MAX
                                        : s.audio.first_pts + 1;

                if (reel_plan_timeline(&t, &pl, &s, NULL) == REEL_OK) {
                    assert_true(t.grid.fragments >= 1);
                    assert_true(t.grid.end_ts > 0);
                    assert_true((int64_t) t.grid.fragments * t.grid.gop_ts
                                >= t.grid.end_ts);
                }

                reel_source_release(&s);
            }
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_of_a_constant_rate),
        cmocka_unit_test(gops_of_halved_rungs),
        cmocka_unit_test(gop_of_few_pictures),
        cmocka_unit_test(clock_of_a_variable_rate),
        cmocka_unit_test(rate_that_loses_pictures_is_not_constant),
        cmocka_unit_test(audio_only),
        cmocka_unit_test(end_is_the_longest_track),
        cmocka_unit_test(sound_that_leads),
        cmocka_unit_test(sound_that_leads_a_slow_film),
        cmocka_unit_test(variable_rate_ends),
        cmocka_unit_test(unrelated_clocks),
        cmocka_unit_test(refused),
        cmocka_unit_test(hostile_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* rates by the film: what is tried, and what follows from it */

#include "tests/unit/job/film.h"

#include <string.h>

#include "lib/job/plan_part.h"

static const film_t minute = { .num = 25, .den = 1, .frames = 1500,
                               .key_every = 50, .width = 1280,
                               .height = 720, .audio_len = 60 };


static void
titled(reel_pipeline_t *pl)
{
    reel_pipeline_default(pl);
    pl->title_ssim = 980;
}


static void
set_when(char when[REEL_WHEN_MAX + 1], const char *text)
{
    assert_int_equal(reel_str_copy(when, REEL_WHEN_MAX + 1, reel_str(text)),
                     REEL_OK);
}


/* 720, 480, 360, 240, and 240 once more: halved by 6 of CRF */
static void
set_trials(reel_trials_t *t, const uint32_t kbps[4], const uint32_t loss[4],
    const uint32_t soft[3])
{
    uint32_t              i;
    static const uint32_t w[4] = { 1280, 854, 640, 426 };
    static const uint32_t h[4] = { 720, 480, 360, 240 };

    t->n = 5;

    for (i = 0; i < 4; i++) {
        t->v[i] = (reel_trial_t) { w[i], h[i], 23, kbps[i], loss[i],
                                   i < 3 ? soft[i] : REEL_LOSS_ALL };
    }

    t->v[4] = t->v[3];
    t->v[4].crf += REEL_TRIAL_STEP;
    t->v[4].kbps /= 2;
    t->v[4].loss *= 2;
}


static void
begins_with_trials(void **state)
{
    uint32_t              i;
    reel_plan_t           p;
    reel_source_t         s;
    reel_pipeline_t       pl;
    reel_complexity_t     t;
    const reel_planned_t *k;

    (void) state;
    film_make(&s, &minute);
    titled(&pl);
    assert_int_equal(reel_plan_begin(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.ntasks, 2);
    assert_string_equal(p.ladder, "");

    k = film_task(&p, "complexity");
    assert_non_null(k);
    assert_int_equal(k->type, REEL_TASK_COMPLEXITY);
    assert_int_equal(k->needs.slots, 1);
    assert_true(k->needs.memory_mib > 0 && k->attempts > 3);
    assert_int_equal(reel_complexity_parse(&t, k->payload, strlen(k->payload),
                                           NULL), REEL_OK);
    assert_int_equal(t.tries, 3);
    assert_int_equal(t.frames, 13);
    assert_int_equal(t.nsamples, 3);

    /* key frames, each 2 s, ahead of 10, 30 and 50 s; 25000 ticks a second */
    for (i = 0; i < t.nsamples; i++) {
        assert_int_equal(t.samples[i].seek_pts, t.samples[i].from_pts);
        assert_in_range(t.samples[i].from_pts - s.video.first_pts,
                        (20 * i + 8) * 25000, (20 * i + 10) * 25000);
    }

    assert_int_equal(t.trials.n, 5);
    assert_int_equal(t.trials.v[0].height, 720);
    assert_int_equal(t.trials.v[3].height, 240);
    assert_int_equal(t.trials.v[4].height, 240);
    assert_int_equal(t.trials.v[4].crf, 29);

    k = film_task(&p, REEL_TASK_LADDER);
    assert_non_null(k);
    assert_int_equal(k->type, REEL_TASK_PLAN);
    assert_int_equal(k->ndeps, 1);
    assert_int_equal(p.tasks[k->deps[0]].type, REEL_TASK_COMPLEXITY);
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* where a film is tried, in hundredths of a second of it; returns how many */
static uint32_t
samples_of(uint32_t at[REEL_COMPLEXITY_SAMPLES],
    uint32_t seek[REEL_COMPLEXITY_SAMPLES], uint32_t fps, uint32_t seconds,
    uint32_t key_every)
{
    uint32_t           i, n = 0, tick = fps * 10;
    reel_plan_t        p;
    reel_source_t      s;
    reel_pipeline_t    pl;
    reel_complexity_t  t;
    film_t             f = minute;

    f.num = fps;
    f.frames = (uint64_t) seconds * fps;
    f.key_every = key_every;
    f.audio_len = seconds;
    film_make(&s, &f);
    titled(&pl);
    assert_int_equal(reel_plan_begin(&p, &pl, &s, 0, NULL), REEL_OK);

    if (film_task(&p, "complexity") != NULL) {
        assert_int_equal(reel_complexity_parse(&t, p.tasks[0].payload,
                             strlen(p.tasks[0].payload), NULL), REEL_OK);
        n = t.nsamples;
    } else {
        assert_string_equal(p.ladder, "as it is written, nothing was "
                            "measured");
    }

    for (i = 0; i < n; i++) {
        at[i] = (uint32_t) (t.samples[i].from_pts - s.video.first_pts) / tick;
        seek[i] = (uint32_t) (t.samples[i].seek_pts - s.video.first_pts)
                  / tick;
    }

    reel_plan_release(&p);
    reel_source_release(&s);

    return n;
}


/* a black opening is one piece of a film at most, and its first picture none */
static void
few_key_frames(void **state)
{
    size_t   i;
    uint32_t k, n, at[REEL_COMPLEXITY_SAMPLES], seek[REEL_COMPLEXITY_SAMPLES];

    static const struct {
        uint32_t fps, seconds, key_every;
        uint32_t n, at[3], seek[3];
    } rows[] = {
        /* one GOP: decoded to */
        { 25, 10, 0, 2, { 249, 747 }, { 0, 0 } },
        { 25, 30, 0, 2, { 749, 2247 }, { 0, 0 } },
        /* … but not for ever: 600 pictures */
        { 25, 60, 0, 2, { 999, 2400 }, { 0, 0 } },
        /* a GOP of 10 s */
        { 25, 24, 250, 2, { 599, 1797 }, { 0, 1000 } },
        { 25, 40, 250, 2, { 999, 2000 }, { 0, 2000 } },
        { 25, 60, 250, 3, { 999, 2000, 4000 }, { 0, 2000, 4000 } },
        /* a key frame in the same stretch is near enough */
        { 25, 30, 400, 2, { 749, 1600 }, { 0, 1600 } },
        { 25, 30, 500, 2, { 749, 2000 }, { 0, 2000 } },
        /* one piece is none: out of reach, a picture alone */
        { 60, 60, 0, 0, { 0 }, { 0 } },
        { 1, 1, 0, 0, { 0 }, { 0 } },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        n = samples_of(at, seek, rows[i].fps, rows[i].seconds,
                       rows[i].key_every);
        assert_int_equal(n, rows[i].n);

        for (k = 0; k < n; k++) {
            assert_in_range(at[k], rows[i].at[k], rows[i].at[k] + 1);
            assert_int_equal(seek[k], rows[i].seek[k]);
        }
    }
}


static void
nothing_to_try(void **state)
{
    int              i;
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;

    (void) state;

    for (i = 0; i < 3; i++) {
        film_make(&s, &minute);
        titled(&pl);

        if (i == 0) {
            pl.title_ssim = 0;
        } else if (i == 1) {
            pl.nodes[REEL_TASK_COMPLEXITY].off = true;
        } else {
            s.trials.n = 1;
        }

        assert_int_equal(reel_plan_begin(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_null(film_task(&p, "complexity"));
        assert_non_null(film_task(&p, "v0.0"));

        /* without an answer the ladder is the written one, and that is said */
        assert_string_equal(p.ladder, i == 0 ? "" : "as it is written, "
                            "nothing was measured");
        assert_int_equal(p.nrungs, 4);
        assert_int_equal(p.rungs[0].crf, 23);
        assert_int_equal(p.rungs[0].max_kbps, 4500);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


static uint32_t
choose(reel_video_rung_t rungs[REEL_TASK_RUNGS], const uint32_t kbps[4],
    const uint32_t loss[4], const uint32_t soft[3],
    char told[REEL_PLAN_LADDER])
{
    uint32_t        n;
    reel_source_t   s = { .video.rate = { 25, 1 } };
    reel_pipeline_t pl;

    titled(&pl);
    set_trials(&s.trials, kbps, loss, soft);
    n = reel_plan_rungs(rungs, &pl, REEL_VIDEO_H264, 1280, 720, &s);
    assert_int_equal(n, 4);

    return reel_plan_title(rungs, n, &pl, &s, told);
}

static const uint32_t sharp[3] = { 50000, 50000, 50000 };
static const uint32_t usual[4] = { 3000, 1400, 800, 400 };


static void
quality_is_enough(void **state)
{
    uint32_t           n;
    char               told[REEL_PLAN_LADDER];
    reel_video_rung_t  r[REEL_TASK_RUNGS];
    /* too good by far, by half, just enough, not good enough */
    static const uint32_t loss[4] = { 5000, 15000, 20000, 60000 };

    (void) state;
    n = choose(r, usual, loss, sharp, told);
    assert_int_equal(n, 4);
    assert_int_equal(r[0].crf, 29);
    assert_int_equal(r[1].crf, 25);
    assert_int_equal(r[2].crf, 23);
    assert_int_equal(r[3].crf, 23);         /* never better than written */

    /* twice what it takes, where that is less than the written bound */
    assert_int_equal(r[0].max_kbps, 3000);
    assert_int_equal(r[0].buf_kbits, 4500);
    assert_int_equal(r[1].max_kbps, 2000);
    assert_int_equal(r[2].max_kbps, 1100);
    assert_int_equal(r[3].max_kbps, 500);
    assert_non_null(strstr(told, "v720 crf 29, 3000 kbit/s at most; v480"));
}


static void
rungs_that_add_nothing(void **state)
{
    uint32_t           n;
    char               told[REEL_PLAN_LADDER];
    reel_video_rung_t  r[REEL_TASK_RUNGS];
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };
    static const uint32_t blurred[3] = { 1000, 2000, 2001 };
    static const uint32_t close[4] = { 1000, 800, 799, 700 };
    static const uint32_t quiet[4] = { 20, 16, 15, 14 };

    (void) state;

    /* 720 and 480 show what 360 does; 360 shows a little more than 240 */
    n = choose(r, usual, loss, blurred, told);
    assert_int_equal(n, 2);
    assert_string_equal(r[0].name, "v360");
    assert_string_equal(r[1].name, "v240");
    assert_non_null(strstr(told, "no v720, it shows no more than v480; no "
                                 "v480, it shows no more than v360"));

    /* 80 % of the next larger one that is there, and the smallest stays */
    n = choose(r, close, loss, sharp, told);
    assert_int_equal(n, 3);
    assert_string_equal(r[1].name, "v360");
    assert_string_equal(r[2].name, "v240");
    assert_non_null(strstr(told, "no v480, it is hardly smaller than v720"));

    n = choose(r, quiet, loss, sharp, told);
    assert_int_equal(n, 3);
    assert_int_equal(r[0].max_kbps, 100);
    assert_int_equal(r[0].buf_kbits, 150);
}


/* what becomes the largest one shows all of the film's pictures */
static void
rate_of_the_largest(void **state)
{
    size_t           i;
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;
    film_t           f = minute;
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };
    static const uint32_t blurred[3] = { 1000, 1000, 50000 };

    static const struct {
        uint32_t  max_fps, every, max_kbps;
    } rows[] = {
        { 0, 1, 1100 },         /* bounds are of all pictures */
        { 30, 2, 1066 },        /* it is said */
    };

    (void) state;
    f.num = 50;
    film_make(&s, &f);
    set_trials(&s.trials, usual, loss, blurred);

    for (i = 0; i < COUNT(rows); i++) {
        titled(&pl);
        pl.rungs[3].max_fps = rows[i].max_fps;
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_int_equal(p.nrungs, 2);
        assert_string_equal(p.rungs[0].name, "v360");
        assert_int_equal(p.rungs[0].every, rows[i].every);
        assert_int_equal(p.rungs[0].max_kbps, rows[i].max_kbps);
        assert_int_equal(p.rungs[1].every, 2);
        reel_plan_release(&p);
    }

    reel_source_release(&s);
}


/* 720 looks like 480, which a condition leaves out, not like 360 */
static void
next_one_is_left_out(void **state)
{
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };
    static const uint32_t blurred[3] = { 1000, 50000, 50000 };

    (void) state;
    film_make(&s, &minute);
    titled(&pl);
    set_trials(&s.trials, usual, loss, blurred);
    set_when(pl.rungs[2].when, "duration < 30");
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.nrungs, 3);
    assert_string_equal(p.rungs[0].name, "v720");
    assert_string_equal(p.rungs[1].name, "v360");
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* a buffer in proportion is no less than the file may say */
static void
least_buffer(void **state)
{
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };
    static const uint32_t quiet[4] = { 20, 12, 8, 4 };

    (void) state;
    film_make(&s, &minute);
    titled(&pl);
    set_trials(&s.trials, quiet, loss, sharp);
    pl.rungs[1].buf_kbits = REEL_RUNG_BUF_LEAST;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.rungs[0].max_kbps, 100);
    assert_int_equal(p.rungs[0].buf_kbits, REEL_RUNG_BUF_LEAST);
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* pieces that were black everywhere say nothing of a film */
static void
black_pieces(void **state)
{
    uint32_t           n;
    char               told[REEL_PLAN_LADDER];
    reel_video_rung_t  r[REEL_TASK_RUNGS];
    static const uint32_t black[4] = { 3, 2, 1, 0 };
    static const uint32_t flat[4] = { 3, 2, 1, 900 };
    static const uint32_t kbps[4] = { 3, 2, 1, 1 };

    (void) state;
    n = choose(r, kbps, black, sharp, told);
    assert_int_equal(n, 4);
    assert_int_equal(r[0].crf, 23);
    assert_int_equal(r[0].max_kbps, 4500);
    assert_string_equal(told, "as it is written, nothing was measured");

    n = choose(r, kbps, flat, sharp, told);
    assert_int_equal(r[0].crf, 29);
}


/* trials of a pipeline that was another are not taken for this one's */
static void
trials_of_another_ladder(void **state)
{
    uint32_t           i, n;
    char               told[REEL_PLAN_LADDER];
    reel_source_t      s = { .video.rate = { 25, 1 } };
    reel_pipeline_t    pl;
    reel_video_rung_t  r[REEL_TASK_RUNGS];
    static const uint32_t loss[4] = { 1000, 1000, 1000, 1000 };

    (void) state;
    titled(&pl);
    set_trials(&s.trials, usual, loss, sharp);

    for (i = 0; i < 5; i++) {
        pl.rungs[i].crf = 21;
    }

    n = reel_plan_rungs(r, &pl, REEL_VIDEO_H264, 1280, 720, &s);
    assert_int_equal(reel_plan_title(r, n, &pl, &s, told), n);
    assert_int_equal(r[0].crf, 21);
    assert_string_equal(told, "");
}


static void
told_by_a_condition(void **state)
{
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };

    (void) state;
    film_make(&s, &minute);
    titled(&pl);
    set_trials(&s.trials, usual, loss, sharp);

    /* 3000 kbit/s of 1280x720x25: 130.2 thousandths of a bit a pixel */
    set_when(pl.rungs[1].when, "complexity > 130.3");
    set_when(pl.rungs[2].when, "complexity > 130.1");
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.nrungs, 3);
    assert_string_equal(p.rungs[0].name, "v480");
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* what trials decide does not keep a film from being tried */
static void
tried_before_it_is_judged(void **state)
{
    size_t           i;
    uint32_t         k;
    reel_plan_t      p;
    reel_error_t     e;
    reel_source_t    s;
    reel_pipeline_t  pl;
    static const uint32_t loss[4] = { 20000, 20000, 20000, 20000 };
    /* of the renditions, of the task; 130.2 is found */
    static const struct {
        const char  *rung, *task;
        bool         tried;
        reel_err_t   then;
    } rows[] = {
        { "complexity > 130.1", "", true, REEL_OK },
        { "complexity > 130.3", "", true, REEL_INVAL },
        { "", "complexity > 130.1 and height > 100", true, REEL_OK },
        { "", "height > 1000", false, REEL_OK },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        film_make(&s, &minute);
        titled(&pl);
        set_when(pl.nodes[REEL_TASK_ENCODE_VIDEO].when, rows[i].task);
        for (k = 0; k < pl.nrungs; k++) {
            set_when(pl.rungs[k].when, rows[i].rung);
        }

        assert_int_equal(reel_plan_begin(&p, &pl, &s, 0, &e), REEL_OK);
        assert_int_equal(film_task(&p, "complexity") != NULL, rows[i].tried);
        reel_plan_release(&p);

        set_trials(&s.trials, usual, loss, sharp);
        assert_int_equal(reel_plan(&p, &pl, &s, 0, &e), rows[i].then);
        assert_int_equal(p.nrungs, rows[i].tried && rows[i].then == REEL_OK
                                   ? 4 : 0);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


static void
written_and_read(void **state)
{
    reel_buf_t         b;
    reel_complexity_t  t = { .stream = 1, .tb = { 1, 90000 },
                             .rate = { 30000, 1001 }, .rotation = 90,
                             .vflip = true, .combed = REEL_COMBED_TOP,
                             .interlaced = true, .tries = 2, .frames = 30,
                             .nsamples = 2,
                             .samples = { { -5, 7 }, { 90, 90 } },
                             .trials = { .n = 2, .v = {
                                 { 640, 360, 23, 7, 8, 9 },
                                 { 640, 360, 29, 4, 5, 6 } } } }, u;
    reel_trials_t      v;
    static const char *const wrong[] = {
        "{\"trials\":[640,360,23,7,8]}",
        "{\"trials\":[640,360,23,7,8,1000001]}",
        "{\"trials\":[]}",
        "{\"trials\":7}",
    };

    (void) state;
    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_complexity_print(&b, &t), REEL_OK);
    assert_int_equal(reel_complexity_parse(&u, (char *) b.data, b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&u, &t, sizeof(t));
    reel_buf_release(&b);

    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(reel_trials_parse(&v, wrong[i], strlen(wrong[i]),
                                           NULL), REEL_BADDATA);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_trials),
        cmocka_unit_test(few_key_frames),
        cmocka_unit_test(nothing_to_try),
        cmocka_unit_test(quality_is_enough),
        cmocka_unit_test(rungs_that_add_nothing),
        cmocka_unit_test(rate_of_the_largest),
        cmocka_unit_test(next_one_is_left_out),
        cmocka_unit_test(least_buffer),
        cmocka_unit_test(black_pieces),
        cmocka_unit_test(trials_of_another_ladder),
        cmocka_unit_test(told_by_a_condition),
        cmocka_unit_test(tried_before_it_is_judged),
        cmocka_unit_test(written_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

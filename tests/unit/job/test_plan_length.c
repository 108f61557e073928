/*
 * No task of a film is much longer than one of its chunks, however long the
 * film is: what waits for a core waits for no more than that.
 */

#include "tests/unit/job/film.h"

#include <stdlib.h>
#include <string.h>

/* CPU milliseconds that are no wait, whatever a chunk costs */
#define LITTLE  3000
#define MOST    3               /* chunks: what a clip may wait */


static const film_t hour = { 25, 1, 90000, 50, 1920, 1080, 0, 0, 3600, 0 };
static const film_t day = { 25, 1, 1080000, 50, 1920, 1080, 0, 0, 43200, 0 };
static const film_t large = { 25, 1, 180000, 50, 3840, 2160, 0, 0, 7200, 0 };
static const film_t small = { 25, 1, 90000, 50, 426, 240, 0, 0, 3600, 0 };
static const film_t sparse = { 25, 1, 180000, 500, 1920, 1080, 0, 0, 7200,
                               0 };
static const film_t radio = { 0, 1, 0, 0, 0, 0, 0, 0, 43200, 0 };


static int
by_size(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *) x, b = *(const uint32_t *) y;

    return (a > b) - (a < b);
}


/* of what is encoded; without pictures nothing */
static uint32_t
median(const reel_plan_t *p)
{
    size_t   i, n = 0;
    uint32_t cost, *all = calloc(p->ntasks, sizeof(*all));

    assert_non_null(all);

    for (i = 0; i < p->ntasks; i++) {
        if (p->tasks[i].type == REEL_TASK_ENCODE_VIDEO) {
            all[n++] = p->tasks[i].cost;
        }
    }

    qsort(all, n, sizeof(*all), by_size);
    cost = n == 0 ? 0 : all[n / 2];
    free(all);

    return cost;
}


static void
check_length(const reel_plan_t *p, uint32_t least)
{
    size_t   i;
    uint32_t most = MOST * median(p);

    most = most > least ? most : least;

    for (i = 0; i < p->ntasks; i++) {
        if (p->tasks[i].cost > most
            && p->tasks[i].type != REEL_TASK_PUBLISH)
        {
            fail_msg("%s costs %u ms, chunks %u", p->tasks[i].name,
                     p->tasks[i].cost, median(p));
        }
    }
}


/* the stretches of each sound follow one another, objects are whole */
static void
check_stretches(const reel_plan_t *p)
{
    size_t              i, k;
    uint32_t            next[REEL_TASK_SOUNDS] = { 0 }, n = 0;
    char                names[REEL_TASK_SOUNDS][33];
    reel_encode_audio_t t;

    for (i = 0; i < p->ntasks; i++) {
        if (p->tasks[i].type != REEL_TASK_ENCODE_AUDIO) {
            continue;
        }

        assert_int_equal(reel_encode_audio_parse(&t, p->tasks[i].payload,
                             strlen(p->tasks[i].payload), NULL), REEL_OK);

        for (k = 0; k < n && strcmp(names[k], t.name) != 0; k++) {
            /* void */
        }

        if (k == n) {
            assert_true(n < REEL_TASK_SOUNDS);
            memcpy(names[n++], t.name, sizeof(t.name));
        }

        assert_int_equal(t.frag_from, next[k]);
        assert_true(t.frag_to > t.frag_from);
        assert_true(t.frag_from == 0 || t.frag_to == p->grid.fragments
                    || (t.frag_to - t.frag_from) % t.object_frags == 0);
        next[k] = t.frag_to;
    }

    assert_true(n > 0);

    for (k = 0; k < n; k++) {
        assert_int_equal(next[k], p->grid.fragments);
    }
}


static void
one(reel_pipeline_t *pl, const film_t *f, const char *format, uint32_t least)
{
    reel_plan_t   p;
    reel_source_t s;

    film_make(&s, f);
    memset(s.format, 0, sizeof(s.format));
    memcpy(s.format, format, strlen(format));
    s.bytes = 5000000000;
    assert_int_equal(reel_plan(&p, pl, &s, 0, NULL), REEL_OK);

    check_length(&p, least);
    check_stretches(&p);

    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
low(reel_pipeline_t *pl, const char *preset)
{
    reel_pipeline_default(pl);
    memcpy(pl->preset, preset, strlen(preset) + 1);
    pl->rungs[0] = pl->rungs[pl->nrungs - 1];
    pl->nrungs = 1;
}


static void
no_task_is_long(void **state)
{
    reel_pipeline_t pl;

    (void) state;

    reel_pipeline_default(&pl);
    one(&pl, &hour, "mov,mp4,m4a,3gp,3g2,mj2", LITTLE);
    one(&pl, &day, "matroska,webm", LITTLE);
    one(&pl, &large, "matroska,webm", LITTLE);
    one(&pl, &small, "matroska,webm", LITTLE);
    one(&pl, &sparse, "matroska,webm", LITTLE);
    one(&pl, &hour, "mpegts", LITTLE);

    /* who measures goes through all of a sound, in a tenth of its encode's
       time */
    pl.audio_lufs = -16;
    one(&pl, &hour, "mov,mp4,m4a,3gp,3g2,mj2", LITTLE);
    one(&pl, &large, "matroska,webm", LITTLE);
    one(&pl, &small, "matroska,webm", 8000);
    pl.audio_lufs = 0;

    low(&pl, "veryfast");
    one(&pl, &day, "matroska,webm", LITTLE);
    one(&pl, &large, "matroska,webm", LITTLE);
    one(&pl, &small, "matroska,webm", LITTLE);

    /* sound alone */
    one(&pl, &radio, "mp3", 10000);
}


static uint32_t
cost_ms(const char *task, const film_t *f, const char *format, uint64_t bytes)
{
    uint32_t        ms;
    reel_plan_t     p;
    reel_source_t   s;
    reel_pipeline_t pl;

    reel_pipeline_default(&pl);
    film_make(&s, f);
    memset(s.format, 0, sizeof(s.format));
    memcpy(s.format, format, strlen(format));
    s.bytes = bytes;
    s.ntexts = 1;
    s.texts[0] = (reel_source_text_t) { .stream = 2, .tb = { 1, 1000 } };

    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_non_null(film_task(&p, task));
    ms = film_task(&p, task)->cost;
    reel_plan_release(&p);
    reel_source_release(&s);

    return ms;
}


/* a small source's pictures are made all the same; within a third of what
   was measured (the commit has the table) */
static void
storyboards_cost(void **state)
{
    size_t    i;
    uint32_t  ms;

    static const struct {
        film_t    film;
        uint32_t  measured_ms;
    } rows[] = {
        { { 25, 1, 3000, 50, 320, 180 }, 130 },
        { { 25, 1, 15000, 50, 640, 360 }, 1180 },
        { { 25, 1, 90000, 50, 640, 360 }, 3650 },
        { { 25, 1, 15000, 50, 1280, 720 }, 2330 },
        { { 25, 1, 15000, 50, 1920, 1080 }, 4400 },
        { { 25, 1, 3000, 50, 3840, 2160 }, 3360 },
        /* a key frame in 20 s: all is decoded */
        { { 25, 1, 750, 500, 320, 180 }, 190 },
        { { 25, 1, 750, 500, 640, 360 }, 490 },
        { { 25, 1, 750, 500, 1280, 720 }, 1450 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        ms = cost_ms("storyboard", &rows[i].film, "mov,mp4", 1);

        if (ms < rows[i].measured_ms * 2 / 3
            || ms > rows[i].measured_ms * 4 / 3)
        {
            fail_msg("row %zu: %u ms, measured %u", i, ms,
                     rows[i].measured_ms);
        }
    }

}


/* by an index only what is wanted is read, of others all */
static void
reading_costs(void **state)
{
    size_t      i;
    uint32_t    ms;

    static const char *const names[] = { "storyboard", "t0" };

    (void) state;

    for (i = 0; i < COUNT(names); i++) {
        ms = cost_ms(names[i], &hour, "mov,mp4", 1);
        assert_int_equal(cost_ms(names[i], &hour, "mov,mp4", 5000000000), ms);
        assert_int_equal(cost_ms(names[i], &hour, "matroska,webm",
                                 5000000000), ms + 1000);
    }
}


/* what is read from its beginning to each stretch is not read for ever */
static void
few_where_all_is_read(void **state)
{
    reel_plan_t     p;
    reel_source_t   s;
    reel_pipeline_t pl;

    (void) state;

    low(&pl, "veryfast");
    film_make(&s, &small);
    memcpy(s.format, "mpegts", 7);
    s.bytes = 50000000000;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);

    /* 100 s to read all, 94 s to encode it */
    assert_non_null(film_task(&p, "a1"));
    assert_null(film_task(&p, "a3"));
    reel_plan_release(&p);

    memcpy(s.format, "mov,mp4", 8);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_non_null(film_task(&p, "a30"));
    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
format_names(void **state)
{
    (void) state;

    assert_true(reel_format_seeks("mov,mp4,m4a,3gp,3g2,mj2"));
    assert_true(reel_format_seeks("matroska,webm"));
    assert_false(reel_format_seeks("mpegts"));
    assert_false(reel_format_seeks("movie,mo"));
    assert_false(reel_format_seeks(""));

    assert_true(reel_format_is_indexed("mov,mp4,m4a,3gp,3g2,mj2"));
    assert_false(reel_format_is_indexed("matroska,webm"));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_task_is_long),
        cmocka_unit_test(storyboards_cost),
        cmocka_unit_test(reading_costs),
        cmocka_unit_test(few_where_all_is_read),
        cmocka_unit_test(format_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

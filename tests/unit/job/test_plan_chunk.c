/* where films are cut */

#include "tests/unit/job/film.h"

#include <stdlib.h>

#include "lib/job/plan_part.h"

typedef struct {
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;
    reel_chunk_t   *c;
    size_t          n;
    int64_t         preroll;            /* of all chunks, ticks */
} cut_t;


static void
cut(cut_t *k, const film_t *f)
{
    size_t i;

    reel_pipeline_default(&k->pl);
    film_make(&k->s, f);
    assert_int_equal(reel_plan_timeline(&k->t, &k->pl, &k->s, NULL), REEL_OK);
    assert_int_equal(reel_plan_chunks(&k->c, &k->n, &k->pl, &k->s.video,
                                      &k->t), REEL_OK);
    assert_int_equal(k->c[0].from, 0);
    assert_int_equal(k->c[k->n - 1].to, k->t.grid.fragments);

    for (i = 0, k->preroll = 0; i < k->n; i++) {
        assert_true(k->c[i].from < k->c[i].to);
        assert_true(i == 0 || k->c[i].from == k->c[i - 1].to);
        k->preroll += k->c[i].preroll_ts;
    }
}


static void
uncut(cut_t *k)
{
    free(k->c);
    reel_source_release(&k->s);
}


static void
keys_on_the_grid_cost_nothing(void **state)
{
    cut_t  k;
    size_t i;

    (void) state;

    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 25 * 124,
                        .key_every = 50 });
    assert_int_equal(k.preroll, 0);
    assert_int_equal(k.n, 11);          /* 4 s, and ten times the target */
    assert_int_equal(k.c[0].to, 2);

    for (i = 1; i < k.n; i++) {
        assert_int_equal(k.c[i].to - k.c[i].from, 6);
        assert_int_equal(k.c[i].seek_pts, (int64_t) k.c[i].from * 50 * 1000);
    }

    uncut(&k);
}


/* x264's default: 250 frames, 10.4 s; snapped edges cost about 3 % */
static void
edges_follow_the_keys(void **state)
{
    cut_t  k;
    size_t i;

    (void) state;

    cut(&k, &(film_t) { .num = 24, .den = 1, .frames = 172800,
                        .key_every = 250 });
    assert_true(k.preroll * 100 < k.t.grid.end_ts * 4);

    for (i = 1; i < k.n; i++) {
        assert_in_range(k.c[i].to - k.c[i].from, 3, 15);
    }

    uncut(&k);
}


static void
irregular_keys(void **state)
{
    cut_t    k;
    size_t   i;
    int64_t  at = 0;
    uint32_t seed = 1;

    (void) state;

    reel_pipeline_default(&k.pl);
    film_make(&k.s, &(film_t) { .num = 25, .den = 1, .frames = 45000,
                                .key_every = 25 });

    /* 0.2 … 8.2 s apart, as scene cuts have them */
    for (i = 0; i < k.s.video.nkeyframes && at < 45000; i++) {
        k.s.video.keyframes[i] = at * 1000;
        seed = seed * 1664525 + 1013904223;
        at += 5 + (seed >> 8) % 200;
    }

    k.s.video.nkeyframes = i;
    assert_int_equal(reel_plan_timeline(&k.t, &k.pl, &k.s, NULL), REEL_OK);
    assert_int_equal(reel_plan_chunks(&k.c, &k.n, &k.pl, &k.s.video, &k.t),
                     REEL_OK);

    for (i = 1, k.preroll = 0; i < k.n; i++) {
        assert_in_range(k.c[i].to - k.c[i].from, 3, 15);
        assert_true(k.c[i].seek_pts
                    <= (int64_t) k.c[i].from * 50 * 1000);
        k.preroll += k.c[i].preroll_ts;
    }

    assert_true(k.preroll * 100 < k.t.grid.end_ts * 4);
    uncut(&k);
}


static void
few_keys_make_long_chunks(void **state)
{
    cut_t  k;
    size_t i;

    (void) state;

    /* a minute apart: half of the chunks start on one */
    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 25 * 3600,
                        .key_every = 1500 });
    assert_true(k.preroll <= k.t.video_end * 6 / 10);
    assert_true(k.n > 100);
    uncut(&k);

    /* ten minutes apart: no chunk starts elsewhere, but for chunk 1 */
    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 25 * 7200,
                        .key_every = 15000 });
    assert_int_equal(k.n, 13);

    for (i = 2; i < k.n; i++) {
        assert_int_equal(k.c[i].preroll_ts, 0);
        assert_int_equal(k.c[i].from, (i - 1) * 300);
    }

    uncut(&k);

    /* a single one: one chunk besides the first */
    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 25 * 7200 });
    assert_int_equal(k.n, 2);
    assert_int_equal(k.c[1].from, 2);
    assert_int_equal(k.c[1].seek_pts, 0);
    uncut(&k);
}


/* no list at all: decode from the first picture */
static void
no_keys(void **state)
{
    cut_t k;

    (void) state;

    reel_pipeline_default(&k.pl);
    film_make(&k.s, &(film_t) { .num = 25, .den = 1, .frames = 2500,
                                .video_start = 7 });
    k.s.video.nkeyframes = 0;
    assert_int_equal(reel_plan_timeline(&k.t, &k.pl, &k.s, NULL), REEL_OK);
    assert_int_equal(reel_plan_chunks(&k.c, &k.n, &k.pl, &k.s.video, &k.t),
                     REEL_OK);
    assert_int_equal(k.c[k.n - 1].seek_pts, k.s.video.first_pts);
    uncut(&k);
}


/* sound goes on for two hours behind ten seconds of video */
static void
held_picture_is_not_preroll(void **state)
{
    cut_t k;

    (void) state;

    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 250, .key_every = 50,
                        .audio_len = 7200 });
    assert_true(k.n > 100);
    assert_int_equal(k.c[k.n - 1].seek_pts, 200 * 1000);
    assert_int_equal(k.c[k.n - 1].preroll_ts, 50 * (int64_t) 512);
    uncut(&k);
}


static void
very_long_films_get_larger_chunks(void **state)
{
    cut_t k;

    (void) state;

    cut(&k, &(film_t) { .num = 25, .den = 1, .frames = 25LL * 20 * 86400,
                        .key_every = 250 });
    assert_in_range(k.n, 2000, 8192);
    uncut(&k);

    cut(&k, &(film_t) { .num = 50, .den = 1, .frames = 50LL * 25 * 3600,
                        .key_every = 25 });
    assert_in_range(k.n, 7000, 8192);
    assert_true(k.preroll * 100 < k.t.grid.end_ts);
    uncut(&k);
}


static void
rests(void **state)
{
    cut_t  k;
    size_t i;
    static const struct {
        uint32_t seconds, chunks;
    } rows[] = {
        /* a rest of 2 s joins the first chunk, one of 3 s does not */
        { 1, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 }, { 7, 2 }, { 8, 2 },
        { 10, 2 }, { 12, 2 }, { 16, 2 }, { 20, 2 }, { 22, 2 },
        /* two chunks of 10 s stray less from 12 s than one of 20 s */
        { 24, 3 },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cut(&k, &(film_t) { .num = 25, .den = 1,
                            .frames = 25 * rows[i].seconds,
                            .key_every = 50 });
        assert_int_equal(k.n, rows[i].chunks);
        uncut(&k);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_on_the_grid_cost_nothing),
        cmocka_unit_test(edges_follow_the_keys),
        cmocka_unit_test(irregular_keys),
        cmocka_unit_test(few_keys_make_long_chunks),
        cmocka_unit_test(no_keys),
        cmocka_unit_test(held_picture_is_not_preroll),
        cmocka_unit_test(very_long_films_get_larger_chunks),
        cmocka_unit_test(rests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

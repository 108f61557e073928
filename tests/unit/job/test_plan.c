/* the planner as a whole: what holds for every film */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/plan_part.h"

static const film_t films[] = {
    { .num = 24, .den = 1, .frames = 720, .key_every = 250, .audio_len = 30 },
    { .num = 25, .den = 1, .frames = 3000, .key_every = 50,
      .audio_len = 120 },
    { .num = 30000, .den = 1001, .frames = 150, .key_every = 30,
      .audio_len = 5.055, .width = 960, .height = 540 },
    { .num = 25, .den = 2, .frames = 377, .key_every = 12,
      .audio_len = 30.208, .width = 768, .height = 432 },
    { .num = 60, .den = 1, .frames = 3600, .key_every = 600 },
    { .num = 7, .den = 1, .frames = 700, .key_every = 40, .variable = 1,
      .width = 3026, .height = 1386, .audio_len = 99 },
    /* sound 2.8 s longer, video longer, a late video */
    { .num = 30, .den = 1, .frames = 10799, .key_every = 90,
      .audio_len = 362.8 },
    { .num = 30, .den = 1, .frames = 10883, .key_every = 300,
      .audio_len = 360 },
    { .num = 25, .den = 1, .frames = 750, .key_every = 250,
      .video_start = 10, .audio_len = 40 },
    { .audio_len = 3600 },
    { .audio_len = 0.5 },
    { .num = 30, .den = 1, .frames = 89, .key_every = 30, .width = 642,
      .height = 642 },
    { .num = 25, .den = 1, .frames = 1 },
    { .num = 25, .den = 1, .frames = 1, .audio_len = 7200 },
    /* two hours: a key frame every 5 s, 10.4 s, one in all, 40 s */
    { .num = 24, .den = 1, .frames = 172800, .key_every = 120,
      .audio_len = 7200 },
    { .num = 24, .den = 1, .frames = 172800, .key_every = 250,
      .audio_len = 7200 },
    { .num = 24, .den = 1, .frames = 172800, .audio_len = 7200 },
    { .num = 24000, .den = 1001, .frames = 172800, .key_every = 960,
      .audio_len = 7207.2 },
    { .num = 50, .den = 1, .frames = 25 * 3600 * 50, .key_every = 25,
      .audio_len = 25 * 3600 },
    /* around the sizes of the first chunk and of a rest */
    { .num = 25, .den = 1, .frames = 100, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 101, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 150, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 151, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 200, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 250, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 299, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 450, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 500, .key_every = 50 },
    { .num = 25, .den = 1, .frames = 800, .key_every = 50 },
};


static void
check_tasks(const reel_plan_t *p)
{
    size_t                i, j;
    const reel_planned_t *k;

    assert_true(p->ntasks >= 2);
    assert_string_equal(p->tasks[p->ntasks - 1].name, "publish");
    assert_int_equal(p->tasks[p->ntasks - 1].ndeps, p->ntasks - 1);

    for (i = 0; i < p->ntasks; i++) {
        k = &p->tasks[i];
        assert_in_range(strlen(k->payload), 2, REEL_PAYLOAD_MAX);
        assert_true(k->cost > 0 && k->attempts > 0 && k->timeout_s >= 60);
        assert_ptr_equal(film_task(p, k->name), k);     /* names are unique */
        assert_true((k->work_ms > 0) == (k->renditions[0] != '\0'));
        assert_int_equal(k->needs.slots,
                         k->type == REEL_TASK_ENCODE_VIDEO
                         || k->type == REEL_TASK_ENCODE_AUDIO
                         || k->type == REEL_TASK_STORYBOARD
                         || k->type == REEL_TASK_LOUDNESS
                         ? 1 : REEL_SLOTS_LIGHT);
        assert_true((k->needs.memory_mib > 0) == (k->needs.slots > 0));
        assert_int_equal(k->needs.priority, REEL_PRIORITY);

        for (j = 0; j < k->ndeps; j++) {
            assert_true(k->deps[j] < i);
        }

        /* names need quadratic time: a few thousand are enough */
        if (i > 500) {
            i += 97;
        }
    }
}


/* chunk after chunk: no gap, no overlap, sizes, key frames, all rungs */
static uint32_t
check_video(const reel_plan_t *p, const reel_source_t *s,
    const reel_timeline_t *tl, const reel_publish_t *pub)
{
    char                 name[REEL_TASK_NAME];
    double               secs;
    int64_t              at;
    uint32_t             c, g, groups, next = 0, rungs, all = 0;
    reel_encode_video_t  t;
    const reel_planned_t *k;

    for (c = 0; c < pub->chunks; c++) {
        groups = c == 0 ? pub->first_groups : pub->groups;
        rungs = 0;

        for (g = 0; g < groups; g++) {
            reel_task_name_video(name, c, g);
            k = film_task(p, name);
            assert_non_null(k);
            assert_int_equal(reel_encode_video_parse(&t, k->payload,
                                 strlen(k->payload), NULL), REEL_OK);
            assert_int_equal(t.chunk, c);
            assert_int_equal(t.frag_from, next);
            assert_memory_equal(&t.grid, &p->grid, sizeof(t.grid));
            assert_true(t.threads == 1);
            rungs += t.nrungs;

            /* the key frame shows at the chunk's start or before */
            at = (int64_t) t.frag_from * t.grid.gop_ts;
            assert_true(t.seek_pts == s->video.first_pts
                        || reel_timeline_place(tl, t.tb, t.seek_pts) <= at);
        }

        secs = (double) (t.frag_to - t.frag_from) * t.grid.gop_ts
               / t.grid.timescale;

        if (c == 0) {
            all = rungs;
            assert_true(pub->chunks == 1 || (secs > 3.9 && secs < 6.1));
        } else if (c + 1 < pub->chunks && s->video.nkeyframes > 1) {
            assert_true(secs > 5.9 && secs < 30.1);
        } else if (s->video.nkeyframes > 1) {
            assert_true(secs > 2.9 && secs < 30.1);
        }

        assert_int_equal(rungs, all);
        next = t.frag_to;

        /* long films: the rest is checked by test_plan_chunk */
        if (c == 300) {
            return p->grid.fragments;
        }
    }

    return next;
}


static uint32_t
check_audio(const reel_plan_t *p, const reel_publish_t *pub)
{
    char                  name[REEL_TASK_NAME];
    uint32_t              i, next = 0;
    reel_encode_audio_t   t;
    const reel_planned_t *k;

    for (i = 0; i < pub->audios; i++) {
        reel_task_name_audio(name, i, 0);
        k = film_task(p, name);
        assert_non_null(k);
        assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_string_equal(t.name, "a128");
        assert_string_equal(k->renditions, "a128");
        assert_int_equal(t.frag_from, next);
        assert_int_equal(t.object_frags % REEL_SEGMENT_FRAGMENTS, 0);
        assert_int_equal(t.channels, 2);
        next = t.frag_to;
    }

    return next;
}


static void
check_growing(const reel_plan_t *p, const reel_publish_t *final)
{
    reel_publish_t        t;
    reel_encode_video_t   v;
    const reel_planned_t *k = film_task(p, "publish0"), *d;

    if (final->chunks < 2) {
        assert_null(k);
        return;
    }

    assert_non_null(k);
    assert_int_equal(reel_publish_parse(&t, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_true(t.growing);
    assert_int_equal(t.chunks, 1);
    assert_int_equal(t.first_groups, 1);
    assert_int_equal(t.audios, final->audios > 0);
    assert_false(t.poster);

    d = &p->tasks[k->deps[0]];
    assert_string_equal(d->name, "v0.0");
    assert_int_equal(reel_encode_video_parse(&v, d->payload,
                         strlen(d->payload), NULL), REEL_OK);
    assert_int_equal(v.nrungs, 1);
    assert_int_equal(t.frag_to, v.frag_to);
    assert_int_equal(k->ndeps, final->audios > 0 ? 2 : 1);

    if (final->audios > 0) {
        assert_string_equal(p->tasks[k->deps[1]].name, "a0");
    }

    if (p->grid.frame_ts != 0) {
        assert_int_equal(t.frames, (uint64_t) t.frag_to * p->grid.gop_ts
                                   / p->grid.frame_ts);
    }
}


static void
check_storyboard(const reel_plan_t *p, const reel_publish_t *pub)
{
    reel_storyboard_t     t;
    const reel_planned_t *k = film_task(p, "storyboard");

    assert_int_equal(k != NULL, pub->storyboard);

    if (k == NULL) {
        return;
    }

    assert_int_equal(reel_storyboard_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_in_range(t.count, 1, REEL_STORY_PICTURES);

    /* the last instant lies within the film, the next one does not */
    assert_true((int64_t) (t.count - 1) * t.interval_ms * p->grid.timescale
                < p->grid.end_ts * 1000);
    assert_true((int64_t) t.count * t.interval_ms * p->grid.timescale
                >= p->grid.end_ts * 1000);
}


static void
every_film(void **state)
{
    size_t                i;
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_pipeline_t       pl;
    reel_timeline_t       tl;
    const reel_planned_t *k;

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < COUNT(films); i++) {
        film_make(&s, &films[i]);
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_int_equal(reel_plan_timeline(&tl, &pl, &s, NULL), REEL_OK);
        assert_memory_equal(&tl.grid, &p.grid, sizeof(tl.grid));
        check_tasks(&p);

        k = film_task(&p, "publish");
        assert_int_equal(reel_publish_parse(&pub, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_false(pub.growing);
        assert_int_equal(pub.frag_to, p.grid.fragments);
        assert_int_equal(pub.chunks > 0, films[i].num != 0);
        assert_int_equal(pub.audios > 0, films[i].audio_len > 0);
        assert_int_equal(pub.poster, films[i].num != 0);
        assert_int_equal(film_task(&p, "poster") != NULL, pub.poster);
        assert_int_equal(pub.storyboard, pub.poster);
        check_storyboard(&p, &pub);

        if (p.grid.frame_ts != 0) {
            assert_int_equal(pub.frames, p.grid.end_ts / p.grid.frame_ts);
        } else {
            assert_int_equal(pub.frames, 0);
        }

        if (pub.chunks > 0) {
            assert_int_equal(check_video(&p, &s, &tl, &pub),
                             p.grid.fragments);
        }

        if (pub.audios > 0) {
            assert_int_equal(check_audio(&p, &pub), p.grid.fragments);
        }

        check_growing(&p, &pub);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


static void
same_input_same_tasks(void **state)
{
    size_t          i;
    reel_plan_t     a, b;
    reel_source_t   s;
    reel_pipeline_t pl;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &films[15]);
    assert_int_equal(reel_plan(&a, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(reel_plan(&b, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(a.ntasks, b.ntasks);

    for (i = 0; i < a.ntasks; i++) {
        assert_string_equal(a.tasks[i].name, b.tasks[i].name);
        assert_string_equal(a.tasks[i].payload, b.tasks[i].payload);
        assert_int_equal(a.tasks[i].cost, b.tasks[i].cost);
    }

    reel_plan_release(&a);
    reel_plan_release(&b);
    reel_source_release(&s);
}


static void
order_is_urgency(void **state)
{
    size_t             i;
    reel_plan_t        p;
    reel_source_t      s;
    reel_pipeline_t    pl;
    static const char *const want[] = {
        "v0.0", "a0", "publish0", "poster", "v0.1", "v1.0", "a1",
        "storyboard", "v2.0"
    };

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &films[1]);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);

    for (i = 0; i < COUNT(want); i++) {
        assert_string_equal(p.tasks[i].name, want[i]);
    }

    assert_string_equal(p.tasks[0].renditions, "v240");
    assert_string_equal(p.tasks[4].renditions, "v1080,v720,v480,v360");
    assert_string_equal(p.tasks[5].renditions, "v1080,v720,v480,v360,v240");
    assert_int_equal(p.tasks[0].work_ms, 4000);

    reel_plan_release(&p);
    reel_source_release(&s);
}


/* steps follow the length and the key frames, sizes the source */
static void
storyboards(void **state)
{
    size_t                i;
    reel_plan_t           p;
    reel_source_t         s;
    reel_pipeline_t       pl;
    reel_storyboard_t     t;
    const reel_planned_t *k;

    static const struct {
        film_t    film;
        uint32_t  interval_ms, count;
        bool      exact;
    } rows[] = {
        /* a key frame every 2 s, or each picture one */
        { { 25, 1, 3000, 50 }, 2000, 60, false },
        { { 30000, 1001, 3600, 60 }, 2000, 61, false },
        { { 25, 1, 3000, 1 }, 2000, 60, false },
        /* every 10 s: a short film is decoded, a long one need not be */
        { { 25, 1, 1000, 250 }, 2000, 20, true },
        { { 25, 1, 3000, 250 }, 9000, 14, false },
        { { 30, 1, 3600, 250 }, 8000, 15, false },
        /* one in all, none of use */
        { { 25, 1, 25 * 600, 0 }, 2000, 300, true },
        /* long ones */
        { { 25, 1, 25 * 3600, 25 }, 4000, 900, false },
        { { 25, 1, 25 * 3600 * 25, 25 }, 91000, 990, false },
        { { 25, 1, 1, 1 }, 2000, 1, false },
    };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < COUNT(rows); i++) {
        film_make(&s, &rows[i].film);
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        k = film_task(&p, "storyboard");
        assert_non_null(k);
        assert_int_equal(reel_storyboard_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(t.interval_ms, rows[i].interval_ms);
        assert_int_equal(t.count, rows[i].count);
        assert_int_equal(t.exact, rows[i].exact);
        assert_int_equal(t.tries, 3);
        assert_true(k->attempts > t.tries);
        assert_int_equal(t.nsets, 3);
        assert_int_equal(t.sets[0].width, 320);
        assert_int_equal(t.sets[0].height, 180);
        assert_int_equal(t.sets[1].height, 360);
        assert_int_equal(t.sets[2].columns * t.sets[2].rows, 25);
        reel_plan_release(&p);
        reel_source_release(&s);
    }

    /* never scaled up, no set twice, and a tall one has small sheets */
    film_make(&s, &(film_t) { 25, 1, 250, 25, .width = 300,
                              .height = 16000 });
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    k = film_task(&p, "storyboard");
    assert_int_equal(reel_storyboard_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_int_equal(t.nsets, 2);
    assert_int_equal(t.sets[0].width, 300);
    assert_int_equal(t.sets[1].width, 160);
    assert_int_equal(t.sets[1].rows, 1);
    reel_plan_release(&p);

    pl.story_interval_s = 0;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_null(film_task(&p, "storyboard"));
    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
work_sums_to_the_film(void **state)
{
    size_t          i;
    uint64_t        video = 0, audio = 0;
    reel_plan_t     p;
    reel_source_t   s;
    reel_pipeline_t pl;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &films[1]);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);

    for (i = 0; i < p.ntasks; i++) {
        video += strstr(p.tasks[i].renditions, "v720") ? p.tasks[i].work_ms
                                                       : 0;
        audio += strstr(p.tasks[i].renditions, "a128") ? p.tasks[i].work_ms
                                                       : 0;
    }

    assert_int_equal(video, 120000);
    assert_int_equal(audio, 120000);
    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
costs_and_timeouts(void **state)
{
    reel_plan_t           p;
    reel_source_t         s;
    reel_pipeline_t       pl;
    const reel_planned_t *v0, *v1;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &films[1]);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    v0 = film_task(&p, "v0.0");
    v1 = film_task(&p, "v1.0");

    /* decoding 1080p and encoding 240p: 4 s of 25 frames */
    assert_int_equal(v0->cost, 100 * (1920 * 1080 * 6 / 1000
                                      + 426 * 240 * 30 / 1000) / 1000);
    assert_true(v1->cost > 5 * v0->cost);
    assert_int_equal(v0->timeout_s, 1800);
    assert_int_equal(v0->attempts, 3);
    assert_int_equal(film_task(&p, "publish")->timeout_s, 300);
    reel_plan_release(&p);

    /* a film that cannot be cut gets the time that it needs */
    reel_source_release(&s);
    film_make(&s, &films[16]);
    pl.nodes[REEL_TASK_ENCODE_VIDEO].timeout_s = 10;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    v1 = film_task(&p, "v1.0");
    assert_true(v1->timeout_s > 7200);
    assert_int_equal(v1->timeout_s, v1->cost / 100);
    assert_int_equal(v1->attempts, 3);
    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
poster(void **state)
{
    size_t          i;
    reel_plan_t     p;
    reel_poster_t   t;
    reel_source_t   s;
    reel_pipeline_t pl;
    static const struct {
        uint32_t w, h, width, height;
    } rows[] = {
        { 1920, 1080, 1280, 720 }, { 640, 360, 640, 360 },
        { 1080, 1920, 1080, 1920 }, { 161, 121, 160, 120 },
        { 3026, 1386, 1280, 586 }, { 1, 1, 2, 2 },
    };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < COUNT(rows); i++) {
        film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 1001,
                                  .width = rows[i].w, .height = rows[i].h,
                                  .video_start = 1 });
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_int_equal(reel_poster_parse(&t, film_task(&p, "poster")->payload,
                             strlen(film_task(&p, "poster")->payload), NULL),
                         REEL_OK);
        assert_int_equal(t.width, rows[i].width);
        assert_int_equal(t.height, rows[i].height);
        assert_int_equal(t.at_pts, 25000 + 100 * 1000);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


/* sound alone shows its cover, a film its own picture */
static void
cover(void **state)
{
    size_t                 i;
    reel_plan_t            p;
    reel_poster_t          t;
    reel_source_t          s;
    reel_publish_t         pub;
    reel_pipeline_t        pl;
    const reel_planned_t  *k;
    static const film_t    sound = { .audio_len = 5 };

    (void) state;

    reel_pipeline_default(&pl);

    for (i = 0; i < 2; i++) {
        film_make(&s, i == 0 ? &sound : &films[0]);
        s.cover = (reel_source_cover_t) { .stream = 9, .tb = { 1, 90000 },
                                          .width = 3001, .height = 3000 };
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);

        k = film_task(&p, "poster");
        assert_non_null(k);
        assert_int_equal(reel_poster_parse(&t, k->payload,
                                           strlen(k->payload), NULL),
                         REEL_OK);
        assert_int_equal(t.stream, i == 0 ? 9 : s.video.stream);
        if (i == 0) {
            assert_int_equal(t.width, 1280);
            assert_int_equal(t.height, 1280);
            assert_null(film_task(&p, "storyboard"));
        }

        k = film_task(&p, "publish");
        assert_int_equal(reel_publish_parse(&pub, k->payload,
                                            strlen(k->payload), NULL),
                         REEL_OK);
        assert_true(pub.poster);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


static void
duration_limit(void **state)
{
    reel_plan_t     p;
    reel_error_t    e;
    reel_source_t   s;
    reel_pipeline_t pl;

    (void) state;

    reel_pipeline_default(&pl);
    film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 1501 });

    assert_int_equal(reel_plan(&p, &pl, &s, 60, &e), REEL_OK);
    reel_plan_release(&p);
    assert_int_equal(reel_plan(&p, &pl, &s, 59, &e), REEL_LIMIT);
    assert_string_equal(e.text, "the film is 60 s long, allowed are 59 s");
    assert_int_equal(p.ntasks, 0);
    reel_source_release(&s);
}


/* four sounds; the second begins half a second early, the last ends 3 s late */
static void
make_languages(reel_source_t *s)
{
    size_t i;

    film_make(s, &(film_t) { .num = 24, .den = 1, .frames = 24 * 60,
                             .key_every = 24, .audio_len = 60 });
    s->audio.roles = REEL_ROLE_DEFAULT;
    s->nmore = 3;

    for (i = 0; i < s->nmore; i++) {
        s->more[i] = s->audio;
        s->more[i].stream = (int) i + 2;
        s->more[i].roles = 0;
        memcpy(s->more[i].language, "fr", 3);
    }

    s->more[0].tb = (reel_rational_t) { 1, 1000 };
    s->more[0].first_pts = -500;
    s->more[0].end_pts = 59000;
    memcpy(s->more[1].language, "en", 3);
    memcpy(s->more[1].label, "Talk", 5);
    s->more[1].roles = REEL_ROLE_COMMENTARY;
    s->more[2].roles = REEL_ROLE_DESCRIPTION;
    s->more[2].end_pts += 3 * 48000;
}


/* each sound in its own tasks and rendition, on one timeline */
static void
languages(void **state)
{
    size_t                i;
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_pipeline_t       pl;
    reel_encode_audio_t   t;
    const reel_planned_t *k;
    static const struct {
        const char *task, *name, *language, *label;
        uint32_t    roles;
        int64_t     origin;
    } want[] = {
        { "a0", "a128", "en", "", REEL_ROLE_DEFAULT, -24000 },
        { "a1", "a128", "en", "", REEL_ROLE_DEFAULT, -24000 },
        { "a0.1", "a128-fr", "fr", "", 0, -500 },
        { "a1.1", "a128-fr", "fr", "", 0, -500 },
        { "a0.2", "a128-en", "en", "Talk", REEL_ROLE_COMMENTARY, -24000 },
        { "a0.3", "a128-fr-2", "fr", "", REEL_ROLE_DESCRIPTION, -24000 },
        { "a1.3", "a128-fr-2", "fr", "", REEL_ROLE_DESCRIPTION, -24000 },
    };

    (void) state;

    make_languages(&s);
    s.more[0].ends = true;
    reel_pipeline_default(&pl);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    check_tasks(&p);
    assert_int_equal(p.grid.end_ts * 10 / p.grid.timescale, 635);

    for (i = 0; i < COUNT(want); i++) {
        k = film_task(&p, want[i].task);
        assert_non_null(k);
        assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_string_equal(k->renditions, want[i].name);
        assert_string_equal(t.name, want[i].name);
        assert_string_equal(t.language, want[i].language);
        assert_string_equal(t.label, want[i].label);
        assert_int_equal(t.roles, want[i].roles);
        assert_int_equal(t.origin, want[i].origin);
        assert_int_equal(t.ends, strcmp(t.name, "a128-fr") == 0);
    }

    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.audios, 2);
    assert_int_equal(pub.audio_tracks, 4);
    reel_plan_release(&p);

    /* the first one alone sets the timeline then */
    pl.audio_tracks = 1;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.grid.end_ts / p.grid.timescale, 60);
    assert_non_null(film_task(&p, "a0"));
    assert_null(film_task(&p, "a0.1"));
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* 5.1 beside stereo where the source has it, whatever that is encoded in */
static void
surround(void **state)
{
    size_t                i;
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_pipeline_t       pl;
    reel_encode_audio_t   t;
    const reel_planned_t *k;
    static const struct {
        const char *task, *name;
        int         stream;
        uint32_t    channels, kbps, rate;
    } want[] = {
        { "a0", "o128", 1, 2, 128, 48000 },
        { "a1.3", "o128-fr-2", 4, 2, 128, 48000 },
        { "a0.4", "a384-51", 1, 6, 384, 48000 },
        { "a1.5", "a384-51-fr", 2, 6, 384, 44100 },
    };

    (void) state;

    make_languages(&s);
    s.audio.channels = 6;
    s.more[0].channels = 8;
    s.more[0].sample_rate = 44100;
    s.more[1].channels = 5;
    reel_pipeline_default(&pl);
    pl.audio_codec = REEL_AUDIO_OPUS;
    pl.audio_surround = true;
    pl.audio_lufs = -16;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    check_tasks(&p);

    for (i = 0; i < COUNT(want); i++) {
        k = film_task(&p, want[i].task);
        assert_non_null(k);
        assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_string_equal(k->renditions, want[i].name);
        assert_int_equal(t.codec, want[i].name[0] == 'o' ? REEL_AUDIO_OPUS
                                                         : REEL_AUDIO_AAC);
        assert_int_equal(t.stream, want[i].stream);
        assert_int_equal(t.channels, want[i].channels);
        assert_int_equal(t.kbps, want[i].kbps);
        assert_int_equal(t.sample_rate, want[i].rate);
    }

    /* each is measured as it is encoded */
    assert_string_equal(t.measured, "loudness.5");
    k = film_task(&p, "loudness.5");
    assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_int_equal(t.channels, 6);

    /* and costs by its channels */
    assert_in_range(k->cost, 3 * film_task(&p, "loudness")->cost - 3,
                    3 * film_task(&p, "loudness")->cost + 3);
    assert_in_range(film_task(&p, "a0.4")->cost,
                    3 * film_task(&p, "a0")->cost - 3,
                    3 * film_task(&p, "a0")->cost + 3);

    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.audio_tracks, 6);
    reel_plan_release(&p);

    pl.audio_surround = false;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_null(film_task(&p, "a0.4"));
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* how loud each sound is, is known before any of it is encoded */
static void
loudness(void **state)
{
    reel_plan_t           p;
    reel_source_t         s;
    reel_pipeline_t       pl;
    reel_encode_audio_t   t;
    const reel_planned_t *k;

    (void) state;

    make_languages(&s);
    reel_pipeline_default(&pl);
    pl.audio_lufs = -16;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    check_tasks(&p);
    k = film_task(&p, "a1.3");
    assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_int_equal(t.lufs, -16);
    assert_string_equal(t.measured, "loudness.3");
    assert_int_equal(k->ndeps, 1);
    assert_string_equal(p.tasks[k->deps[0]].name, "loudness.3");
    assert_string_equal(p.tasks[film_task(&p, "a0")->deps[0]].name,
                        "loudness");

    k = film_task(&p, "loudness.3");
    assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_int_equal(t.frag_to, p.grid.fragments);
    assert_int_equal(t.stream, 4);
    assert_string_equal(k->renditions, "");
    reel_plan_release(&p);

    pl.nodes[REEL_TASK_LOUDNESS].off = true;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_null(film_task(&p, "loudness"));
    assert_int_equal(film_task(&p, "a0")->ndeps, 0);
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* of a clip each encode measures all of the sound, and is paid for it */
static void
short_loudness(void **state)
{
    size_t                i;
    uint32_t              as_it_is;
    reel_plan_t           p;
    reel_source_t         s;
    reel_pipeline_t       pl;
    reel_encode_audio_t   t;
    const reel_planned_t *k;

    static const struct {
        film_t  film;
        bool    itself;
    } rows[] = {
        { { 25, 1, 750, 50, .audio_len = 30 }, true },
        { { 25, 1, 751, 50, .audio_len = 30 }, false },
        { { .audio_len = 20, .den = 1 }, true },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        film_make(&s, &rows[i].film);
        reel_pipeline_default(&pl);
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        as_it_is = film_task(&p, "a0")->cost;
        reel_plan_release(&p);

        pl.audio_lufs = -16;
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        check_tasks(&p);
        k = film_task(&p, "a0");
        assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(t.lufs, -16);
        assert_string_equal(t.measured, rows[i].itself ? "" : "loudness");
        assert_int_equal(k->ndeps, rows[i].itself ? 0 : 1);
        assert_int_equal(film_task(&p, "loudness") == NULL, rows[i].itself);
        assert_int_equal(k->cost > as_it_is, rows[i].itself);
        reel_plan_release(&p);

        pl.nodes[REEL_TASK_LOUDNESS].off = true;
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        k = film_task(&p, "a0");
        assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(t.lufs, 0);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_film),
        cmocka_unit_test(same_input_same_tasks),
        cmocka_unit_test(order_is_urgency),
        cmocka_unit_test(storyboards),
        cmocka_unit_test(languages),
        cmocka_unit_test(surround),
        cmocka_unit_test(loudness),
        cmocka_unit_test(short_loudness),
        cmocka_unit_test(work_sums_to_the_film),
        cmocka_unit_test(costs_and_timeouts),
        cmocka_unit_test(poster),
        cmocka_unit_test(cover),
        cmocka_unit_test(duration_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

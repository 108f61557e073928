/* which sources are copied, on which grid, and what the others are told */

#include "tests/unit/job/film.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/plan_part.h"


/* 25 a second unless the row says otherwise, its packets fit to be copied */
static void
make(reel_source_t *s, const film_t *f, uint32_t gop)
{
    film_t film = *f;

    film.num = film.num ? film.num : 25;
    film.den = film.den ? film.den : 1;
    film_make(s, &film);
    s->video.copy = (reel_source_copy_t) { true, "", gop, 2, 3000 };
}


static void
grids(void **state)
{
    size_t          i;
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;

    static const struct {
        film_t   film;
        uint32_t gop, ms;               /* of the source, of the pipeline */
        uint32_t frames;                /* a fragment; 0: not copied */
        const char *why;
    } rows[] = {
        { { .frames = 1000 }, 50, 2000, 50, "" },
        { { .frames = 1000 }, 125, 2000, 125, "" },
        { { .frames = 1000 }, 150, 2000, 150, "" },
        { { .frames = 1000 }, 151, 2000, 0, "too far apart" },
        { { .frames = 1000 }, 1, 2000, 50, "" },
        { { .frames = 1000 }, 1, 500, 25, "" },
        { { .frames = 1000 }, 12, 2000, 48, "" },
        { { .frames = 1000 }, 12, 1000, 36, "" },
        { { .frames = 1000 }, 100, 10000, 100, "" },
        { { .num = 30000, .den = 1001, .frames = 1000 }, 15, 1000, 30, "" },
        { { .num = 60, .frames = 1000 }, 250, 2000, 250, "" },
        { { .num = 2, .frames = 100 }, 2, 1000, 0, "no grid" },
        /* a single GOP */
        { { .frames = 150 }, 0, 2000, 150, "" },
        { { .frames = 151 }, 0, 2000, 0, "no key frame" },
        /* sound: as long, a little longer, too long, a frame and more behind
           the last GOP, first */
        { { .frames = 120, .audio_len = 4.8 }, 50, 2000, 50, "" },
        { { .frames = 120, .audio_len = 5.7 }, 50, 2000, 50, "" },
        { { .frames = 120, .audio_len = 6.7 }, 50, 2000, 50, "" },
        { { .frames = 120, .audio_len = 6.81 }, 50, 2000, 0, "goes on" },
        { { .frames = 150, .audio_len = 6.005 }, 50, 2000, 50, "" },
        { { .frames = 150, .audio_len = 6.05 }, 50, 2000, 50, "" },
        { { .frames = 150, .audio_len = 7.9 }, 50, 2000, 50, "" },
        { { .frames = 150, .audio_len = 8.01 }, 50, 2000, 0, "goes on" },
        { { .frames = 150, .audio_len = 6.9 }, 25, 1000, 25, "" },
        { { .frames = 150, .audio_len = 7.01 }, 25, 1000, 0, "goes on" },
        { { .frames = 150, .audio_len = 7.9 }, 150, 2000, 150, "" },
        { { .frames = 150, .audio_len = 8.01 }, 150, 2000, 0, "goes on" },
        { { .frames = 150, .audio_len = 7.9 }, 0, 2000, 150, "" },
        { { .frames = 150, .audio_len = 4.1 }, 50, 2000, 50, "" },
        { { .frames = 120, .audio_len = 4, .video_start = 0.03 }, 50, 2000,
          50, "" },
        { { .frames = 120, .audio_len = 4, .video_start = 0.2 }, 50, 2000, 0,
          "begins before" },
        { { .frames = 120, .audio_len = 4, .audio_start = 1 }, 50, 2000, 50,
          "" },
        { { .frames = 120, .variable = 1 }, 50, 2000, 0, "not constant" },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 3000;

    for (i = 0; i < COUNT(rows); i++) {
        make(&s, &rows[i].film, rows[i].gop);
        pl.gop_ms = rows[i].ms;
        assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
        assert_int_equal(t.copy_gop, rows[i].frames);
        assert_non_null(strstr(t.encoded, rows[i].why));
        assert_int_equal(t.encoded[0] == '\0', rows[i].frames != 0);

        /* what is not copied has the pipeline's grid */
        if (rows[i].frames != 0) {
            assert_int_equal(t.grid.gop_ts,
                             rows[i].frames * t.grid.frame_ts);
        } else {
            assert_in_range((uint64_t) t.grid.gop_ts * 1000,
                            (uint64_t) t.grid.timescale * 999,
                            (uint64_t) t.grid.timescale * rows[i].ms);
        }

        reel_source_release(&s);
    }
}


static void
who_is_refused(void **state)
{
    reel_source_t   s;
    reel_pipeline_t pl;
    reel_timeline_t t;

    (void) state;

    /* nobody asked: nothing is said */
    reel_pipeline_default(&pl);
    make(&s, &(film_t) { .frames = 100 }, 50);
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_int_equal(t.copy_gop, 0);
    assert_string_equal(t.encoded, "");

    pl.copy_max_kbps = 2999;
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_non_null(strstr(t.encoded, "3000 kbit/s, more"));

    pl.copy_max_kbps = 3000;
    memcpy(pl.mark.image, "m.png", sizeof("m.png"));
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_non_null(strstr(t.encoded, "watermark"));

    /* AVC's task is left out, that of another codec is not */
    pl.mark.image[0] = '\0';
    reel_node_init(&pl.nodes[pl.nnodes], REEL_TASK_ENCODE_VIDEO, "light");
    pl.nodes[pl.nnodes++].codec = REEL_VIDEO_AV1;
    pl.nodes[REEL_TASK_ENCODE_VIDEO].off = true;
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_non_null(strstr(t.encoded, "no H.264"));
    pl.nodes[REEL_TASK_ENCODE_VIDEO].off = false;

    /* renditions of H.264 are SDR */
    s.video.light.range = REEL_RANGE_HLG;
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_int_equal(t.copy_gop, 0);
    assert_non_null(strstr(t.encoded, "high dynamic range"));
    s.video.light.range = REEL_RANGE_SDR;

    memcpy(s.video.copy.refused, "it is odd", sizeof("it is odd"));
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_string_equal(t.encoded, "it is odd");

    s.video.copy.known = false;
    assert_int_equal(reel_plan_timeline(&t, &pl, &s, NULL), REEL_OK);
    assert_non_null(strstr(t.encoded, "was inspected before"));
    reel_source_release(&s);
}


/* the plan, and its first task */
static void
tasks_of(reel_plan_t *p, reel_encode_video_t *v, const reel_pipeline_t *pl,
    const reel_source_t *s)
{
    const reel_planned_t *k;

    assert_int_equal(reel_plan(p, pl, s, 0, NULL), REEL_OK);
    k = film_task(p, "v0.0");
    assert_int_equal(reel_encode_video_parse(v, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
}


/* its name, and which light is kept; whoever did not ask for it has none */
static void
hevc(void **state)
{
    reel_plan_t         p;
    reel_source_t       s;
    reel_pipeline_t     pl;
    reel_encode_video_t v;

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 3000;
    make(&s, &(film_t) { .frames = 200, .width = 1280, .height = 720 }, 50);
    memcpy(s.video.codec, "hevc", sizeof("hevc"));

    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "encoded: copy_codecs has no hevc");
    assert_false(v.copy);
    reel_plan_release(&p);

    pl.copy_codecs |= 1u << REEL_VIDEO_HEVC;
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "copied");
    assert_true(v.copy && v.nrungs == 1 && !v.rungs[0].hdr);
    assert_int_equal(v.rungs[0].codec, REEL_VIDEO_HEVC);
    assert_string_equal(v.rungs[0].name, "h720");
    reel_plan_release(&p);

    /* what a reel of before said of it was true of that reel */
    memcpy(s.video.copy.refused, "it is not H.264",
           sizeof("it is not H.264"));
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "encoded: it was inspected before reel "
                                    "copied HEVC");
    s.video.copy.refused[0] = '\0';
    reel_plan_release(&p);

    /* mapped, unless it is to be kept */
    s.video.light.range = REEL_RANGE_PQ;
    s.video.light.told = (reel_hdr_t) { .light = true, .max_cll = 1000,
                                        .max_fall = 400 };
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "encoded: it is of high dynamic range, "
                                    "which is mapped");
    reel_plan_release(&p);

    pl.hdr = REEL_HDR_KEEP;
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "copied");
    assert_true(v.copy && v.rungs[0].hdr);
    assert_int_equal(v.light.range, REEL_RANGE_PQ);
    assert_int_equal(v.light.told.max_cll, 1000);
    reel_plan_release(&p);

    /* H.264 is not asked for, or HEVC has an encoder's task that is off */
    pl.copy_codecs = 1u << REEL_VIDEO_HEVC;
    memcpy(s.video.codec, "h264", sizeof("h264"));
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "encoded: copy_codecs has no h264");
    reel_plan_release(&p);

    memcpy(s.video.codec, "hevc", sizeof("hevc"));
    reel_node_init(&pl.nodes[pl.nnodes], REEL_TASK_ENCODE_VIDEO, "small");
    pl.nodes[pl.nnodes].codec = REEL_VIDEO_HEVC;
    pl.nodes[pl.nnodes++].off = true;
    tasks_of(&p, &v, &pl, &s);
    assert_string_equal(p.pictures, "encoded: no HEVC is made of it");
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* one rendition, light tasks, and as many pictures as the source has */
static void
tasks(void **state)
{
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_pipeline_t       pl;
    reel_encode_video_t   v;
    const reel_planned_t *k;

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 3000;
    make(&s, &(film_t) { .frames = 1020, .key_every = 100, .width = 1280,
                         .height = 720, .audio_len = 41.2 }, 100);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.pictures, "copied");

    k = film_task(&p, "v1.0");
    assert_int_equal(k->needs.slots, REEL_SLOTS_LIGHT);
    assert_string_equal(k->renditions, "v720");
    assert_int_equal(reel_encode_video_parse(&v, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_true(v.copy && v.delay == 2 && v.nrungs == 1);
    assert_int_equal(v.rungs[0].width, 1280);
    assert_int_equal(v.rungs[0].max_kbps, 3000);
    assert_int_equal(v.seek_pts, (int64_t) v.frag_from * 100 * 1000);
    assert_null(film_task(&p, "v0.1"));

    k = film_task(&p, "publish0");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.frames, 100 * pub.frag_to);
    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.frames, 1020);
    assert_int_equal(p.grid.end_ts, 1030 * p.grid.frame_ts);

    reel_plan_release(&p);
    reel_source_release(&s);
}


/*
 * Pictures of 20 GOPs of 2 s, and sound that goes on: what the last fragment
 * has then, and whether the film is published while it grows, as the target
 * of its playlist must stay.
 */
static void
tails(void **state)
{
    size_t               i;
    reel_plan_t          p;
    reel_source_t        s;
    reel_publish_t       pub;
    reel_pipeline_t      pl;
    reel_encode_video_t  v;
    reel_encode_audio_t  a;
    const reel_planned_t *k;

    static const struct {
        double   rest;
        uint32_t frames;                /* in the last fragment */
        bool     grows;
    } rows[] = {
        { -1.9, 50, true }, { 0, 50, true }, { 0.005, 50, true },
        { 0.041, 51, true }, { 0.3, 57, true }, { 0.43, 60, true },
        { 0.48, 62, false }, { 1.9, 97, false },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 3000;

    for (i = 0; i < 2 * COUNT(rows); i++) {
        pl.copy_as = i % 2 ? REEL_COPY_TOP : REEL_COPY_ONLY;
        make(&s, &(film_t) { .frames = 1000, .key_every = 50,
                             .audio_len = 40 + rows[i / 2].rest }, 50);
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_true(p.copied);
        assert_int_equal(p.grid.fragments, 20);
        assert_int_equal(p.grid.end_ts - 19 * (int64_t) p.grid.gop_ts,
                         rows[i / 2].frames * p.grid.frame_ts);

        k = film_task(&p, "publish0");
        assert_int_equal(k != NULL, rows[i / 2].grows);
        k = film_task(&p, "publish");
        assert_int_equal(reel_publish_parse(&pub, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(pub.frag_to, 20);
        assert_int_equal(i % 2 ? pub.copied_frames : pub.frames, 1000);
        assert_int_equal(pub.audios, rows[i / 2].grows ? 2 : 1);

        k = film_task(&p, rows[i / 2].grows ? "a1" : "a0");
        assert_int_equal(reel_encode_audio_parse(&a, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(a.frag_to, 20);
        k = film_task(&p, i % 2 ? "v1.1" : "v1.0");
        assert_int_equal(reel_encode_video_parse(&v, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_true(v.copy);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


/* "v720:3200 v480:2000": names and bounds of all but the copied one */
static void
say_rungs(char dst[256], const reel_plan_t *p)
{
    uint32_t i;

    dst[0] = '\0';

    for (i = 1; i < p->nrungs; i++) {
        (void) snprintf(dst + strlen(dst), 256 - strlen(dst), "%s%s:%u/%u",
                        i > 1 ? " " : "", p->rungs[i].name,
                        p->rungs[i].max_kbps, p->rungs[i].every);
    }
}


/* what stands below a copied rendition of that size, rate and grid */
static void
below(void **state)
{
    size_t          i;
    char            said[256];
    reel_plan_t     p;
    reel_source_t   s;
    reel_pipeline_t pl;

    static const struct {
        film_t      film;
        uint32_t    gop, kbps;          /* of the source */
        const char *rungs, *pictures, *told;
    } rows[] = {
        { { .frames = 500 }, 50, 16000,
          "v720:4500/1 v480:2000/1 v360:1100/1 v240:500/1",
          "copied as v1080, 4 more encoded", "" },
        /* bounds come down to 4/5 of the copied one's, and of each other */
        { { .frames = 500 }, 50, 4000,
          "v720:3200/1 v480:2000/1 v360:1100/1 v240:500/1",
          "copied as v1080, 4 more encoded", "v720 3200 kbit/s at most" },
        { { .frames = 500 }, 50, 2813,
          "v720:2250/1 v480:1800/1 v360:1100/1 v240:500/1",
          "copied as v1080, 4 more encoded",
          "v720 2250 kbit/s at most; v480 1800 kbit/s at most" },
        /* less than half of what it is to have: no such rung */
        { { .frames = 500 }, 50, 2800,
          "v480:2000/1 v360:1100/1 v240:500/1",
          "copied as v1080, 3 more encoded",
          "no v720, v1080 has 2800 kbit/s at most" },
        { { .frames = 500 }, 50, 300, "", "copied",
          "no v720, v1080 has 300 kbit/s at most; "
          "no v480, v1080 has 300 kbit/s at most; "
          "no v360, v1080 has 300 kbit/s at most; "
          "no v240, v1080 has 300 kbit/s at most" },
        /* a size of its own; one that is hardly smaller is left out */
        { { .frames = 500, .width = 1000, .height = 500 }, 50, 9000,
          "v360:1100/1 v240:500/1", "copied as v500, 2 more encoded", "" },
        { { .frames = 500, .width = 1280, .height = 600 }, 50, 9000,
          "v480:2000/1 v360:1100/1 v240:500/1",
          "copied as v600, 3 more encoded", "" },
        { { .frames = 500, .width = 426, .height = 240 }, 50, 9000, "",
          "copied", "" },
        /* every second picture, where a GOP has whole ones */
        { { .num = 50, .frames = 900, .width = 854, .height = 480 }, 100,
          9000, "v360:1100/2 v240:500/2", "copied as v480, 2 more encoded",
          "" },
        { { .num = 50, .frames = 900, .width = 640, .height = 360 }, 125,
          9000, "v240:500/1", "copied as v360, 1 more encoded", "" },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 16000;
    pl.copy_as = REEL_COPY_TOP;

    for (i = 0; i < COUNT(rows); i++) {
        make(&s, &rows[i].film, rows[i].gop);
        s.video.copy.kbps = rows[i].kbps;
        assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
        assert_true(p.copied);
        say_rungs(said, &p);
        assert_string_equal(said, rows[i].rungs);
        assert_string_equal(p.pictures, rows[i].pictures);
        assert_string_equal(p.ladder, rows[i].told);
        assert_int_equal(p.grid.gop_ts, rows[i].gop * p.grid.frame_ts);
        reel_plan_release(&p);
        reel_source_release(&s);
    }
}


/* a top has a ladder of its codec and its light, or is none */
static void
whose_top(void **state)
{
    char            said[256];
    reel_plan_t     p;
    reel_source_t   s;
    reel_pipeline_t pl;

    static const reel_rung_t hevc[] = {
        { REEL_VIDEO_HEVC, 720, 28, 1500, 2000, 0, REEL_HDR_UNSAID, "", "" },
        { REEL_VIDEO_HEVC, 360, 28, 500, 700, 0, REEL_HDR_UNSAID, "", "" },
        { REEL_VIDEO_AV1, 360, 40, 400, 600, 0, REEL_HDR_UNSAID, "", "" },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 16000;
    pl.copy_as = REEL_COPY_TOP;
    make(&s, &(film_t) { .frames = 400, .width = 1280, .height = 720 }, 50);

    /* other codecs have the ladder that is written, its own is below it */
    memcpy(&pl.rungs[pl.nrungs], hevc, sizeof(hevc));
    pl.nrungs += COUNT(hevc);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    say_rungs(said, &p);
    assert_string_equal(said, "av360:400/1 h720:1500/1 h360:500/1 "
                              "v480:2000/1 v360:1100/1 v240:500/1");
    assert_string_equal(p.pictures, "copied as v720, 6 more encoded");
    reel_plan_release(&p);

    pl.copy_codecs |= 1u << REEL_VIDEO_HEVC;
    memcpy(s.video.codec, "hevc", sizeof("hevc"));
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    say_rungs(said, &p);
    assert_string_equal(said, "av360:400/1 h360:500/1 v720:4500/1 "
                              "v480:2000/1 v360:1100/1 v240:500/1");
    assert_string_equal(p.rungs[0].name, "h720");
    reel_plan_release(&p);

    /* all of its ladder keep the light */
    s.video.light.range = REEL_RANGE_HLG;
    pl.hdr = REEL_HDR_KEEP;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_true(p.copied && p.rungs[0].hdr && p.rungs[2].hdr);
    assert_string_equal(p.rungs[2].name, "h360");
    reel_plan_release(&p);

    pl.rungs[pl.nrungs - 2].hdr = REEL_HDR_MAP;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.pictures, "encoded: it is of high dynamic range, "
                                    "which is mapped");
    reel_plan_release(&p);
    s.video.light.range = REEL_RANGE_SDR;

    /* none of its ladder is for this film */
    memcpy(pl.rungs[pl.nrungs - 2].when, "duration > 60", 14);
    memcpy(pl.rungs[pl.nrungs - 3].when, "duration > 60", 14);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.pictures, "encoded: no HEVC is made of it");
    assert_string_equal(p.rungs[0].name, "av360");
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* begins with the lowest rung; the copied one has its own tasks and number
   of pictures */
static void
tasks_on_top(void **state)
{
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_pipeline_t       pl;
    reel_encode_video_t   v;
    const reel_planned_t *k;

    static const struct {
        const char *task, *renditions;
        bool        copy;
    } rows[] = {
        { "v0.0", "v240", false }, { "v0.1", "v480,v360", false },
        { "v0.2", "v720", true }, { "v1.0", "v480,v360,v240", false },
        { "v1.1", "v720", true },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 16000;
    pl.copy_as = REEL_COPY_TOP;
    make(&s, &(film_t) { .frames = 1020, .key_every = 100, .width = 1280,
                         .height = 720, .audio_len = 41.2 }, 100);
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);

    for (size_t i = 0; i < COUNT(rows); i++) {
        k = film_task(&p, rows[i].task);
        assert_string_equal(k->renditions, rows[i].renditions);
        assert_int_equal(k->needs.slots,
                         rows[i].copy ? REEL_SLOTS_LIGHT : 1);
        assert_int_equal(reel_encode_video_parse(&v, k->payload,
                             strlen(k->payload), NULL), REEL_OK);
        assert_int_equal(v.copy, rows[i].copy);
        assert_int_equal(v.grid.gop_ts, 100 * v.grid.frame_ts);
        assert_int_equal(v.seek_pts, (int64_t) v.frag_from * 100 * 1000);
    }

    assert_null(film_task(&p, "v1.2"));

    k = film_task(&p, "publish0");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_string_equal(pub.copied, "");
    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload, strlen(k->payload),
                                        NULL), REEL_OK);
    assert_int_equal(pub.first_groups, 3);
    assert_int_equal(pub.groups, 2);
    assert_int_equal(pub.frames, 1030);
    assert_string_equal(pub.copied, "v720");
    assert_int_equal(pub.copied_frames, 1020);
    assert_string_equal(pub.pictures, "copied as v720, 3 more encoded");

    reel_plan_release(&p);
    reel_source_release(&s);
}


typedef struct {
    reel_source_units_t units;
    uint32_t    channels, rate;
    double      start;              /* of the pictures */
    const char *said;
} sound_row_t;


static void
check_copied(const reel_encode_audio_t *t, const sound_row_t *row)
{
    uint64_t  kbps;

    assert_int_equal(t->channels, row->channels);
    assert_int_equal(t->sample_rate, row->rate);
    assert_int_equal(reel_str_u64(reel_str(t->name + 1), UINT32_MAX, &kbps),
                     REEL_OK);
    assert_int_equal(kbps, row->units.kbps < 8 ? 8 : row->units.kbps);
}


static void
check_sound(const reel_pipeline_t *pl, const sound_row_t *row)
{
    reel_plan_t           p;
    reel_source_t         s;
    reel_publish_t        pub;
    reel_encode_audio_t   t;
    const reel_planned_t *k;

    make(&s, &(film_t) { .frames = 250, .audio_len = 10,
                         .video_start = row->start }, 50);
    s.audio.units = row->units;
    s.audio.channels = row->channels;
    s.audio.sample_rate = row->rate;
    assert_int_equal(reel_plan(&p, pl, &s, 0, NULL), REEL_OK);
    assert_memory_equal(p.sound, row->said, strlen(row->said));

    k = film_task(&p, "a0");
    assert_int_equal(reel_encode_audio_parse(&t, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_int_equal(t.copy, p.sound[0] == 'c');
    assert_int_equal(k->needs.slots, t.copy ? REEL_SLOTS_LIGHT : 1);
    if (t.copy) {
        check_copied(&t, row);
    }

    k = film_task(&p, "publish");
    assert_int_equal(reel_publish_parse(&pub, k->payload,
                         strlen(k->payload), NULL), REEL_OK);
    assert_string_equal(pub.sound, p.sound);
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* which sounds are copied, and what is said of them */
static void
sounds(void **state)
{
    size_t           i;
    reel_pipeline_t  pl;

    static const sound_row_t rows[] = {
        { { true, "", -1024, 128 }, 2, 48000, 0, "copied" },
        { { true, "", -2112, 128 }, 2, 48000, 0, "copied" },
        { { true, "", 1024 * 9 + 96, 192 }, 2, 48000, 0, "copied" },
        { { true, "", -2229, 3 }, 2, 22050, 0, "copied" },
        { { true, "", -1000 - 1024 * 9, 128 }, 2, 48000, 0, "copied" },
        { { true, "", 97, 128 }, 2, 48000, 0,
          "encoded: its units begin 97 samples off" },
        { { true, "", -1500, 128 }, 2, 48000, 0,
          "encoded: its units begin -476 samples off" },
        { { true, "", -1024, 193 }, 2, 48000, 0,
          "encoded: it has 193 kbit/s, more than audio.copy_max_kbps 192" },
        { { true, "", -1024, 128 }, 6, 48000, 0,
          "encoded: it has more channels" },
        { { true, "", -1024, 64 }, 1, 48000, 0, "copied" },
        { { true, "it is odd", 0, 0 }, 2, 48000, 0, "encoded: it is odd" },
        { { false, "", -1024, 128 }, 2, 48000, 0, "encoded: it was inspect" },
        /* a fraction of a frame is cut from the sound: 5 ms of it */
        { { true, "", -1024, 128 }, 2, 48000, 0.005, "encoded: its units" },
    };

    (void) state;

    reel_pipeline_default(&pl);
    pl.audio_copy_max_kbps = 192;

    for (i = 0; i < COUNT(rows); i++) {
        check_sound(&pl, &rows[i]);
    }
}


/* one of two; another loudness, another codec, no copies at all */
static void
sounds_as_told(void **state)
{
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;

    (void) state;

    reel_pipeline_default(&pl);
    pl.audio_copy_max_kbps = 192;

    make(&s, &(film_t) { .frames = 250, .audio_len = 10 }, 50);
    s.audio.units = (reel_source_units_t) { true, "", -1024, 128 };
    s.more[s.nmore++] = s.audio;
    s.more[0].units.first_pts = 97;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_non_null(strstr(p.sound, "copied, track 2 encoded: its units"));
    reel_plan_release(&p);

    pl.audio_lufs = -16;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.sound, "encoded: its loudness is to change");
    reel_plan_release(&p);

    pl.audio_codec = REEL_AUDIO_OPUS;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.sound, "encoded: Opus is made of it");
    reel_plan_release(&p);

    pl.audio_copy_max_kbps = 0;
    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_string_equal(p.sound, "");
    reel_plan_release(&p);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grids),
        cmocka_unit_test(who_is_refused),
        cmocka_unit_test(hevc),
        cmocka_unit_test(tasks),
        cmocka_unit_test(tails),
        cmocka_unit_test(below),
        cmocka_unit_test(whose_top),
        cmocka_unit_test(tasks_on_top),
        cmocka_unit_test(sounds),
        cmocka_unit_test(sounds_as_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/manifest/dash_attr.h"
#include "lib/manifest/manifest.h"
#include "tests/unit/golden.h"
#include "tests/unit/manifest/assets.h"

#define LARGE (4u << 20)


static void
mpd_of(const asset_t *a, const reel_manifest_opts_t *o, const char *golden)
{
    reel_buf_t  b;

    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_dash_mpd(&b, &a->ix, o), REEL_OK);
    golden_check(golden, b.data, b.len);
    reel_buf_release(&b);
}


static void
mpd(const asset_t *a, uint32_t per, const char *golden)
{
    reel_manifest_opts_t  o = { .per = per };

    mpd_of(a, &o, golden);
}


static void
goldens(void **state)
{
    asset_t  a;

    (void) state;

    asset_first(&a);
    mpd(&a, 3, "first.mpd");
    asset_release(&a);

    asset_film(&a);
    mpd(&a, 3, "film.mpd");
    asset_release(&a);

    asset_ntsc(&a);
    mpd(&a, 3, "ntsc.mpd");
    asset_release(&a);

    asset_silent(&a);
    mpd(&a, 3, "silent.mpd");
    asset_release(&a);

    asset_radio(&a);
    mpd(&a, 3, "radio.mpd");
    asset_release(&a);

    asset_opus(&a);
    mpd(&a, 3, "opus.mpd");
    asset_release(&a);

    asset_growing(&a);
    mpd(&a, 1, "growing.mpd");
    asset_release(&a);
}


static void
goldens_of_forms(void **state)
{
    asset_t               a;
    reel_manifest_opts_t  even = { .per = 3, .by_duration = true };
    reel_manifest_opts_t  clip = { .per = 3, .by_duration = true, .shape = {
        .start_us = 18000000, .end_us = 25000000 } };

    (void) state;

    asset_rich(&a);
    mpd(&a, 3, "rich.mpd");
    mpd_of(&a, &even, "even.mpd");
    mpd_of(&a, &clip, "clip.mpd");
    asset_release(&a);
}


/* the number of segments follows from the film's length, or is told */
static void
a_longer_last_segment(void **state)
{
    int                   i;
    asset_t               a;
    reel_buf_t            b;
    reel_manifest_opts_t  o = { .per = 3, .by_duration = true };

    (void) state;

    asset_rich(&a);
    a.ix.end_ts = (int64_t) reel_index_segments(&a.ix, 3) * 3 * a.ix.gop_ts;

    for (i = 0; i < 2; i++) {
        reel_buf_init(&b, LARGE);
        assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_OK);
        reel_buf_add(&b, "", 1);
        assert_int_equal(strstr((char *) b.data, "<SegmentTimeline>") != NULL,
                         i);
        reel_buf_release(&b);
        a.ix.end_ts++;
    }

    asset_release(&a);
}


static uint64_t
attribute(const char *element, const char *end, const char *name)
{
    const char  *p = strstr(element, name);

    return p == NULL || p > end ? 0 : strtoull(p + strlen(name), NULL, 10);
}


/* the S elements of a timeline are the segments of r, one by one */
static const char *
timeline(const asset_t *a, const reel_rendition_t *r, uint32_t per,
    const char *p)
{
    uint32_t          n = 0;
    uint64_t          d, repeat, i;
    const char       *end, *close;
    reel_segments_t   s;

    p = strstr(p, "<SegmentTimeline>");
    assert_non_null(p);
    close = strstr(p, "</SegmentTimeline>");
    assert_non_null(close);

    reel_segments_init(&s, &a->ix, r, per);

    while ((p = strstr(p, "<S ")) != NULL && p < close) {
        end = strstr(p, "/>");
        d = attribute(p, end, " d=\"");
        repeat = attribute(p, end, " r=\"");
        assert_int_equal(strncmp(p, "<S t=\"0\"", 8) == 0, n == 0);

        for (i = 0; i <= repeat; i++, n++) {
            assert_true(reel_segments_next(&s));
            assert_int_equal(s.duration, d);
        }

        p = end;
    }

    assert_int_equal(n, a->ix.growing ? a->ix.fragments / per
                                      : reel_index_segments(&a->ix, per));

    return close + 1;
}


static void
timelines(void **state)
{
    void (*const make[])(asset_t *) = {
        asset_film, asset_ntsc, asset_growing, asset_long
    };

    size_t                i;
    asset_t               a;
    uint32_t              per;
    const char           *p;
    reel_buf_t            b;
    reel_manifest_opts_t  o = { .per = 0 };

    (void) state;

    for (i = 0; i < sizeof(make) / sizeof(make[0]); i++) {
        make[i](&a);

        for (per = 1; per < 6; per++) {
            o.per = per;
            reel_buf_init(&b, LARGE);
            assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_OK);

            /* one for all pictures, one for the sound */
            p = timeline(&a, &a.ix.renditions[0], per, reel_buf_cstr(&b));
            p = timeline(&a, &a.ix.renditions[a.ix.nrenditions - 1], per, p);
            assert_null(strstr(p, "<SegmentTimeline>"));
            reel_buf_release(&b);
        }

        asset_release(&a);
    }
}


/* renditions whose segments differ have a timeline each */
static void
apart(void **state)
{
    asset_t               a;
    const char           *p;
    reel_buf_t            b;
    reel_manifest_opts_t  o = { .per = 3 };

    (void) state;

    asset_radio(&a);

    /* two tracks of English in one set, of 48 and of 44.1 kHz */
    a.ix.renditions[3].switching_set = 0;
    a.ix.renditions[3].channels = a.ix.renditions[0].channels;
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_OK);

    p = strstr(reel_buf_cstr(&b), "<Representation id=\"a128-en\"");
    p = timeline(&a, &a.ix.renditions[0], 3, p);
    p = strstr(p, "<Representation id=\"a64-en\"");
    p = timeline(&a, &a.ix.renditions[1], 3, p);
    p = strstr(p, "<Representation id=\"a96-en-c\"");
    assert_non_null(strstr(p, "<SegmentTemplate timescale=\"44100\""));
    p = timeline(&a, &a.ix.renditions[3], 3, p);
    p = strstr(p, "lang=\"de\"");
    assert_non_null(p);

    reel_buf_release(&b);
    asset_release(&a);
}


/* of the track to begin with, the sets of fewest channels: in any codec */
static void
preferred(void **state)
{
    size_t                i, n;
    asset_t               a;
    const char           *p, *end;
    reel_buf_t            b;
    reel_manifest_opts_t  o = { .per = 3 };

    static const struct {
        const char *codec;              /* of the first sound */
        uint32_t    channels;
        unsigned    set;                /* id; 0 = none */
    } rows[] = {
        { "mp4a.40.2", 2, 1 }, { "opus", 2, 1 }, { "opus", 7, 2 },
        { "opus", 6, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        asset_opus(&a);
        a.ix.renditions[1].codec = reel_str(rows[i].codec);
        a.ix.renditions[1].channels = rows[i].channels;

        reel_buf_init(&b, LARGE);
        assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_OK);

        n = 0;
        for (p = strstr(reel_buf_cstr(&b), "contentType=\"audio\"");
             p != NULL; p = strstr(end, "contentType=\"audio\""))
        {
            n++;
            end = strchr(p, '>');
            assert_int_equal(attribute(p, end, " selectionPriority=\""),
                             n == rows[i].set ? 2 : 0);
        }
        assert_int_equal(n, 2);

        reel_buf_release(&b);
        asset_release(&a);
    }
}


static void
durations_and_times(void **state)
{
    static const struct {
        int64_t     ts;
        uint32_t    timescale;
        const char *text;
    } durations[] = {
        { 0, 1, " d=\"PT0S\"" }, { 180000, 90000, " d=\"PT2S\"" },
        { 60060, 30000, " d=\"PT2.002S\"" }, { 1, 3, " d=\"PT0.333333S\"" },
        { 2, 3, " d=\"PT0.666667S\"" }, { 1, 1000000, " d=\"PT0.000001S\"" },
        { 45000, 90000, " d=\"PT0.5S\"" },
        { INT64_C(9007199254740991), 90000, " d=\"PT100079991719.344344S\"" }
    };

    static const struct {
        int64_t     ms;
        const char *text;
    } times[] = {
        { 0, " t=\"1970-01-01T00:00:00Z\"" },
        { 951782400000, " t=\"2000-02-29T00:00:00Z\"" },
        { 951868799999, " t=\"2000-02-29T23:59:59Z\"" },
        { 951868800000, " t=\"2000-03-01T00:00:00Z\"" },
        { 1735689599000, " t=\"2024-12-31T23:59:59Z\"" },
        { 1709210096789, " t=\"2024-02-29T12:34:56Z\"" },
        { 4107542400000, " t=\"2100-03-01T00:00:00Z\"" }
    };

    size_t      i;
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 100);

    for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        reel_dash_duration(&b, "d", durations[i].ts, durations[i].timescale);
        assert_string_equal(reel_buf_cstr(&b), durations[i].text);
        reel_buf_clear(&b);
    }

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        reel_dash_time(&b, "t", times[i].ms);
        assert_string_equal(reel_buf_cstr(&b), times[i].text);
        reel_buf_clear(&b);
    }

    reel_dash_text(&b, REEL_STR("a<b>&\"c'"));
    assert_string_equal(reel_buf_cstr(&b), "a&lt;b&gt;&amp;\"c'");
    reel_buf_release(&b);
}


static void
refused(void **state)
{
    asset_t               a;
    reel_buf_t            b;
    reel_manifest_opts_t  o = { .per = 0 };

    (void) state;

    asset_film(&a);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_INVAL);
    o.per = 3;
    o.switching_set = 7;
    assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_NOTFOUND);
    reel_buf_release(&b);

    o.switching_set = 0;
    reel_buf_init(&b, 1000);
    assert_int_equal(reel_dash_mpd(&b, &a.ix, &o), REEL_LIMIT);
    reel_buf_release(&b);
    asset_release(&a);
}


/* names last as long as what they name stays the same, and no longer */
static void
version_hash(void **state)
{
    char                  was[REEL_VERSION_HASH + 1];
    char                  now[REEL_VERSION_HASH + 1];
    asset_t               a, b;
    reel_manifest_opts_t  o = { .per = 1 };

    (void) state;

    asset_film(&a);
    asset_growing(&b);

    reel_version_hash(was, &a.ix, &o);
    assert_int_equal(strlen(was), REEL_VERSION_HASH);
    assert_int_equal(strspn(was, "0123456789abcdef"), REEL_VERSION_HASH);

    /* growing or complete: the same publication */
    reel_version_hash(now, &b.ix, &o);
    assert_string_equal(was, now);

    /* which renditions are listed changes none of them */
    o.switching_set = 1;
    reel_version_hash(now, &a.ix, &o);
    assert_string_equal(was, now);

    o.per = 3;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);
    o.per = 1;

    o.container = REEL_CONTAINER_TS;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);
    o.container = REEL_CONTAINER_CMAF;

    a.ix.publication++;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);
    a.ix.publication--;

    a.ix.salt[15] ^= 1;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);
    a.ix.salt[15] ^= 1;

    a.ix.gop_ts++;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);

    /* a file that grows: neither its salt nor its longest segment is told */
    o.salt = b.ix.salt;
    reel_version_hash(was, &a.ix, &o);
    a.ix.salt[15] ^= 1;
    a.ix.gop_ts++;
    reel_version_hash(now, &a.ix, &o);
    assert_string_equal(was, now);
    a.ix.timescale++;
    reel_version_hash(now, &a.ix, &o);
    assert_string_not_equal(was, now);

    asset_release(&a);
    asset_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens),
        cmocka_unit_test(goldens_of_forms),
        cmocka_unit_test(a_longer_last_segment),
        cmocka_unit_test(timelines),
        cmocka_unit_test(apart),
        cmocka_unit_test(preferred),
        cmocka_unit_test(durations_and_times),
        cmocka_unit_test(refused),
        cmocka_unit_test(version_hash)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/manifest/manifest.h"
#include "tests/unit/golden.h"
#include "tests/unit/manifest/assets.h"

#define LARGE (4u << 20)


static const reel_manifest_opts_t  opts = { .per = REEL_SEGMENT_FRAGMENTS };


static void
master(const asset_t *a, const reel_manifest_opts_t *o, const char *golden)
{
    reel_buf_t  b;

    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_master(&b, &a->ix, o), REEL_OK);
    golden_check(golden, b.data, b.len);
    reel_buf_release(&b);
}


static void
media(const asset_t *a, const char *rendition, const reel_manifest_opts_t *o,
    const char *golden)
{
    reel_buf_t  b;

    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_media(&b, &a->ix,
                                    reel_index_find(&a->ix,
                                                    reel_str(rendition)),
                                    o, ""), REEL_OK);
    golden_check(golden, b.data, b.len);
    reel_buf_release(&b);
}


static void
iframes(const asset_t *a, const char *rendition,
    const reel_manifest_opts_t *o, const char *golden)
{
    reel_buf_t  b;

    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_iframes(&b, &a->ix,
                                      reel_index_find(&a->ix,
                                                      reel_str(rendition)),
                                      o, ""), REEL_OK);
    golden_check(golden, b.data, b.len);
    reel_buf_release(&b);
}


static void
goldens(void **state)
{
    asset_t               a;
    reel_manifest_opts_t  one = { .per = 1 };

    (void) state;

    asset_first(&a);
    master(&a, &opts, "first.master.m3u8");
    media(&a, "v720", &opts, "first.v720.m3u8");
    asset_release(&a);

    asset_film(&a);
    master(&a, &opts, "film.master.m3u8");
    media(&a, "v720", &opts, "film.v720.m3u8");
    media(&a, "a128", &opts, "film.a128.m3u8");
    asset_release(&a);

    asset_ntsc(&a);
    master(&a, &opts, "ntsc.master.m3u8");
    media(&a, "v1080", &opts, "ntsc.v1080.m3u8");
    media(&a, "a128-fr", &opts, "ntsc.a128-fr.m3u8");
    asset_release(&a);

    asset_silent(&a);
    master(&a, &opts, "silent.master.m3u8");
    media(&a, "v426", &opts, "silent.v426.m3u8");
    asset_release(&a);

    asset_radio(&a);
    master(&a, &opts, "radio.master.m3u8");
    media(&a, "a128-en", &opts, "radio.a128-en.m3u8");
    asset_release(&a);

    asset_opus(&a);
    master(&a, &opts, "opus.master.m3u8");
    asset_release(&a);

    asset_growing(&a);
    master(&a, &one, "growing.master.m3u8");
    media(&a, "v360", &one, "growing.v360.m3u8");
    iframes(&a, "v360", &one, "growing.v360.iframes.m3u8");
    asset_release(&a);
}


static void
goldens_of_forms(void **state)
{
    asset_t               a;
    reel_manifest_opts_t  ts = { .per = 3, .container = REEL_CONTAINER_TS };
    reel_manifest_opts_t  clip = { .per = 3, .shape = {
        .start_us = 7500000, .end_us = 18000000, .max_height = 500 } };

    (void) state;

    asset_rich(&a);
    master(&a, &opts, "rich.master.m3u8");
    media(&a, "t-de", &opts, "rich.t-de.m3u8");
    iframes(&a, "h720", &opts, "rich.h720.iframes.m3u8");
    master(&a, &ts, "ts.master.m3u8");
    media(&a, "v360", &ts, "ts.v360.m3u8");
    media(&a, "t-en", &ts, "ts.t-en.m3u8");
    master(&a, &clip, "clip.master.m3u8");
    media(&a, "v360", &clip, "clip.v360.m3u8");
    media(&a, "a128-en", &clip, "clip.a128-en.m3u8");
    media(&a, "t-en", &clip, "clip.t-en.m3u8");
    iframes(&a, "v360", &clip, "clip.v360.iframes.m3u8");
    asset_release(&a);
}


/* the next value behind key, and where it ends; NULL when there is none */
static const char *
next_value(const char *p, const char *key, double *v)
{
    p = strstr(p, key);

    if (p == NULL) {
        return NULL;
    }

    *v = strtod(p + strlen(key), NULL);

    return p + strlen(key);
}


/* EXTINF are those of the segments, their sum is the rendition's length */
static void
durations_of(const asset_t *a, const reel_rendition_t *r, uint32_t per)
{
    double                v, target = 0, sum = 0, ticks = 0;
    uint32_t              n = 0;
    const char           *p;
    reel_buf_t            b;
    reel_segments_t       s;
    reel_manifest_opts_t  o = { .per = per };

    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_media(&b, &a->ix, r, &o, "x/"), REEL_OK);
    p = reel_buf_cstr(&b);

    /* text has the boundaries of the video */
    r = r->kind == REEL_TEXT ? &a->ix.renditions[0] : r;

    assert_non_null(next_value(p, "#EXT-X-TARGETDURATION:", &target));
    reel_segments_init(&s, &a->ix, r, per);

    while ((p = next_value(p, "#EXTINF:", &v)) != NULL) {
        assert_true(reel_segments_next(&s));
        n++;
        sum += v;
        ticks += (double) s.duration;

        assert_true(v <= target + 0.5);
        assert_true(v - (double) s.duration / r->timescale < 1.1e-6);
        assert_true((double) s.duration / r->timescale - v < 1.1e-6);
        assert_true(sum - ticks / r->timescale < 1e-6);
        assert_true(ticks / r->timescale - sum < 1e-6);
    }

    assert_int_equal(n, a->ix.growing ? a->ix.fragments / per
                                      : reel_index_segments(&a->ix, per));
    assert_int_equal(strstr(reel_buf_cstr(&b), "#EXT-X-ENDLIST") != NULL,
                     !a->ix.growing);
    reel_buf_release(&b);
}


static void
durations(void **state)
{
    void (*const make[])(asset_t *) = {
        asset_film, asset_ntsc, asset_silent, asset_radio, asset_growing,
        asset_first, asset_long
    };

    size_t    i;
    asset_t   a;
    uint32_t  per;
    unsigned  r;

    (void) state;

    for (i = 0; i < sizeof(make) / sizeof(make[0]); i++) {
        make[i](&a);

        for (per = 1; per < 8; per++) {
            for (r = 0; r < a.ix.nrenditions; r++) {
                durations_of(&a, &a.ix.renditions[r], per);
            }
        }

        asset_release(&a);
    }
}


/* the playlist may lie elsewhere; then every URI tells where they are */
static void
prefix(void **state)
{
    asset_t      a;
    unsigned     uris = 0, lines = 0;
    const char  *p;
    reel_buf_t   b;

    (void) state;

    asset_film(&a);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[0], &opts,
                                    "../v720~0123456789/"), REEL_OK);
    p = reel_buf_cstr(&b);
    assert_non_null(strstr(p, "#EXT-X-MAP:URI=\"../v720~0123456789/"
                           "init.mp4\"\n"));

    for ( ; (p = strchr(p, '\n')) != NULL && p[1] != '\0'; p++) {
        lines += p[1] != '#';
        uris += strncmp(p + 1, "../v720~0123456789/", 19) == 0;
    }

    assert_int_equal(lines, 6);
    assert_int_equal(uris, 6);

    reel_buf_release(&b);
    asset_release(&a);
}


/* another header is told where it begins, unless that is in a segment */
static void
headers(void **state)
{
    asset_t      a;
    const char  *p, *second;
    reel_buf_t   b;

    (void) state;

    asset_headers(&a, 9, 3);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[1], &opts,
                                    ""), REEL_OK);
    p = reel_buf_cstr(&b);
    second = strstr(p, "#EXT-X-MAP:URI=\"init-3.mp4\"\n#EXTINF:6.000000,\n"
                    "1.m4s\n");
    assert_non_null(second);
    assert_null(strstr(second + 1, "#EXT-X-MAP"));
    assert_true(strstr(p, "#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:6.000000,\n"
                       "0.m4s\n") < second);
    reel_buf_clear(&b);

    assert_int_equal(reel_dash_mpd(&b, &a.ix, &opts), REEL_UNSUPPORTED);
    asset_release(&a);

    asset_headers(&a, 9, 4);
    reel_buf_clear(&b);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[1], &opts,
                                    ""), REEL_UNSUPPORTED);
    asset_release(&a);
    reel_buf_release(&b);
}


/*
 * RFC 8216, 4.3.4.2 to the letter: the highest rate of any contiguous set of
 * segments that lasts between 0.5 and 1.5 target durations (6 s).
 */
static double
peak_of(const asset_t *a, unsigned rendition)
{
    double                   rate, time, peak = 0, size[64], duration[64];
    unsigned                 n = 0, i, k;
    reel_segments_t          s;
    const reel_rendition_t  *r = &a->ix.renditions[rendition];

    reel_segments_init(&s, &a->ix, r, 3);

    for ( ; reel_segments_next(&s); n++) {
        assert_true(n < 64);
        size[n] = (double) s.size;
        duration[n] = (double) s.duration / r->timescale;
    }

    for (i = 0; i < n; i++) {
        for (rate = 0, time = 0, k = i; k < n; k++) {
            rate += size[k] * 8;
            time += duration[k];

            if (time >= 3 && time <= 9 && rate / time > peak) {
                peak = rate / time;
            }
        }
    }

    return peak;
}


/* BANDWIDTH: what the segments weigh, of picture and sound together */
static void
bandwidth(void **state)
{
    double       peak = 0, average = 0, worst;
    asset_t      a;
    const char  *p;
    reel_buf_t   b;

    (void) state;

    asset_film(&a);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_master(&b, &a.ix, &opts), REEL_OK);
    p = strstr(reel_buf_cstr(&b), "#EXT-X-STREAM-INF");

    /* v360 is the default: 730 kb/s, while v720 is above 2 Mb/s */
    assert_non_null(p);
    assert_non_null(next_value(p, ":BANDWIDTH=", &peak));
    assert_non_null(next_value(p, ",AVERAGE-BANDWIDTH=", &average));
    assert_non_null(strstr(p, "RESOLUTION=640x360"));
    assert_true(strstr(p, "640x360") < strstr(p, "1280x720"));

    worst = peak_of(&a, 1) + peak_of(&a, 2);
    assert_true(peak >= worst);
    assert_true(peak <= worst * 1.01);
    assert_true(average < peak);

    reel_buf_release(&b);
    asset_release(&a);
}


static void
refused(void **state)
{
    asset_t               a;
    reel_buf_t            b;
    reel_manifest_opts_t  none = { .per = 0 };
    reel_manifest_opts_t  other = { .per = 3, .switching_set = 9 };

    (void) state;

    asset_film(&a);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_master(&b, &a.ix, &none), REEL_INVAL);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[0], &none,
                                    ""), REEL_INVAL);
    assert_int_equal(reel_hls_master(&b, &a.ix, &other), REEL_NOTFOUND);
    a.ix.nrenditions = 0;
    assert_int_equal(reel_hls_master(&b, &a.ix, &opts), REEL_NOTFOUND);
    asset_release(&a);
    reel_buf_release(&b);

    asset_film(&a);
    reel_buf_init(&b, 100);
    assert_int_equal(reel_hls_master(&b, &a.ix, &opts), REEL_LIMIT);
    reel_buf_clear(&b);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[0], &opts,
                                    ""), REEL_LIMIT);
    asset_release(&a);
    reel_buf_release(&b);
}


/* nothing published yet: an empty EVENT playlist is a right one */
static void
nothing_yet(void **state)
{
    asset_t               a;
    reel_buf_t            b;
    reel_manifest_opts_t  six = { .per = 6 };

    (void) state;

    asset_growing(&a);
    reel_buf_init(&b, LARGE);
    assert_int_equal(reel_hls_media(&b, &a.ix, &a.ix.renditions[0], &six,
                                    ""), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), "#EXTM3U\n#EXT-X-VERSION:6\n"
                        "#EXT-X-TARGETDURATION:12\n"
                        "#EXT-X-MEDIA-SEQUENCE:0\n"
                        "#EXT-X-PLAYLIST-TYPE:EVENT\n"
                        "#EXT-X-INDEPENDENT-SEGMENTS\n");
    reel_buf_clear(&b);
    assert_int_equal(reel_dash_mpd(&b, &a.ix, &six), REEL_NOTFOUND);
    reel_buf_release(&b);
    asset_release(&a);
}


/* printed, not judged */
static void
speed(void **state)
{
    double           us[3];
    asset_t          a;
    unsigned         i, k;
    reel_buf_t       b;
    struct timespec  t0, t1;

    (void) state;

    asset_long(&a);
    reel_buf_init(&b, LARGE);

    for (k = 0; k < 3; k++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);

        for (i = 0; i < 100; i++) {
            reel_buf_clear(&b);
            assert_int_equal(k == 0 ? reel_hls_master(&b, &a.ix, &opts)
                             : k == 1 ? reel_hls_media(&b, &a.ix,
                                                       &a.ix.renditions[5],
                                                       &opts, "")
                             : reel_dash_mpd(&b, &a.ix, &opts), REEL_OK);
        }

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
        us[k] = ((double) (t1.tv_sec - t0.tv_sec) * 1e9
                 + (double) (t1.tv_nsec - t0.tv_nsec)) / 1e5;
    }

    print_message("2 h x 6 renditions, CPU: master %.0f us, media playlist "
                  "%.0f us, MPD %.0f us\n", us[0], us[1], us[2]);
    reel_buf_release(&b);
    asset_release(&a);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens),
        cmocka_unit_test(goldens_of_forms),
        cmocka_unit_test(durations),
        cmocka_unit_test(prefix),
        cmocka_unit_test(headers),
        cmocka_unit_test(bandwidth),
        cmocka_unit_test(refused),
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(speed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * encode_video: which picture stands where, however the film is cut.  The
 * pictures carry numbers, so that a lost, doubled or swapped one shows.
 */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static void
make_numbered(const char *name, const char *rate, const char *seconds,
    const char *filter, const char *codec)
{
    char  clip[512], args[2048];

    (void) snprintf(clip, sizeof(clip), MEDIA_NUMBERED, rate, seconds);
    (void) snprintf(args, sizeof(args), "-f lavfi -i \"%s%s\" %s", clip,
                    filter, codec);
    media_make(name, args);
}


static uint32_t  every = 1;     /* of the pictures of the rung */


/* encodes with these edges (ended by 0) into joined, decodes that */
static void
encode(media_pictures_t *p, const reel_source_t *s, const char *source,
    const uint32_t *edges)
{
    uint32_t             i, from;
    reel_encode_video_t  t;

    (void) unlink(media_path("joined.mp4"));
    media_video_task(&t, s, 0, 1);

    for (i = 0, from = 0; edges[i] != 0 && from < t.grid.fragments;
         from = edges[i++])
    {
        media_video_task(&t, s, from, edges[i]);
        t.rungs[0].every = every;
        media_encode(&t, source, "joined.mp4");
    }

    media_pictures(p, "joined.mp4");
}


static const uint32_t whole[] = { 1000, 0 };
static const uint32_t pieces[] = { 1, 2, 4, 1000, 0 };
static const uint32_t others[] = { 3, 1000, 0 };

static media_pictures_t  a, b, c;


/* every cut gives the same pictures at the same times */
static void
check_cuts(const reel_source_t *s, const char *source)
{
    encode(&a, s, source, whole);
    encode(&b, s, source, pieces);
    encode(&c, s, source, others);

    assert_int_equal(a.n, b.n);
    assert_int_equal(a.n, c.n);
    assert_memory_equal(a.number, b.number, sizeof(a.number));
    assert_memory_equal(a.number, c.number, sizeof(a.number));
    assert_memory_equal(a.pts_us, b.pts_us, sizeof(a.pts_us));
    assert_memory_equal(a.pts_us, c.pts_us, sizeof(a.pts_us));
}


/* pictures 0, 1, 2, … at 0, 1/fps, 2/fps, … */
static void
check_plain(size_t n, double fps)
{
    size_t  i;

    assert_int_equal(a.n, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(a.number[i], (int) i);
        assert_true(labs((long) (a.pts_us[i] - (int64_t) (i * 1e6 / fps)))
                    <= 2);
    }
}


static void
one(const char *name, size_t n, double fps)
{
    reel_source_t  s;

    media_inspect(&s, name);
    assert_true(s.video.constant_rate);
    assert_int_equal(s.video.frames, n);

    check_cuts(&s, name);
    check_plain(n, fps);
    reel_source_release(&s);
}


/* key frames off the grid, B-frames, an edit list in front */
static void
test_mp4(void **state)
{
    (void) state;

    make_numbered("v.mp4", "30", "11", "", "-c:v libx264 -g 50 -bf 3");
    one("v.mp4", 330, 30);
}


static void
test_ntsc_webm(void **state)
{
    (void) state;

    make_numbered("v.webm", "30000/1001", "10", "",
                  "-c:v libvpx -g 45 -deadline realtime -b:v 1M");
    one("v.webm", 300, 30000 / 1001.0);
}


/* leading pictures of an open GOP need what stands before the key frame */
static void
test_open_gop_ts(void **state)
{
    (void) state;

    make_numbered("v.ts", "25", "10", "",
                  "-c:v libx264 -g 30 -bf 3 -x264-params open-gop=1");
    one("v.ts", 250, 25);

    make_numbered("m.ts", "25", "10", "",
                  "-c:v mpeg2video -q:v 2 -g 12 -bf 2 -flags -cgop");
    one("m.ts", 250, 25);
}


/* key frames that are none: only a roll of intra blocks */
static void
test_intra_refresh(void **state)
{
    (void) state;

    make_numbered("r.ts", "25", "8", "",
                  "-c:v libx264 -g 40 -x264-params intra-refresh=1");
    one("r.ts", 200, 25);
}


/* no pts in the container, B-frames in the stream */
static void
test_avi(void **state)
{
    (void) state;

    make_numbered("v.avi", "25", "8", "",
                  "-c:v mpeg4 -q:v 2 -g 30 -bf 2");
    one("v.avi", 200, 25);

    make_numbered("h.avi", "25", "8", "", "-c:v libx264 -g 30 -bf 2");
    one("h.avi", 200, 25);
}


/* a single key frame: each chunk decodes from the start */
static void
test_one_keyframe(void **state)
{
    (void) state;

    make_numbered("k.mkv", "24", "8", "", "-c:v libx264 -g 1000");
    one("k.mkv", 192, 24);
}


/* 1 of 120 pictures is missing: the one before stands in its slot */
static void
test_holes(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    make_numbered("hole.mp4", "30", "12", ",select='not(eq(mod(n,120),60))'",
                  "-vsync vfr -c:v libx264 -g 40 -bf 2");
    media_inspect(&s, "hole.mp4");
    assert_true(s.video.constant_rate);
    assert_int_equal(s.video.frames, 360);

    check_cuts(&s, "hole.mp4");
    assert_int_equal(a.n, 360);
    for (i = 0; i < a.n; i++) {
        assert_int_equal(a.number[i], i % 120 == 60 ? i - 1 : i);
    }

    reel_source_release(&s);
}


/* 120 pictures a second are shown at 60: every second one */
static void
test_halved(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    make_numbered("f.mp4", "120", "9", "", "-c:v libx264 -g 100 -bf 2");
    media_inspect(&s, "f.mp4");
    assert_int_equal(s.video.rate.num, 60);
    assert_int_equal(s.video.rate.den, 1);

    check_cuts(&s, "f.mp4");
    assert_int_equal(a.n, 541);
    for (i = 0; i < 540; i++) {
        assert_int_equal(a.number[i], 2 * i);
    }

    /* the last one lies half a slot behind */
    assert_int_equal(a.number[540], 1079);

    reel_source_release(&s);
}


/*
 * A rung of half the rate, of an odd number of pictures; and of a quarter,
 * whose last chunk has three: fewer than encoders get twice.
 */
static void
test_half_rate(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    make_numbered("half.mp4", "50", "4.22", "", "-c:v libx264 -g 70 -bf 2");
    media_inspect(&s, "half.mp4");
    assert_int_equal(s.video.frames, 211);

    every = 2;
    check_cuts(&s, "half.mp4");
    assert_int_equal(a.n, 106);
    for (i = 0; i < a.n; i++) {
        assert_int_equal(a.number[i], 2 * i);
        assert_int_equal(a.pts_us[i], i * 40000);
    }

    every = 4;
    check_cuts(&s, "half.mp4");
    assert_int_equal(a.n, 53);
    assert_int_equal(a.number[52], 208);

    every = 1;
    reel_source_release(&s);
}


/* 60 a second that pause in the middle: what stands then is shown at once */
static void
test_half_variable(void **state)
{
    size_t         i, slow = 0;
    reel_source_t  s;

    (void) state;

    make_numbered("halfv.mp4", "60", "5", ",select='not(between(n,52,110))'",
                  "-vsync vfr -video_track_timescale 90000 -c:v libx264 "
                  "-g 60 -bf 2");
    media_inspect(&s, "halfv.mp4");
    assert_false(s.video.constant_rate);

    every = 2;
    check_cuts(&s, "halfv.mp4");
    every = 1;

    for (i = 0; i + 1 < a.n; i++) {
        slow += a.number[i] == 51;
        assert_true(a.number[i] == 51 || a.pts_us[i + 1] - a.pts_us[i]
                                         > 30000
                    || a.pts_us[i + 1] % 2000000 == 0
                    || a.number[i + 1] == 51);
    }

    assert_int_equal(slow, 1);
    assert_in_range(a.n, 118, 124);
    reel_source_release(&s);
}


static int64_t
grid_us(uint32_t k)
{
    return (int64_t) k * 2000000;
}


/* a screen recording: irregular, with nothing at all for 5 s */
static void
test_variable(void **state)
{
    size_t         i;
    uint32_t       k;
    reel_source_t  s;

    (void) state;

    make_numbered("s.mp4", "30", "13",
                  ",select='gt(mod(n*n,7),2)*not(between(n,100,250))'",
                  "-vsync vfr -video_track_timescale 90000 -c:v libx264 "
                  "-g 60 -bf 2");
    media_inspect(&s, "s.mp4");
    assert_false(s.video.constant_rate);
    check_cuts(&s, "s.mp4");

    /* a picture at each grid instant, in rising order, never from ahead */
    for (i = 0, k = 0; i < a.n; i++) {
        assert_true(i == 0 || a.pts_us[i] > a.pts_us[i - 1]);
        assert_true(i == 0 || a.number[i] >= a.number[i - 1]);
        assert_true((a.number[i] - a.number[0]) * 1000000.0 / 30
                    <= a.pts_us[i] + 1000.0);

        if (a.pts_us[i] == grid_us(k)) {
            k++;
        }
        assert_true(a.pts_us[i] < grid_us(k));
    }
    assert_int_equal(k, 7);

    reel_source_release(&s);
}


/* sound goes on longer: the last picture stands */
static void
test_end_held(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    make_numbered("e.mp4", "25", "5", "",
                  "-f lavfi -i sine=d=9 -map 0 -map 1 -c:v libx264 -g 25 "
                  "-c:a aac");
    media_inspect(&s, "e.mp4");

    check_cuts(&s, "e.mp4");
    assert_in_range(a.n, 224, 226);
    for (i = 0; i < a.n; i++) {
        assert_int_equal(a.number[i], i < 125 ? i : 124);
    }

    reel_source_release(&s);
}


static void
test_interlaced(void **state)
{
    reel_source_t  s;

    (void) state;

    make_numbered("i.ts", "50", "8", ",interlace=lowpass=0",
                  "-c:v mpeg2video -q:v 2 -flags +ildct+ilme -g 12");
    media_inspect(&s, "i.ts");
    assert_true(s.video.interlaced);
    assert_int_equal(s.video.frames, 200);

    encode(&a, &s, "i.ts", whole);
    encode(&b, &s, "i.ts", pieces);
    assert_int_equal(a.n, 200);
    assert_memory_equal(a.number, b.number, sizeof(a.number));
    assert_memory_equal(a.pts_us, b.pts_us, sizeof(a.pts_us));

    reel_source_release(&s);
}


/* damage in the middle: the film goes on, at its full length */
static void
test_damage(void **state)
{
    int            ch;
    FILE          *fp;
    size_t         i;
    reel_source_t  s;

    (void) state;

    make_numbered("d.ts", "25", "8", "", "-c:v libx264 -g 25");

    fp = fopen(media_path("d.ts"), "r+");
    assert_non_null(fp);
    assert_int_equal(fseek(fp, 0, SEEK_END), 0);
    i = (size_t) ftell(fp) / 2 / 188 * 188 + 20;
    for (ch = 0; ch < 20; ch++, i += 188) {
        assert_int_equal(fseek(fp, (long) i, SEEK_SET), 0);
        assert_int_equal(fwrite("damaged damaged damaged", 1, 23, fp), 23);
    }
    fclose(fp);

    media_inspect(&s, "d.ts");
    encode(&a, &s, "d.ts", pieces);
    assert_in_range(a.n, 199, 201);
    assert_int_equal(a.number[0], 0);
    assert_int_equal(a.number[a.n - 1], 199);

    reel_source_release(&s);
}


/* chunks [from, to) of a film whose packets are copied, into joined.mp4 */
static void
copy_chunk(const reel_source_t *s, const char *source, uint32_t from,
    uint32_t to, int64_t seek)
{
    reel_buf_t           buf;
    media_answer_t       r;
    reel_encode_video_t  t;

    media_video_task(&t, s, from, to);
    t.copy = true;
    assert_true(reel_video_codec_find(s->video.codec, &t.rungs[0].codec));
    t.delay = s->video.copy.delay;
    t.seek_pts = seek != 0 ? seek : t.seek_pts;

    reel_buf_init(&buf, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&buf, &t), REEL_OK);
    r = media_run(reel_av_encode_video, source, (char *) buf.data, buf.len,
                  "chunk", 0, 0);
    assert_int_equal(r.status, 0);
    media_join(&r, 0, "chunk", "joined.mp4");

    json_decref(r.lines);
    reel_buf_release(&buf);
}


#define X264 "-c:v libx264 -g 20 -bf 3 -sc_threshold 0"
#define X265(p) "-c:v libx265 -x265-params log-level=error:pools=none:"      \
    "keyint=20:min-keyint=20:scenecut=0:open-gop=0" p

/* the same pictures at the same times; a seek that goes wrong is mended */
static void
test_copied(void **state)
{
    size_t         i;
    reel_source_t  s;

    static const struct {
        const char *name, *codec;
    } rows[] = {
        { "c.mp4", X264 }, { "c.mkv", X264 }, { "c.flv", X264 },
        { "h.mp4", X265("") " -tag:v hvc1" },
        { "e.mp4", X265(":repeat-headers=1:slices=2") " -tag:v hev1" },
        { "b.mp4", X265(":repeat-headers=1") " -tag:v hev1" },
        { "h.mkv", X265(":repeat-headers=1:aud=1:bframes=7") },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_numbered(rows[i].name, "20", "7.3", "", rows[i].codec);
        if (rows[i].name[0] == 'b') {           /* its hvcC has no sets */
            media_patch(rows[i].name, "hvcC", 26, "\0", 1);
        }
        media_inspect(&s, rows[i].name);
        assert_string_equal(s.video.copy.refused, "");
        assert_int_equal(s.video.copy.gop, 20);

        (void) unlink(media_path("joined.mp4"));
        copy_chunk(&s, rows[i].name, 0, 1, 0);
        copy_chunk(&s, rows[i].name, 1, 3, 0);
        copy_chunk(&s, rows[i].name, 3, 1000, s.video.last_pts);
        media_pictures(&a, "joined.mp4");
        check_plain(146, 20);
        reel_source_release(&s);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mp4),
        cmocka_unit_test(test_ntsc_webm),
        cmocka_unit_test(test_open_gop_ts),
        cmocka_unit_test(test_intra_refresh),
        cmocka_unit_test(test_avi),
        cmocka_unit_test(test_one_keyframe),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_halved),
        cmocka_unit_test(test_half_rate),
        cmocka_unit_test(test_half_variable),
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_end_held),
        cmocka_unit_test(test_interlaced),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_copied),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

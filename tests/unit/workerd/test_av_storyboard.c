/* storyboard: which picture stands where, single and on sheets */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W  160
#define H  32


/* 40 numbered pictures a key frame apart at 10 a second, or one key frame */
static void
make_clip(const char *name, const char *seconds, const char *options)
{
    char  clip[512], args[1024];

    (void) snprintf(clip, sizeof(clip), MEDIA_NUMBERED, "10", seconds);
    (void) snprintf(args, sizeof(args), "-f lavfi -i \"%s\" %s", clip,
                    options);
    media_make(name, args);
}


static reel_storyboard_t
task(const reel_source_t *s, uint32_t interval_ms, uint32_t count, bool exact)
{
    return (reel_storyboard_t) {
        .stream = s->video.stream, .tb = s->video.tb,
        .origin = s->video.first_pts, .interval_ms = interval_ms,
        .count = count, .exact = exact, .rotation = s->video.rotation,
        .hflip = s->video.hflip, .vflip = s->video.vflip, .tries = 3,
        .nsets = 2,
        .sets = { { W, H, 1, 1 }, { W, H, 3, 2 } }
    };
}


static media_answer_t
run(const reel_storyboard_t *t, const char *source)
{
    reel_buf_t      b;
    media_answer_t  a;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_storyboard_print(&b, t), REEL_OK);
    a = media_run(reel_av_storyboard, source, (char *) b.data, b.len, "s", 0,
                  0);
    reel_buf_release(&b);

    return a;
}


/* what the task said of output i */
static void
told(const media_answer_t *a, unsigned output, reel_story_t *s)
{
    char    *text;
    size_t   i;
    json_t  *line;

    json_array_foreach(a->lines, i, line) {
        if (json_object_get(line, "story") != NULL
            && json_integer_value(json_object_get(line, "output"))
               == (json_int_t) output)
        {
            text = json_dumps(json_object_get(line, "story"), 0);
            assert_int_equal(reel_story_parse(s, text, strlen(text), NULL),
                             REEL_OK);
            free(text);
            return;
        }
    }

    fail_msg("nothing was said of output %u", output);
}


/* whole pictures, each as long as it was said, one behind another */
static void
check_sizes(const reel_story_t *s, const char *name)
{
    size_t    at = 0, n;
    uint8_t  *jpeg = media_read(name, &n);

    for (uint32_t i = 0; i < s->nsheets; i++) {
        assert_in_range(s->sizes[i], 4, n - at);
        assert_memory_equal(jpeg + at, "\xff\xd8\xff", 3);
        at += s->sizes[i];
        assert_memory_equal(jpeg + at - 2, "\xff\xd9", 2);
    }

    assert_int_equal(at, n);
    free(jpeg);
}


/* all sheets of an output, decoded as grey; by one ffmpeg: its start costs */
static uint8_t *
decode(const reel_story_t *s, unsigned output)
{
    char      name[16], command[1024];
    FILE     *fp;
    size_t    n;
    uint8_t  *grey;

    (void) snprintf(name, sizeof(name), "s.%u", output);
    check_sizes(s, name);

    n = (size_t) s->width * s->columns * s->height * s->rows * s->nsheets;
    grey = malloc(n + 1);
    assert_non_null(grey);

    (void) snprintf(command, sizeof(command), "ffmpeg -nostdin -v error "
                    "-f mjpeg -i '%s' -vsync passthrough -f rawvideo "
                    "-pix_fmt gray -", media_path(name));
    fp = popen(command, "r");
    assert_non_null(fp);
    assert_int_equal(fread(grey, 1, n + 1, fp), n);
    assert_int_equal(pclose(fp), 0);

    return grey;
}


/* the number that the picture at (x, y) of a row of `stride` carries */
static int
number(const uint8_t *p, size_t stride, size_t x, size_t y)
{
    int  n = 0;

    for (size_t bit = 0; bit < 16; bit++) {
        n |= (p[(y + 16) * stride + x + bit * 10 + 5] > 128) << bit;
    }

    return n;
}


/* runs the task and compares all pictures of both sets */
static void
expect(const reel_storyboard_t *t, const char *source, const int *want)
{
    uint8_t        *grey, *p;
    uint32_t        tile;
    reel_story_t    s;
    media_answer_t  a = run(t, source);

    assert_int_equal(a.status, 0);

    told(&a, 0, &s);
    assert_int_equal(s.nsheets, t->count);
    grey = decode(&s, 0);
    for (uint32_t i = 0; i < t->count; i++) {
        p = grey + (size_t) i * W * H;
        if (number(p, W, 0, 0) != want[i]) {
            fail_msg("%s: picture %u is %d, not %d", source, i,
                     number(p, W, 0, 0), want[i]);
        }
    }
    free(grey);

    told(&a, 1, &s);
    assert_int_equal(s.nsheets, (t->count + 5) / 6);
    p = grey = decode(&s, 1);
    for (uint32_t i = 0; i < t->count; i++) {
        tile = i % 6;
        p = grey + (size_t) (i / 6) * W * 3 * H * 2;
        assert_int_equal(number(p, W * 3, tile % 3 * W, tile / 3 * H),
                         want[i]);
    }

    /* what is left of the last sheet is black */
    for (tile = (t->count - 1) % 6 + 1; tile < 6; tile++) {
        assert_int_equal(number(p, W * 3, tile % 3 * W, tile / 3 * H), 0);
        assert_true(p[(tile / 3 * H + 3) * W * 3 + tile % 3 * W + 3] < 24);
    }
    free(grey);

    json_decref(a.lines);
}


/* the key frame at the instant or before it; one a little late is at it */
static void
test_keys(void **state)
{
    reel_source_t      s;
    reel_storyboard_t  t;

    (void) state;

    make_clip("k.mp4", "8", "-c:v libx264 -g 10 -keyint_min 10 "
              "-sc_threshold 0");
    media_inspect(&s, "k.mp4");

    t = task(&s, 1000, 8, false);
    expect(&t, "k.mp4", (int[]) { 0, 10, 20, 30, 40, 50, 60, 70 });

    t = task(&s, 1500, 6, false);
    expect(&t, "k.mp4", (int[]) { 0, 10, 30, 40, 60, 70 });

    t = task(&s, 990, 8, false);
    expect(&t, "k.mp4", (int[]) { 0, 10, 20, 30, 40, 50, 60, 70 });

    /* more instants than key frames, and instants behind the end */
    t = task(&s, 500, 18, false);
    expect(&t, "k.mp4", (int[]) { 0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 50,
                                  50, 60, 60, 70, 70, 70, 70 });
    reel_source_release(&s);
}


/* what is shown at the instant, where key frames are far apart */
static void
test_exact(void **state)
{
    reel_source_t      s;
    reel_storyboard_t  t;

    (void) state;

    make_clip("e.mp4", "4", "-c:v libx264 -g 1000 -bf 3");
    media_inspect(&s, "e.mp4");
    t = task(&s, 500, 8, true);
    expect(&t, "e.mp4", (int[]) { 0, 5, 10, 15, 20, 25, 30, 35 });

    /* the timeline begins before the picture does */
    t.origin -= 1000 * (int64_t) s.video.tb.den / 1000;
    t.count = 4;
    expect(&t, "e.mp4", (int[]) { 0, 0, 0, 5 });
    reel_source_release(&s);
}


/* other containers and codecs: key frames by themselves */
static void
test_kinds(void **state)
{
    reel_source_t      s;
    reel_storyboard_t  t;

    static const struct {
        const char *name;
        const char *options;
    } rows[] = {
        { "m.ts", "-c:v mpeg2video -g 10 -b:v 2M" },
        { "v.webm", "-c:v libvpx -g 10 -keyint_min 10 -b:v 2M "
                    "-deadline realtime" },
        { "j.mov", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p" },
        { "x.ts", "-c:v libx264 -g 10 -bf 2 -x264-params open-gop=1" },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_clip(rows[i].name, "3", rows[i].options);
        media_inspect(&s, rows[i].name);
        t = task(&s, 1000, 3, false);
        expect(&t, rows[i].name, (int[]) { 0, 10, 20 });
        reel_source_release(&s);
    }
}


/* turned and interlaced ones, scaled: all sets have the size they said */
static void
test_shapes(void **state)
{
    reel_story_t       q;
    reel_source_t      s;
    media_answer_t     a;
    reel_storyboard_t  t;

    (void) state;

    media_make("i.ts", "-f lavfi -i testsrc2=s=160x96:r=50:d=2 "
               "-vf interlace -c:v libx264 -flags +ildct+ilme");
    media_inspect(&s, "i.ts");
    t = task(&s, 1000, 2, true);
    t.rotation = 90;
    t.sets[0] = (reel_story_set_t) { 96, 160, 1, 1 };
    t.sets[1] = (reel_story_set_t) { 48, 80, 2, 1 };

    a = run(&t, "i.ts");
    assert_int_equal(a.status, 0);
    told(&a, 1, &q);
    assert_int_equal(q.nsheets, 1);
    free(decode(&q, 1));
    json_decref(a.lines);
    reel_source_release(&s);
}


/* bytes that this process has read */
static uint64_t
read_so_far(void)
{
    char                line[64];
    FILE               *fp = fopen("/proc/self/io", "r");
    unsigned long long  n = 0;

    assert_non_null(fp);
    assert_non_null(fgets(line, sizeof(line), fp));
    assert_memory_equal(line, "rchar: ", 7);
    n = strtoull(line + 7, NULL, 10);
    fclose(fp);

    return n;
}


/* of a film with an index not much more than the key frames */
static void
test_reads(void **state)
{
    uint64_t           before;
    reel_source_t      s;
    media_answer_t     a;
    reel_storyboard_t  t;

    (void) state;

    /* 20 MB, pictures of 300 KB each */
    media_make("r.mp4", "-f lavfi -i "
               "testsrc2=s=640x352:r=10:d=6,noise=alls=80:allf=t "
               "-c:v mpeg4 -q:v 2 -g 15 -bf 0");
    media_inspect(&s, "r.mp4");
    assert_true(s.bytes > 8000000);
    t = task(&s, 1500, 4, false);
    t.nsets = 1;

    before = read_so_far();
    a = run(&t, "r.mp4");
    assert_int_equal(a.status, 0);
    assert_true(read_so_far() - before < s.bytes / 3);

    json_decref(a.lines);
    reel_source_release(&s);
}


static void
test_damage(void **state)
{
    reel_source_t      s;
    media_answer_t     a;
    reel_storyboard_t  t;

    (void) state;

    make_clip("d.mp4", "2", "-c:v libx264 -g 10");
    media_inspect(&s, "d.mp4");
    t = task(&s, 1000, 2, false);
    t.stream = 7;
    a = run(&t, "d.mp4");
    assert_int_equal(a.status, 1);
    assert_string_equal(json_string_value(json_object_get(
                            media_line(&a, "error"), "code")), "BAD_MEDIA");
    json_decref(a.lines);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

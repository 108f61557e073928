/* poster: the right picture, the right way up */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"


/* the poster at at_pts, as p.0 of the folder */
static void
make_poster(const reel_source_t *s, const char *source, int64_t at_pts,
    uint32_t width, uint32_t height)
{
    json_t          *image;
    reel_buf_t       b;
    reel_poster_t    t;
    media_answer_t   a;

    t = (reel_poster_t) {
        .stream = s->video.stream, .tb = s->video.tb, .at_pts = at_pts,
        .rotation = s->video.rotation, .hflip = s->video.hflip,
        .vflip = s->video.vflip, .width = width, .height = height
    };

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_poster_print(&b, &t), REEL_OK);

    a = media_run(reel_av_poster, source, (char *) b.data, b.len, "p", 0, 0);
    assert_int_equal(a.status, 0);

    image = media_line(&a, "image");
    assert_non_null(image);
    assert_int_equal(json_integer_value(json_object_get(image, "width")),
                     width);
    assert_int_equal(json_integer_value(json_object_get(image, "height")),
                     height);

    json_decref(a.lines);
    reel_buf_release(&b);
}


/* any file's first picture as grey of w x h, ffmpeg's own orientation */
static void
grey(uint8_t *dst, size_t w, size_t h, const char *name, const char *in)
{
    char   command[1024];
    FILE  *fp;

    (void) snprintf(command, sizeof(command), "ffmpeg -nostdin -v error %s "
                    "-i '%s' -frames:v 1 -vf scale=%zu:%zu -f rawvideo "
                    "-pix_fmt gray -", in, media_path(name), w, h);
    fp = popen(command, "r");
    assert_non_null(fp);
    assert_int_equal(fread(dst, 1, w * h, fp), w * h);
    assert_int_equal(pclose(fp), 0);
}


static double
distance(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t  i, sum;

    for (i = 0, sum = 0; i < n; i++) {
        sum += (size_t) abs(a[i] - b[i]);
    }

    return (double) sum / (double) n;
}


/* writes a display matrix into the only tkhd of a file */
static void
set_matrix(const char *from, const char *to, const int m[4])
{
    int       i;
    size_t    n;
    uint8_t  *data, *p;

    /* a b u, c d v: where they stand in the matrix */
    static const int  at[4] = { 0, 4, 12, 16 };

    data = media_read(from, &n);
    p = memmem(data, n, "tkhd", 4);
    assert_non_null(p);
    p += 4 + 40;

    for (i = 0; i < 4; i++) {
        p[at[i]] = m[i] < 0 ? 0xff : 0;
        p[at[i] + 1] = m[i] < 0 ? 0xff : (uint8_t) m[i];
        p[at[i] + 2] = 0;
        p[at[i] + 3] = 0;
    }

    media_write(to, data, n);
    free(data);
}


/* all eight ways a camera may be held, mirrored or not */
static void
test_orientation(void **state)
{
    size_t         i, w, h;
    uint8_t        a[160 * 160], b[160 * 160];
    reel_source_t  s;

    static const struct {
        int   m[4];
        int   rotation;
    } rows[] = {
        { {  1,  0,  0,  1 },   0 }, { {  0,  1, -1,  0 },  90 },
        { { -1,  0,  0, -1 }, 180 }, { {  0, -1,  1,  0 }, 270 },
        { {  1,  0,  0, -1 },   0 }, { { -1,  0,  0,  1 }, 180 },
        { {  0,  1,  1,  0 },  90 }, { {  0, -1, -1,  0 }, 270 }
    };

    (void) state;

    media_make("o.mp4", "-f lavfi -i testsrc=s=160x96:r=10:d=1 -c:v libx264 "
               "-crf 10");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_matrix("o.mp4", "turned.mp4", rows[i].m);
        media_inspect(&s, "turned.mp4");

        w = rows[i].rotation % 180 ? 96 : 160;
        h = rows[i].rotation % 180 ? 160 : 96;
        assert_int_equal(s.video.width, w);
        assert_int_equal(s.video.height, h);

        /* flips alone may be said in several ways; upright ones in one */
        if (i < 4) {
            assert_int_equal(s.video.rotation, rows[i].rotation);
            assert_false(s.video.hflip || s.video.vflip);
        }

        make_poster(&s, "turned.mp4", 0, s.video.width, s.video.height);
        grey(a, w, h, "p.0", "");
        grey(b, w, h, "turned.mp4", "");

        if (distance(a, b, w * h) > 6) {
            fail_msg("orientation %zu differs by %.1f", i,
                     distance(a, b, w * h));
        }

        reel_source_release(&s);
    }
}


/* the picture that shows at the instant, between key frames too */
static void
test_instant(void **state)
{
    char           clip[512], args[1024];
    int            bit, n;
    size_t         i;
    uint8_t        a[160 * 32];
    reel_source_t  s;

    static const int  frames[] = { 0, 1, 59, 60, 99, 140, 199 };

    (void) state;

    (void) snprintf(clip, sizeof(clip), MEDIA_NUMBERED, "25", "8");
    (void) snprintf(args, sizeof(args), "-f lavfi -i \"%s\" -c:v libx264 "
                    "-g 60", clip);
    media_make("n.mp4", args);
    media_inspect(&s, "n.mp4");

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        make_poster(&s, "n.mp4", s.video.first_pts
                                 + frames[i] * s.video.last_dur
                                 + s.video.last_dur / 2, 160, 32);
        grey(a, 160, 32, "p.0", "");

        for (bit = 0, n = 0; bit < 16; bit++) {
            n |= (a[16 * 160 + bit * 10 + 5] > 128) << bit;
        }
        assert_int_equal(n, frames[i]);
    }

    reel_source_release(&s);
}


/* interlaced and wide pixels, scaled; full range kept */
static void
test_kinds(void **state)
{
    uint8_t        a[64 * 36], b[64 * 36];
    reel_source_t  s;

    (void) state;

    media_make("i.ts", "-f lavfi -i testsrc2=s=320x180:r=50:d=2 "
               "-vf interlace -c:v libx264 -crf 12 -flags +ildct+ilme");
    media_inspect(&s, "i.ts");
    make_poster(&s, "i.ts", s.video.first_pts, 64, 36);
    grey(a, 64, 36, "p.0", "");
    grey(b, 64, 36, "i.ts", "");
    assert_true(distance(a, b, sizeof(a)) < 8);
    reel_source_release(&s);

    media_make("f.mp4", "-f lavfi -i testsrc2=s=320x180:r=10:d=1 "
               "-pix_fmt yuvj420p -c:v libx264 -crf 12");
    media_inspect(&s, "f.mp4");
    make_poster(&s, "f.mp4", 0, 64, 36);
    grey(a, 64, 36, "p.0", "");
    grey(b, 64, 36, "f.mp4", "");
    assert_true(distance(a, b, sizeof(a)) < 4);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_instant),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

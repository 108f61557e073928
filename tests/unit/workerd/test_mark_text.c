/* a watermark's text as an image */

#include "av_media.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libavutil/frame.h>

#include "workerd/av_filter.h"
#include "workerd/mark_text.h"

#define WIDTH   320
#define HEIGHT  180

static const reel_av_size_t size = { WIDTH, HEIGHT };


/* the drawn image, as encode_video reads it */
static void
draw(reel_av_mark_t *m, const reel_mark_t *how)
{
    int              fd = memfd_create("mark", 0);
    reel_buf_t       b;
    reel_error_t     e = { "" };
    reel_av_fault_t  f = { 0 };

    m->how = how;
    if (reel_mark_draw(&b, how, "conf/pipelines", &e) != REEL_OK) {
        fail_msg("%s", e.text);
    }

    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.data, b.len), b.len);
    assert_int_equal(reel_av_mark_read(m, fd, &f), 0);
    close(fd);
    reel_buf_release(&b);
}


/* pixels that the text covers, by more than half */
static int
covered(const reel_av_mark_t *m)
{
    int             x, y, n = 0;
    const AVFrame  *p = m->picture;

    assert_int_equal(p->format, AV_PIX_FMT_PAL8);

    for (y = 0; y < p->height; y++) {
        for (x = 0; x < p->width; x++) {
            n += p->data[0][y * p->linesize[0] + x] > 127;
        }
    }

    return n;
}


/* a black picture below it */
static AVFrame *
over_black(const reel_av_mark_t *m)
{
    int              i;
    AVFrame         *in = av_frame_alloc(), *out = av_frame_alloc();
    reel_av_fault_t  f = { 0 };
    reel_av_graph_t  g = { 0 };

    assert_non_null(in);
    assert_non_null(out);
    in->width = WIDTH;
    in->height = HEIGHT;
    in->format = AV_PIX_FMT_YUV420P;
    in->colorspace = AVCOL_SPC_BT709;
    assert_true(av_frame_get_buffer(in, 0) >= 0);

    for (i = 0; i < 3; i++) {
        memset(in->data[i], i ? 128 : 16, (size_t) in->linesize[i]
               * (size_t) (i ? HEIGHT / 2 : HEIGHT));
    }

    assert_int_equal(reel_av_graph_ladder(&g, in, (AVRational) { 1, 1000 },
        0, false, false, &size, 1, "yuv420p", m, &f), 0);
    assert_int_equal(reel_av_graph_push(&g, in, &f), 0);
    assert_int_equal(reel_av_graph_pull(&g, 0, out, &f), 1);

    reel_av_graph_release(&g);
    av_frame_free(&in);

    return out;
}


static void
it_lights_its_place_alone(void **state)
{
    int             x, y, high, within = 0, bright = 0;
    uint8_t         luma;
    AVFrame        *out;
    reel_av_mark_t  m = { 0 };
    reel_mark_t     how = { .text = "\xc2\xa9 reel", .color = 0xffffff,
                            .opacity = 100, .width = 50,
                            .position = REEL_MARK_BOTTOM_LEFT };

    (void) state;
    draw(&m, &how);

    assert_true(m.picture->width > 2 * m.picture->height);
    assert_in_range(covered(&m), m.picture->width * m.picture->height / 8,
                    m.picture->width * m.picture->height / 2);

    out = over_black(&m);
    high = WIDTH / 2 * m.picture->height / m.picture->width + 2;

    for (y = 0; y < HEIGHT; y++) {
        for (x = 0; x < WIDTH; x++) {
            luma = out->data[0][y * out->linesize[0] + x];

            if (x < WIDTH / 2 && y >= HEIGHT - high) {
                within += luma > 16;
                bright += luma > 220;

            } else if (luma != 16) {
                fail_msg("%d, %d: %u", x, y, luma);
            }
        }
    }

    assert_in_range(within, WIDTH / 2 * high / 8, WIDTH / 2 * high * 3 / 4);
    assert_true(bright > WIDTH / 2 * high / 12);

    av_frame_free(&out);
    reel_av_mark_release(&m);
}


static void
its_colour(void **state)
{
    int             i, n, u = 128, v = 128;
    AVFrame        *out;
    reel_av_mark_t  m = { 0 };
    reel_mark_t     how = { .text = "\xe2\x96\x88", .color = 0xff0000,
                            .opacity = 100, .width = 40,
                            .position = REEL_MARK_CENTER };

    (void) state;

    /* U+2588, all of its place */
    draw(&m, &how);
    n = m.picture->width * m.picture->height;
    assert_in_range(covered(&m), n * 9 / 10, n);

    out = over_black(&m);
    i = HEIGHT / 4;
    u = out->data[1][i * out->linesize[1] + WIDTH / 4];
    v = out->data[2][i * out->linesize[2] + WIDTH / 4];

    /* BT.709's red */
    assert_in_range(u, 100, 104);
    assert_in_range(v, 238, 241);

    av_frame_free(&out);
    reel_av_mark_release(&m);
}


/* a drawing program's commands are letters here */
static void
nothing_is_a_command(void **state)
{
    int             i, width[3];
    reel_av_mark_t  m = { 0 };
    reel_mark_t     how = { .color = 0xffffff };

    static const char *const texts[3] = { "%{pts}", "%{pts}%{pts}",
                                          "\\':=,;[%%]" };

    (void) state;

    for (i = 0; i < 3; i++) {
        memcpy(how.text, texts[i], strlen(texts[i]) + 1);
        draw(&m, &how);
        width[i] = m.picture->width;
        reel_av_mark_release(&m);
    }

    /* six letters and twelve, the same */
    assert_true(width[0] > 500);
    assert_in_range(width[1], 2 * width[0], 2 * width[0] + 50);
    assert_true(width[2] > 700);
}


static void
fails(reel_mark_t how, const char *why)
{
    char          text[64];
    reel_buf_t    b;
    reel_error_t  e = { "" };

    (void) snprintf(text, sizeof(text), "%s", media_path(""));
    assert_int_not_equal(reel_mark_draw(&b, &how, text, &e), REEL_OK);
    reel_buf_release(&b);

    if (strstr(e.text, why) == NULL) {
        fail_msg("\"%s\", not \"%s\"", e.text, why);
    }
}


static void
what_cannot_be_drawn(void **state)
{
    (void) state;

    fails((reel_mark_t) { .text = "a\xe6\x97\xa5" },
          "has no \"\xe6\x97\xa5\" (U+65E5)");
    fails((reel_mark_t) { .text = "  " }, "nothing is to be seen");
    fails((reel_mark_t) { .text = "a", .font = "none.ttf" },
          "\"none.ttf\" cannot be read");

    media_write("bad.ttf", "\0\1\0\0 and no more", 16);
    fails((reel_mark_t) { .text = "a", .font = "bad.ttf" },
          "\"bad.ttf\" cannot be read");
}


/* a wide letter as often as may be */
static void
the_longest(void **state)
{
    int             i;
    reel_av_mark_t  m = { 0 };
    reel_mark_t     how = { .color = 0xffffff, .opacity = 100, .width = 100,
                            .position = REEL_MARK_CENTER };
    AVFrame        *out;

    (void) state;

    for (i = 0; i < REEL_MARK_CHARS; i++) {
        memcpy(how.text + 3 * i, "\xe1\xbe\xa7", 3);
    }

    draw(&m, &how);
    out = over_black(&m);
    assert_int_equal(out->width, WIDTH);
    av_frame_free(&out);
    reel_av_mark_release(&m);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lights_its_place_alone),
        cmocka_unit_test(its_colour),
        cmocka_unit_test(nothing_is_a_command),
        cmocka_unit_test(what_cannot_be_drawn),
        cmocka_unit_test(the_longest),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

/* a watermark changes its corner of each rung, and nothing else */

#include "av_media.h"

#include <fcntl.h>
#include <unistd.h>

#include <libavutil/frame.h>

#include "workerd/av_filter.h"

#define WIDTH   320
#define HEIGHT  180
#define FRAMES  3

static const reel_av_size_t sizes[] = { { 320, 180 }, { 160, 90 } };


static AVFrame *
picture(int64_t pts)
{
    int       i, y, x;
    AVFrame  *f = av_frame_alloc();

    assert_non_null(f);
    f->width = WIDTH;
    f->height = HEIGHT;
    f->format = AV_PIX_FMT_YUV420P;
    f->colorspace = AVCOL_SPC_BT709;
    f->pts = pts;
    assert_true(av_frame_get_buffer(f, 0) >= 0);

    for (i = 0; i < 3; i++) {
        for (y = 0; y < (i ? HEIGHT / 2 : HEIGHT); y++) {
            for (x = 0; x < (i ? WIDTH / 2 : WIDTH); x++) {
                f->data[i][y * f->linesize[i] + x]
                    = (uint8_t) (60 + (x + 3 * y + pts) % 64);
            }
        }
    }

    return f;
}


/* pictures of one film in all rungs, with and without */
static void
film(AVFrame *out[FRAMES][2], const reel_av_mark_t *m)
{
    int               i;
    unsigned          r;
    AVFrame          *in;
    reel_av_fault_t   f = { 0 };
    reel_av_graph_t   g = { 0 };

    for (i = 0; i < FRAMES; i++) {
        in = picture(-40 + 40 * i);

        if (i == 0) {
            assert_int_equal(reel_av_graph_ladder(&g, in,
                (AVRational) { 1, 1000 }, 0, false, false, sizes, 2,
                "yuv420p", m, &f), 0);
        }

        assert_int_equal(reel_av_graph_push(&g, in, &f), 0);

        for (r = 0; r < 2; r++) {
            out[i][r] = av_frame_alloc();
            assert_int_equal(reel_av_graph_pull(&g, r, out[i][r], &f), 1);
            assert_int_equal(out[i][r]->width, sizes[r].width);
            assert_int_equal(out[i][r]->format, AV_PIX_FMT_YUV420P);
            assert_int_equal(out[i][r]->colorspace, AVCOL_SPC_BT709);
            assert_int_equal(out[i][r]->pts, in->pts);
        }

        av_frame_free(&in);
    }

    reel_av_graph_release(&g);
}


typedef struct { int x, y, w, h; } box_t;


/* how many pixels within the box differ; none does beyond it */
static int
differ(const AVFrame *a, const AVFrame *b, box_t box)
{
    int  x, y, i, s, n = 0;
    bool in, same;

    for (i = 0; i < 3; i++) {
        s = i ? 2 : 1;

        for (y = 0; y < a->height / s; y++) {
            for (x = 0; x < a->width / s; x++) {
                in = x * s >= box.x && x * s < box.x + box.w
                     && y * s >= box.y && y * s < box.y + box.h;
                same = a->data[i][y * a->linesize[i] + x]
                       == b->data[i][y * b->linesize[i] + x];
                n += in && !same;

                if (!in && !same) {
                    fail_msg("plane %d: %d, %d", i, x, y);
                }
            }
        }
    }

    return n;
}


static void
only_its_place_changes(void **state)
{
    int              fd, i;
    unsigned         r, p;
    AVFrame         *with[FRAMES][2], *without[FRAMES][2];
    reel_mark_t      how = { .opacity = 100, .width = 10, .margin = 5 };
    reel_av_mark_t   m = { .how = &how };
    reel_av_fault_t  f = { 0 };

    /* 32 and 16 square; 9 and 4 from the edges; places are even */
    static const box_t boxes[REEL_MARK_POSITIONS][2] = {
        { { 8, 8, 32, 32 }, { 4, 4, 16, 16 } },
        { { 278, 8, 32, 32 }, { 140, 4, 16, 16 } },
        { { 8, 138, 32, 32 }, { 4, 70, 16, 16 } },
        { { 278, 138, 32, 32 }, { 140, 70, 16, 16 } },
        { { 144, 74, 32, 32 }, { 72, 36, 16, 16 } },
    };

    (void) state;
    fd = open("conf/pipelines/watermark.png", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(reel_av_mark_read(&m, fd, &f), 0);
    close(fd);

    film(without, NULL);

    for (p = 0; p < REEL_MARK_POSITIONS; p++) {
        how.position = (reel_mark_position_t) p;
        film(with, &m);

        for (i = 0; i < FRAMES; i++) {
            for (r = 0; r < 2; r++) {
                assert_true(differ(with[i][r], without[i][r], boxes[p][r])
                            > boxes[p][r].w * boxes[p][r].h / 2);
                av_frame_free(&with[i][r]);
            }
        }
    }

    for (i = 0; i < FRAMES; i++) {
        av_frame_free(&without[i][0]);
        av_frame_free(&without[i][1]);
    }
    reel_av_mark_release(&m);
}


/* white at full and at half its opacity, over black */
static void
opacity(void **state)
{
    int              i;
    uint8_t          y[2];
    AVFrame         *out[FRAMES][2];
    reel_mark_t      how = { .opacity = 100, .width = 100, .position
                             = REEL_MARK_CENTER };
    reel_av_mark_t   m = { .how = &how };

    (void) state;
    m.picture = av_frame_alloc();
    m.picture->width = m.picture->height = 16;
    m.picture->format = AV_PIX_FMT_GRAY8;
    assert_true(av_frame_get_buffer(m.picture, 0) >= 0);
    memset(m.picture->data[0], 255, (size_t) m.picture->linesize[0] * 16);

    for (i = 0; i < 2; i++) {
        film(out, &m);
        y[i] = out[0][0]->data[0][90 * out[0][0]->linesize[0] + 160];
        how.opacity = 50;

        for (int k = 0; k < FRAMES; k++) {
            av_frame_free(&out[k][0]);
            av_frame_free(&out[k][1]);
        }
    }

    assert_in_range(y[0], 234, 236);
    /* the picture beneath is 60 to 123 there */
    assert_in_range(y[1], (60 + 235) / 2 - 2, (123 + 235) / 2 + 2);
    reel_av_mark_release(&m);
}


static void
what_is_no_image(void **state)
{
    int              fd;
    reel_mark_t      how = { .opacity = 100 };
    reel_av_mark_t   m = { .how = &how };
    reel_av_fault_t  f = { 0 };

    (void) state;
    fd = open("conf/pipelines/watermark.yaml", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(reel_av_mark_read(&m, fd, &f), -1);
    assert_string_equal(f.code, "BAD_PIPELINE");
    close(fd);
    reel_av_mark_release(&m);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_place_changes),
        cmocka_unit_test(opacity),
        cmocka_unit_test(what_is_no_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* HDR, alpha and RGB on their way to a rung */

#include "av_media.h"

#include <libavutil/frame.h>

#include "workerd/av_colour.h"
#include "workerd/av_filter.h"

#define SIDE  64


static AVFrame *
make(enum AVPixelFormat format)
{
    AVFrame  *f;

    f = av_frame_alloc();
    assert_non_null(f);

    f->width = SIDE;
    f->height = SIDE;
    f->format = format;
    f->pts = 0;
    assert_true(av_frame_get_buffer(f, 0) >= 0);

    return f;
}


/* planes of 16-bit samples */
static AVFrame *
deep(enum AVPixelFormat format, enum AVColorTransferCharacteristic trc,
    const uint16_t *samples)
{
    int        i, x, y, w, h;
    AVFrame   *f;
    uint16_t  *row;

    f = make(format);
    f->color_trc = trc;
    f->color_primaries = AVCOL_PRI_BT2020;
    f->colorspace = AVCOL_SPC_BT2020_NCL;
    f->color_range = AVCOL_RANGE_MPEG;

    for (i = 0; i < 4 && f->data[i] != NULL; i++) {
        w = h = format == AV_PIX_FMT_YUV420P10 && i > 0 ? SIDE / 2 : SIDE;

        for (y = 0; y < h; y++) {
            row = (uint16_t *) (void *) (f->data[i] + y * f->linesize[i]);
            for (x = 0; x < w; x++) {
                row[x] = samples[i];
            }
        }
    }

    return f;
}


/* the picture through a ladder; in is released */
static AVFrame *
scaled(AVFrame *in)
{
    AVFrame          *out;
    reel_av_fault_t   f = { 0 };
    reel_av_graph_t   g = { 0 };
    reel_av_size_t    sizes[] = { { 48, 48 }, { 32, 32 } };

    out = av_frame_alloc();
    assert_non_null(out);
    assert_int_equal(reel_av_graph_ladder(&g, in, (AVRational) { 1, 25 }, 0,
                                          false, false, sizes, 2, "yuv420p",
                                          NULL, &f), 0);
    assert_int_equal(reel_av_graph_push(&g, in, &f), 0);
    assert_int_equal(reel_av_graph_pull(&g, 0, out, &f), 1);
    assert_int_equal(out->width, 48);
    assert_int_equal(out->format, AV_PIX_FMT_YUV420P);

    reel_av_graph_release(&g);
    av_frame_free(&in);

    return out;
}


static uint8_t
at(const AVFrame *f, int plane)
{
    int  middle = (plane == 0 ? 24 : 12);

    return f->data[plane][middle * f->linesize[plane] + middle];
}


static uint8_t
luma_of(enum AVColorTransferCharacteristic trc, uint16_t y)
{
    AVFrame   *out;
    uint8_t    v;
    uint16_t   samples[] = { y, 512, 512 };

    out = scaled(deep(AV_PIX_FMT_YUV420P10, trc, samples));

    assert_int_equal(out->color_trc, AVCOL_TRC_BT709);
    assert_int_equal(out->color_primaries, AVCOL_PRI_BT709);
    assert_int_equal(out->colorspace, AVCOL_SPC_BT709);
    assert_int_equal(out->color_range, AVCOL_RANGE_MPEG);

    /* grey stays grey */
    assert_in_range(at(out, 1), 126, 130);
    assert_in_range(at(out, 2), 126, 130);

    v = at(out, 0);
    av_frame_free(&out);

    return v;
}


static void
test_hdr(void **state)
{
    unsigned  i, k;
    uint8_t   v[4];

    /* of a narrow-range 10-bit signal: black, white of paper (203 cd/m²
       by BT.2408), light of 1000 cd/m², and what lies beyond */
    static const struct {
        enum AVColorTransferCharacteristic  trc;
        uint16_t                            y[4];
    } rows[] = {
        { AVCOL_TRC_SMPTE2084,    { 64, 572, 722, 940 } },
        { AVCOL_TRC_ARIB_STD_B67, { 64, 721, 940, 1000 } },
    };

    (void) state;

    for (i = 0; i < 2; i++) {
        for (k = 0; k < 4; k++) {
            v[k] = luma_of(rows[i].trc, rows[i].y[k]);
        }

        assert_in_range(v[0], 16, 18);
        assert_in_range(v[1], 110, 215);
        assert_in_range(v[2], v[1] + 15, 235);
        assert_true(v[3] >= v[2]);
    }
}


/* a graph is made for one kind of light */
static void
test_light_changes(void **state)
{
    AVFrame          *a, *b;
    reel_av_fault_t   f = { 0 };
    reel_av_graph_t   g = { 0 };
    reel_av_size_t    size = { 32, 32 };
    const uint16_t    grey[] = { 512, 512, 512 };

    (void) state;

    a = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_SMPTE2084, grey);
    b = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_BT709, grey);

    assert_int_equal(reel_av_graph_ladder(&g, a, (AVRational) { 1, 25 }, 0,
                                          false, false, &size, 1, "yuv420p",
                                          NULL, &f), 0);
    assert_true(reel_av_graph_fits(&g, a));
    assert_false(reel_av_graph_fits(&g, b));

    reel_av_graph_release(&g);
    av_frame_free(&a);
    av_frame_free(&b);
}


/* white over black by alpha, 10 bit of which half is 512 */
static void
test_alpha(void **state)
{
    unsigned  i;
    AVFrame  *out;

    static const struct {
        uint16_t  alpha;
        uint8_t   low, high;
    } rows[] = {
        { 0, 14, 18 }, { 512, 120, 132 }, { 1023, 233, 236 },
    };

    (void) state;

    for (i = 0; i < 3; i++) {
        uint16_t  samples[] = { 940, 512, 512, rows[i].alpha };

        out = scaled(deep(AV_PIX_FMT_YUVA444P10, AVCOL_TRC_BT709, samples));
        assert_in_range(at(out, 0), rows[i].low, rows[i].high);
        av_frame_free(&out);
    }
}


/* red, opaque and not: BT.709's numbers, and said to be */
static void
test_rgb(void **state)
{
    int              x, y, i;
    AVFrame         *in, *out;
    static const int luma[] = { 63, 16 };

    (void) state;

    for (i = 0; i < 2; i++) {
        in = make(AV_PIX_FMT_BGRA);
        in->colorspace = AVCOL_SPC_RGB;

        for (y = 0; y < SIDE; y++) {
            for (x = 0; x < SIDE; x++) {
                uint8_t  *p = in->data[0] + y * in->linesize[0] + 4 * x;

                p[0] = p[1] = 0;
                p[2] = 255;
                p[3] = i == 0 ? 255 : 0;
            }
        }

        out = scaled(in);
        assert_in_range(at(out, 0), luma[i] - 2, luma[i] + 2);
        assert_int_equal(out->colorspace, AVCOL_SPC_BT709);
        assert_int_equal(out->color_trc, AVCOL_TRC_BT709);
        av_frame_free(&out);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_hdr),
        cmocka_unit_test(test_light_changes),
        cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_rgb),
    };

    return cmocka_run_group_tests_name("av_colour", tests, NULL, NULL);
}

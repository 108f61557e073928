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
luma_of(enum AVColorTransferCharacteristic trc, enum AVColorRange range,
    uint16_t y)
{
    AVFrame   *in, *out;
    uint8_t    v;
    uint16_t   samples[] = { y, 512, 512 };

    in = deep(AV_PIX_FMT_YUV420P10, trc, samples);
    in->color_range = range;
    out = scaled(in);

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
            v[k] = luma_of(rows[i].trc, AVCOL_RANGE_MPEG, rows[i].y[k]);
        }

        assert_in_range(v[0], 16, 18);
        assert_in_range(v[1], 110, 215);
        assert_in_range(v[2], v[1] + 15, 235);
        assert_true(v[3] >= v[2]);

        /* of white: (y - 64) / 876 */
        v[3] = luma_of(rows[i].trc, AVCOL_RANGE_JPEG,
                       (uint16_t) ((rows[i].y[1] - 64) * 1023 / 876));
        assert_in_range(v[3], v[1] - 1, v[1] + 1);
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


/* one picture on its way to a rung that keeps PQ, its luma in 10 bits */
static uint16_t
kept_luma(AVFrame *in)
{
    AVFrame          *out;
    uint16_t          v;
    reel_av_fault_t   f = { 0 };
    reel_av_graph_t   g = { 0 };
    reel_av_size_t    sizes[] = { { 48, 48, AVCOL_TRC_SMPTE2084 },
                                  { 32, 32, AVCOL_TRC_RESERVED0 } };

    out = av_frame_alloc();
    assert_non_null(out);
    assert_int_equal(reel_av_graph_ladder(&g, in, (AVRational) { 1, 25 }, 0,
                                          false, false, sizes, 2, "yuv420p",
                                          NULL, &f), 0);
    assert_int_equal(reel_av_graph_push(&g, in, &f), 0);
    if (reel_av_graph_pull(&g, 1, out, &f) != 1) {
        fail_msg("%s", f.text);
    }
    assert_int_equal(out->format, AV_PIX_FMT_YUV420P);
    assert_int_equal(out->color_trc, AVCOL_TRC_BT709);
    av_frame_unref(out);

    assert_int_equal(reel_av_graph_pull(&g, 0, out, &f), 1);
    assert_int_equal(out->format, AV_PIX_FMT_YUV420P10);
    assert_int_equal(out->color_trc, AVCOL_TRC_SMPTE2084);
    assert_int_equal(out->color_primaries, AVCOL_PRI_BT2020);
    assert_int_equal(out->colorspace, AVCOL_SPC_BT2020_NCL);
    assert_int_equal(out->color_range, AVCOL_RANGE_MPEG);
    v = ((uint16_t *) (void *) (out->data[0] + 24 * out->linesize[0]))[24];

    reel_av_graph_release(&g);
    av_frame_free(&out);
    av_frame_free(&in);

    return v;
}


/* PQ as it is; in full range, RGB or another light it becomes so */
static void
test_kept(void **state)
{
    AVFrame         *in;
    const uint16_t   grey[] = { 600, 512, 512 };
    const uint16_t   full[] = { 626, 512, 512 };   /* (600 - 64) / 876 */
    const uint16_t   rgb[] = { 626, 626, 626 };
    const uint16_t   white[] = { 940, 512, 512 };  /* PQ: 203 cd/m2 */

    (void) state;

    in = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_SMPTE2084, grey);
    assert_int_equal(kept_luma(in), 600);

    in = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_SMPTE2084, grey);
    in->color_primaries = AVCOL_PRI_UNSPECIFIED;
    in->colorspace = AVCOL_SPC_UNSPECIFIED;
    assert_int_equal(kept_luma(in), 600);

    in = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_SMPTE2084, full);
    in->color_range = AVCOL_RANGE_JPEG;
    assert_in_range(kept_luma(in), 598, 602);

    in = deep(AV_PIX_FMT_GBRP10, AVCOL_TRC_SMPTE2084, rgb);
    in->colorspace = AVCOL_SPC_RGB;
    assert_in_range(kept_luma(in), 598, 602);

    in = deep(AV_PIX_FMT_YUV420P10, AVCOL_TRC_BT709, white);
    in->color_primaries = AVCOL_PRI_BT709;
    in->colorspace = AVCOL_SPC_BT709;
    assert_in_range(kept_luma(in), 569, 576);
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
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_rgb),
    };

    return cmocka_run_group_tests_name("av_colour", tests, NULL, NULL);
}

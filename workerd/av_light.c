#include "workerd/av_light.h"

#include <stdio.h>

#include <libavutil/mastering_display_metadata.h>

#include "workerd/av_compat.h"


#define CHROMA     50000        /* units of a coordinate */
#define LUMINANCE  10000        /* of a cd/m2 */


static int64_t
units(AVRational q, int64_t unit, int64_t most)
{
    int64_t  v;

    if (q.num < 0 || q.den <= 0) {
        return 0;
    }

    v = av_rescale(q.num, unit, q.den);

    return v > most ? most : v;
}


static uint16_t
coordinate(AVRational q)
{
    return (uint16_t) units(q, CHROMA, UINT16_MAX);
}


static void
take_mastering(reel_hdr_t *h, const AVMasteringDisplayMetadata *m)
{
    unsigned         i;
    static const int rgb[] = { 1, 2, 0 };       /* of green, blue, red */

    if (m == NULL || !m->has_primaries || !m->has_luminance) {
        return;
    }

    for (i = 0; i < 3; i++) {
        h->primaries[i][0] = coordinate(m->display_primaries[rgb[i]][0]);
        h->primaries[i][1] = coordinate(m->display_primaries[rgb[i]][1]);
    }

    h->white[0] = coordinate(m->white_point[0]);
    h->white[1] = coordinate(m->white_point[1]);
    h->max_luminance = (uint32_t) units(m->max_luminance, LUMINANCE,
                                        UINT32_MAX);
    h->min_luminance = (uint32_t) units(m->min_luminance, LUMINANCE,
                                        UINT32_MAX);

    /* others say nothing, and encoders refuse them */
    h->mastering = h->max_luminance > h->min_luminance && h->white[1] > 0;
}


static void
take_light(reel_hdr_t *h, const AVContentLightMetadata *m)
{
    if (m == NULL || m->MaxCLL == 0) {
        return;
    }

    h->max_cll = (uint16_t) (m->MaxCLL > UINT16_MAX ? UINT16_MAX : m->MaxCLL);
    h->max_fall = (uint16_t) (m->MaxFALL > UINT16_MAX ? UINT16_MAX
                                                      : m->MaxFALL);
    h->light = true;
}


static const void *
told(const AVFrame *f, enum AVFrameSideDataType type, const AVStream *st,
    enum AVPacketSideDataType stored)
{
    size_t                  size;
    const AVFrameSideData  *sd = av_frame_get_side_data(f, type);

    return sd != NULL ? sd->data : reel_stream_side_data(st, stored, &size);
}


void
reel_av_light_see(reel_source_light_t *l, const AVFrame *f,
    const AVStream *st)
{
    *l = (reel_source_light_t) {
        .range = f->color_trc == AVCOL_TRC_SMPTE2084 ? REEL_RANGE_PQ
                 : f->color_trc == AVCOL_TRC_ARIB_STD_B67 ? REEL_RANGE_HLG
                                                          : REEL_RANGE_SDR
    };

    if (l->range == REEL_RANGE_PQ) {
        take_mastering(&l->told,
                       told(f, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, st,
                            AV_PKT_DATA_MASTERING_DISPLAY_METADATA));
        take_light(&l->told,
                   told(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, st,
                        AV_PKT_DATA_CONTENT_LIGHT_LEVEL));
    }
}


enum AVColorTransferCharacteristic
reel_av_light_curve(reel_video_range_t range)
{
    switch (range) {
    case REEL_RANGE_PQ:
        return AVCOL_TRC_SMPTE2084;
    case REEL_RANGE_HLG:
        return AVCOL_TRC_ARIB_STD_B67;
    default:
        return AVCOL_TRC_RESERVED0;
    }
}


static int
length(int n, size_t cap)
{
    return n < 0 ? 0 : (size_t) n < cap ? n : (int) cap - 1;
}


void
reel_av_light_x265(char *dst, size_t cap, const reel_hdr_t *h)
{
    int  n = 0;

    dst[0] = '\0';

    if (h->mastering) {
        n = snprintf(dst, cap, ":master-display=G(%u,%u)B(%u,%u)R(%u,%u)"
                     "WP(%u,%u)L(%u,%u)", h->primaries[0][0],
                     h->primaries[0][1], h->primaries[1][0],
                     h->primaries[1][1], h->primaries[2][0],
                     h->primaries[2][1], h->white[0], h->white[1],
                     h->max_luminance, h->min_luminance);
        n = length(n, cap);
    }

    if (h->light) {
        (void) snprintf(dst + n, cap - (size_t) n, ":max-cll=%u,%u",
                        h->max_cll, h->max_fall);
    }
}


#define XY(p) (double) (p)[0] / CHROMA, (double) (p)[1] / CHROMA


void
reel_av_light_svt(char *dst, size_t cap, const reel_hdr_t *h)
{
    int  n = 0;

    dst[0] = '\0';

    if (h->mastering) {
        n = snprintf(dst, cap, ":mastering-display=G(%.5f,%.5f)B(%.5f,%.5f)"
                     "R(%.5f,%.5f)WP(%.5f,%.5f)L(%.4f,%.4f)",
                     XY(h->primaries[0]), XY(h->primaries[1]),
                     XY(h->primaries[2]), XY(h->white),
                     (double) h->max_luminance / LUMINANCE,
                     (double) h->min_luminance / LUMINANCE);
        n = length(n, cap);
    }

    if (h->light) {
        (void) snprintf(dst + n, cap - (size_t) n, ":content-light=%u,%u",
                        h->max_cll, h->max_fall);
    }
}

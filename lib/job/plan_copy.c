/*
 * Sources whose pictures are copied, not encoded.  inspect says whether the
 * packets can stand as they are; here is whether the pipeline wants them, and
 * whether a grid can be laid over their key frames.
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

/* of a fragment; a segment is three */
#define GOP_LEAST_S   1
#define GOP_MOST_S    6

/* pictures: SVT-AV1, whose renditions may stand beside, makes no GOP of one */
#define AV1_LEAST     2

/* the last picture stands less than this, and than a GOP, as sound goes on */
#define HELD_S        2

/* a unit of sound, by which its last fragment may be longer yet */
#define UNIT_MS       50


/* false: it is none that can be made, or copied */
static bool
find_codec(reel_video_codec_t *c, const reel_source_video_t *v)
{
    return reel_video_codec_find(v->codec, c) && *c != REEL_VIDEO_AV1;
}


/* what inspect said of every codec while H.264 alone was copied */
static bool
is_before_hevc(const reel_source_video_t *v)
{
    return strcmp(v->codec, "hevc") == 0
           && strcmp(v->copy.refused, "it is not H.264") == 0;
}


static const char *
none_of(reel_video_codec_t codec)
{
    return codec == REEL_VIDEO_H264 ? "no H.264 is made of it"
                                    : "no HEVC is made of it";
}


/* whether there is a ladder that it can be the top of */
static const char *
refuse_top(const reel_pipeline_t *pl, const reel_source_t *src,
    reel_video_codec_t codec, bool hdr)
{
    uint32_t                   i, n;
    reel_video_rung_t          rungs[REEL_TASK_RUNGS];
    const reel_source_video_t *v = &src->video;

    n = reel_plan_rungs(rungs, pl, codec, v->width, v->height, src);

    for (i = 0; i < n; i++) {
        if (hdr && !rungs[i].hdr) {
            return "it is of high dynamic range, which is mapped";
        }
    }

    return n == 0 ? none_of(codec) : NULL;
}


/* whether the pipeline takes packets of such a film, and its light */
static const char *
refuse_codec(const reel_pipeline_t *pl, const reel_source_t *src)
{
    bool                       hdr;
    reel_video_codec_t         codec;
    const reel_source_video_t *v = &src->video;

    if (!find_codec(&codec, v)) {
        return NULL;                    /* inspect says what it is */
    }

    if (!(pl->copy_codecs >> codec & 1)) {
        return codec == REEL_VIDEO_H264 ? "copy_codecs has no h264"
                                        : "copy_codecs has no hevc";
    }

    if (!reel_node_wanted(pl, reel_plan_encoder(pl, codec), src)) {
        return none_of(codec);
    }

    hdr = v->light.range != REEL_RANGE_SDR;

    if (hdr && codec == REEL_VIDEO_H264) {
        return "it is of high dynamic range, which no H.264 here is";
    }
    if (hdr && pl->hdr != REEL_HDR_KEEP) {
        return "it is of high dynamic range, which is mapped";
    }

    return pl->copy_as == REEL_COPY_TOP ? refuse_top(pl, src, codec, hdr)
                                        : NULL;
}


/* NULL: a grid of *gop frames */
static const char *
choose_gop(uint32_t *gop, const reel_pipeline_t *pl,
    const reel_source_video_t *v)
{
    int64_t most, least, want, times;

    most = (int64_t) GOP_MOST_S * v->rate.num / v->rate.den;
    least = reel_rescale(GOP_LEAST_S, v->rate.num, v->rate.den,
                         REEL_ROUND_UP);
    least = least < AV1_LEAST && pl->copy_as == REEL_COPY_TOP ? AV1_LEAST
                                                              : least;

    if (v->copy.gop == 0) {
        *gop = (uint32_t) most;
        return v->frames > (uint64_t) most
               ? "there is no key frame where one is needed" : NULL;
    }

    want = reel_rescale(pl->gop_ms, v->rate.num,
                        (uint64_t) 1000 * v->rate.den, REEL_ROUND_NEAR);
    want = want < least ? least : want > most ? most : want;

    times = (want + v->copy.gop / 2) / v->copy.gop;
    times += times == 0 || times * v->copy.gop < least;
    times -= times > 1 && times * v->copy.gop > most;

    *gop = (uint32_t) (times * v->copy.gop);

    return *gop > most ? "its key frames are too far apart"
           : *gop < least || *gop <= v->copy.delay
             ? "its key frames fit no grid" : NULL;
}


uint32_t
reel_plan_copy_gop(char why[REEL_COPY_WHY], const reel_pipeline_t *pl,
    const reel_source_t *src)
{
    uint32_t                   gop = 0;
    const char                *no;
    const reel_source_video_t *v = &src->video;

    if (pl->copy_max_kbps == 0) {
        return 0;
    }

    no = pl->mark.image[0] != '\0' ? "a watermark is laid over it"
         : refuse_codec(pl, src);

    if (no == NULL) {
        no = !v->copy.known ? "it was inspected before reel looked at packets"
             : is_before_hevc(v) ? "it was inspected before reel copied HEVC"
             : v->copy.refused[0] != '\0' ? v->copy.refused
             : choose_gop(&gop, pl, v);
    }

    if (no == NULL && v->copy.kbps > pl->copy_max_kbps) {
        (void) snprintf(why, REEL_COPY_WHY, "it has up to %u kbit/s, more "
                        "than copy_max_kbps %u", v->copy.kbps,
                        pl->copy_max_kbps);
        return 0;
    }

    if (no != NULL) {
        (void) snprintf(why, REEL_COPY_WHY, "%s", no);
    }

    return no == NULL ? gop : 0;
}


bool
reel_plan_copy_fits(char why[REEL_COPY_WHY], reel_timeline_t *t,
    const reel_source_video_t *v)
{
    int64_t      held, most;
    const char  *no = NULL;
    reel_grid_t *g = &t->grid;

    held = g->end_ts - t->video_end;
    most = (int64_t) HELD_S * g->timescale;
    most = most < g->gop_ts ? most : g->gop_ts;

    if (held < most
        && t->video_end <= (int64_t) (g->fragments - 1) * g->gop_ts)
    {
        g->fragments--;
    }

    if (g->frame_ts == 0) {
        no = "its rate is not constant";

    } else if (t->video_origin != v->first_pts) {
        no = "its sound begins before its pictures";

    } else if (held >= most) {
        no = "its sound goes on after its pictures";
    }

    if (no != NULL) {
        (void) snprintf(why, REEL_COPY_WHY, "%s", no);
    }

    return no == NULL;
}


static int64_t
target_s(const reel_grid_t *g, int64_t ts)
{
    return reel_rescale(ts, 1, g->timescale, REEL_ROUND_NEAR);
}


bool
reel_plan_raises_target(const reel_grid_t *g)
{
    int64_t last = g->end_ts - (int64_t) (g->fragments - 1) * g->gop_ts;

    return last > g->gop_ts
           && target_s(g, last + (int64_t) g->timescale * UNIT_MS / 1000)
              > target_s(g, g->gop_ts);
}


void
reel_plan_copy_rung(reel_video_rung_t *r, const reel_source_video_t *v)
{
    reel_video_codec_t codec = REEL_VIDEO_H264;

    (void) find_codec(&codec, v);

    *r = (reel_video_rung_t) {
        .codec = codec,
        .width = v->width,
        .height = v->height,
        .max_kbps = v->copy.kbps,
        .buf_kbits = v->copy.kbps,
        .every = 1,
        .hdr = v->light.range != REEL_RANGE_SDR,
        .preset = "copy"
    };

    reel_plan_name_rung(r, v->width < v->height ? v->width : v->height);
}

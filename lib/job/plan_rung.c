/*
 * Which rungs a source gets: those of the pipeline that are not larger than
 * it, and one of its own size where that lies between two of them.  A source
 * barely larger than a rung (8 %) takes that rung's place: scaling by so
 * little costs sharpness and saves nothing.
 *
 * Small rungs are for slow lines and small screens: of a film of 50 or 60
 * pictures a second they have every second one, as Apple's authoring
 * specification has it (at most 30 below 960x540).  Not the largest rung:
 * nothing else would show all of what a small film has.
 */

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"
#include "lib/job/when.h"

#define NEAR_PERCENT  8
#define AV1_SIDE      64
#define SMALL_SIDE    480       /* below it: */
#define SMALL_FPS     30
#define FPS_PERCENT   110       /* a rate that wanders about 30 is left */


uint32_t
reel_plan_even(uint32_t n, uint32_t num, uint32_t den)
{
    uint64_t v;

    v = 2 * (((uint64_t) n * num + den) / (2 * (uint64_t) den));

    return v < 2 ? 2 : v > 65534 ? 65534 : (uint32_t) v;
}


/* linear in the short side; below lo in proportion to the area */
static uint32_t
between(uint32_t s, uint32_t lo_s, uint32_t lo, uint32_t hi_s, uint32_t hi)
{
    if (s <= lo_s || hi_s <= lo_s) {
        return (uint32_t) ((uint64_t) lo * s * s / ((uint64_t) lo_s * lo_s));
    }

    return (uint32_t) ((int64_t) lo + ((int64_t) hi - lo) * (s - lo_s)
                                      / (hi_s - lo_s));
}


/* a rung of the source's own size, from its neighbours hi and lo */
static reel_rung_t
own_rung(uint32_t s, const reel_rung_t *hi, const reel_rung_t *lo)
{
    reel_rung_t r = *hi;        /* whose place it takes */

    r.short_side = s;
    r.max_kbps = between(s, lo->short_side, lo->max_kbps, hi->short_side,
                         hi->max_kbps);
    r.buf_kbits = between(s, lo->short_side, lo->buf_kbits, hi->short_side,
                          hi->buf_kbits);
    r.crf = s <= lo->short_side ? lo->crf
            : between(s, lo->short_side, lo->crf, hi->short_side, hi->crf);

    /* a small picture still has its headers and its key frames */
    r.max_kbps = r.max_kbps < 100 ? 100 : r.max_kbps;
    r.buf_kbits = r.buf_kbits < 150 ? 150 : r.buf_kbits;

    return r;
}


/* how many pictures of that rate become one; rate.den > 0 */
static uint32_t
every_of(uint32_t fps, reel_rational_t rate)
{
    uint32_t every = 1;

    while (fps != 0 && every < REEL_RUNG_EVERY
           && (uint64_t) rate.num * 100
              > (uint64_t) fps * FPS_PERCENT * every * rate.den)
    {
        every *= 2;
    }

    return every;
}


/* 0: any rate */
static uint32_t
most_fps(const reel_rung_t *r, bool largest)
{
    return r->max_fps != 0 ? r->max_fps
           : r->short_side < SMALL_SIDE && !largest ? SMALL_FPS : 0;
}


uint32_t
reel_plan_every_most(const reel_pipeline_t *pl, reel_rational_t rate)
{
    uint32_t i, n, most = 1;

    for (i = 0; i < pl->nrungs; i++) {
        n = every_of(most_fps(&pl->rungs[i], false), rate);
        most = n > most ? n : most;
    }

    return most;
}


uint32_t
reel_plan_every(const reel_pipeline_t *pl, const reel_video_rung_t *r,
    bool largest, reel_rational_t rate)
{
    uint32_t i, side = r->width < r->height ? r->width : r->height;

    for (i = 0; i < pl->nrungs; i++) {
        if (pl->rungs[i].codec == r->codec && pl->rungs[i].short_side == side)
        {
            return every_of(most_fps(&pl->rungs[i], largest), rate);
        }
    }

    /* of the source's own size: it never was another one */
    return r->every;
}


static bool
keeps_hdr(const reel_rung_t *r, const reel_pipeline_t *pl,
    const reel_source_t *src)
{
    if (src == NULL || src->video.light.range == REEL_RANGE_SDR) {
        return false;
    }

    return r->hdr == REEL_HDR_UNSAID
           ? pl->hdr == REEL_HDR_KEEP && r->codec != REEL_VIDEO_H264
           : r->hdr == REEL_HDR_KEEP;
}


void
reel_plan_name_rung(reel_video_rung_t *r, uint32_t side)
{
    static const char *const prefixes[REEL_VIDEO_CODECS] = { "v", "h", "av" };

    (void) snprintf(r->name, sizeof(r->name), "%s%u", prefixes[r->codec],
                    side);
}


/* of a film of that size; largest: of its codec */
static void
set_rung(reel_video_rung_t *v, const reel_rung_t *r,
    const reel_pipeline_t *pl, uint32_t width, uint32_t height,
    const reel_source_t *src, bool largest)
{
    uint32_t         side = width < height ? width : height;
    reel_rational_t  rate = { 0, 1 };

    if (src != NULL) {
        rate = src->video.rate;
    }

    *v = (reel_video_rung_t) {
        .codec = r->codec,
        .width = reel_plan_even(width, r->short_side, side),
        .height = reel_plan_even(height, r->short_side, side),
        .crf = r->crf,
        .max_kbps = r->max_kbps,
        .buf_kbits = r->buf_kbits,
        .every = every_of(most_fps(r, largest), rate),
        .hdr = keeps_hdr(r, pl, src)
    };

    reel_plan_name_rung(v, r->short_side);
    memcpy(v->preset, r->preset, sizeof(v->preset));
}


/* the codec's own, falling, each with what is left to chance resolved */
static uint32_t
ladder_of(reel_rung_t rungs[REEL_PIPELINE_RUNGS], const reel_pipeline_t *pl,
    reel_video_codec_t codec)
{
    uint32_t    i, n = 0;
    const char *preset;

    for (i = 0; i < pl->nrungs; i++) {
        if (pl->rungs[i].codec != codec) {
            continue;
        }

        rungs[n] = pl->rungs[i];

        if (rungs[n].preset[0] == '\0') {
            preset = codec == pl->codec ? pl->preset
                     : reel_video_preset_default(codec);
            (void) snprintf(rungs[n].preset, sizeof(rungs[n].preset), "%s",
                            preset);
        }

        n++;
    }

    return n;
}


static bool
holds(const reel_rung_t *r, const reel_source_t *src)
{
    /* what SVT-AV1 takes */
    if (r->codec == REEL_VIDEO_AV1 && r->short_side < AV1_SIDE) {
        return false;
    }

    return src == NULL || reel_when_holds(r->when, strlen(r->when), src);
}


uint32_t
reel_plan_rungs(reel_video_rung_t out[REEL_TASK_RUNGS],
    const reel_pipeline_t *pl, reel_video_codec_t codec, uint32_t width,
    uint32_t height, const reel_source_t *src)
{
    uint32_t           n, i, s, of;
    reel_rung_t        own, rungs[REEL_PIPELINE_RUNGS];
    const reel_rung_t *hi, *lo;

    of = ladder_of(rungs, pl, codec);

    /* odd sizes lose a line or column, they are not scaled */
    width = width < 2 ? 2 : width & ~1u;
    height = height < 2 ? 2 : height & ~1u;
    s = width < height ? width : height;
    n = 0;

    for (i = 0; i < of && rungs[i].short_side > s; i++) {
        /* void */
    }

    if (of > 0 && (i == of || (i > 0 && rungs[i].short_side < s))) {
        lo = &rungs[i == of ? i - 1 : i];
        hi = &rungs[i == 0 ? 0 : i - 1];
        own = own_rung(s, hi, lo);

        if (holds(&own, src)) {
            set_rung(&out[n++], &own, pl, width, height, src, true);

            i += i < of
                 && (uint64_t) s * 100
                    <= (uint64_t) rungs[i].short_side * (100 + NEAR_PERCENT);
        }
    }

    for ( ; i < of && n < REEL_TASK_RUNGS; i++) {
        if (holds(&rungs[i], src)) {
            set_rung(&out[n], &rungs[i], pl, width, height, src, n == 0);
            n++;
        }
    }

    return n;
}

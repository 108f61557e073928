/*
 * Which rungs a source gets: those of the pipeline that are not larger than
 * it, and one of its own size where that lies between two of them.  A source
 * barely larger than a rung (8 %) takes that rung's place: scaling by so
 * little costs sharpness and saves nothing.
 */

#include <stdio.h>

#include "lib/job/plan_part.h"

#define NEAR_PERCENT  8


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
    reel_rung_t r;

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


static void
set_rung(reel_video_rung_t *v, const reel_rung_t *r, uint32_t width,
    uint32_t height, uint32_t side)
{
    (void) snprintf(v->name, sizeof(v->name), "v%u", r->short_side);
    v->width = reel_plan_even(width, r->short_side, side);
    v->height = reel_plan_even(height, r->short_side, side);
    v->crf = r->crf;
    v->max_kbps = r->max_kbps;
    v->buf_kbits = r->buf_kbits;
}


uint32_t
reel_plan_rungs(reel_video_rung_t rungs[REEL_TASK_RUNGS],
    const reel_pipeline_t *pl, uint32_t width, uint32_t height)
{
    uint32_t           n, i, s;
    reel_rung_t        own;
    const reel_rung_t *hi, *lo;

    /* odd sizes lose a line or column, they are not scaled */
    width = width < 2 ? 2 : width & ~1u;
    height = height < 2 ? 2 : height & ~1u;
    s = width < height ? width : height;
    n = 0;

    for (i = 0; i < pl->nrungs && pl->rungs[i].short_side > s; i++) {
        /* void */
    }

    if (i == pl->nrungs || (i > 0 && pl->rungs[i].short_side < s)) {
        lo = &pl->rungs[i == pl->nrungs ? i - 1 : i];
        hi = &pl->rungs[i == 0 ? 0 : i - 1];
        own = own_rung(s, hi, lo);
        set_rung(&rungs[n++], &own, width, height, s);

        if (i < pl->nrungs
            && (uint64_t) s * 100
               <= (uint64_t) pl->rungs[i].short_side * (100 + NEAR_PERCENT))
        {
            i++;
        }
    }

    for ( ; i < pl->nrungs && n < REEL_TASK_RUNGS; i++) {
        set_rung(&rungs[n++], &pl->rungs[i], width, height, s);
    }

    return n;
}

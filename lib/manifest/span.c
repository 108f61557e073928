#include "lib/base/rescale.h"
#include "lib/manifest/span.h"


#define US 1000000              /* a second */


/* the video of the set, else the first that is not text, else the first */
static const reel_rendition_t *
grid_of(const reel_index_t *ix, uint8_t set)
{
    unsigned                 i;
    const reel_rendition_t  *r, *other = NULL;

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];

        if (r->kind == REEL_VIDEO && r->switching_set == set) {
            return r;
        }

        if (other == NULL || (other->kind == REEL_TEXT
                              && r->kind != REEL_TEXT))
        {
            other = r;
        }
    }

    return other;
}


static int64_t
to_us(int64_t ts, const reel_rendition_t *r)
{
    return reel_rescale(ts, US, r->timescale, REEL_ROUND_NEAR);
}


/* narrows s from all segments to those that overlap [start, end) */
static reel_err_t
clip(reel_span_t *s, const reel_index_t *ix, const reel_manifest_opts_t *o)
{
    int64_t      ts = 0, from, to = 0;
    uint32_t     i, all = s->count;
    reel_runs_t  durations = reel_runs(s->grid->duration_bytes);

    s->count = 0;

    for (i = 0; i < all; i++) {
        from = to;
        ts += (int64_t) reel_runs_sum(&durations,
                                      reel_span_fragments(ix, o->per, i));
        to = to_us(ts, s->grid);

        if (o->shape.end_us != 0 && from >= o->shape.end_us) {
            s->whole = true;
            break;
        }

        if (to <= o->shape.start_us) {
            continue;
        }

        if (s->count++ == 0) {
            s->first = i;
            s->first_us = from;
        }

        s->end_us = to;
    }

    if (o->shape.end_us != 0 && s->end_us >= o->shape.end_us) {
        s->whole = true;
    }

    return s->count != 0 ? REEL_OK : REEL_NOTFOUND;
}


reel_err_t
reel_span_of(reel_span_t *s, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o)
{
    if (o->per == 0) {
        return REEL_INVAL;
    }

    *s = (reel_span_t) {
        .count = ix->growing ? ix->fragments / o->per
                             : reel_index_segments(ix, o->per),
        .whole = !ix->growing,
        .grid = r
    };

    if (!reel_shape_is_clip(&o->shape)) {
        s->end_us = reel_rescale(ix->end_ts, US, ix->timescale,
                                 REEL_ROUND_NEAR);
        return REEL_OK;
    }

    return s->grid != NULL ? clip(s, ix, o) : REEL_NOTFOUND;
}


reel_err_t
reel_span(reel_span_t *s, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    return reel_span_of(s, ix, grid_of(ix, o->switching_set), o);
}

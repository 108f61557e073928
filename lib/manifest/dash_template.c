/* SegmentTemplate (ISO 23009-1, 5.3.9): by a timeline, or by one duration */

#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/dash.h"
#include "lib/manifest/print.h"


#define US 1000000              /* a second */


/* S@r repeats; S@t stands once: there are no gaps (5.3.9.6) */
static void
add_timeline(reel_buf_t *b, const reel_dash_t *d, const reel_listed_t *x,
    uint32_t first, uint32_t end)
{
    char         line[64 + 3 * REEL_PRINT_U64], *p;
    bool         begun = false;
    uint32_t     i, per = d->o->per;
    uint64_t     t, dur, run = 0, again = 0;
    reel_runs_t  durations = reel_runs(x->r->duration_bytes);

    reel_buf_addz(b, "<SegmentTimeline>\n");
    t = reel_runs_sum(&durations, (uint64_t) first * per);

    for (i = first; i <= end; i++) {

        dur = i < end ? reel_runs_sum(&durations,
                                      reel_span_fragments(x->ix, per, i)) : 0;

        if (dur == run) {
            again++;
            continue;
        }

        if (run != 0) {
            p = reel_print_z(line, "<S");

            if (!begun) {
                p = reel_print_z(p, " t=\"");
                p = reel_print_u64(p, t);
                p = reel_print_z(p, "\"");
                begun = true;
            }

            p = reel_print_z(p, " d=\"");
            p = reel_print_u64(p, run);

            if (again != 0) {
                p = reel_print_z(p, "\" r=\"");
                p = reel_print_u64(p, again);
            }

            p = reel_print_z(p, "\"/>\n");
            reel_buf_add(b, line, (size_t) (p - line));
        }

        run = dur;
        again = 0;
    }

    reel_buf_addz(b, "</SegmentTimeline>\n");
}


/*
 * A clip begins at its instant, in the midst of a segment; the segments
 * must cover it.  Sound may begin a little behind the grid, as there its
 * first whole frame begins: then the segment before is needed too.
 */
static uint32_t
first_segment(const reel_dash_t *d, const reel_listed_t *x, int64_t from)
{
    int64_t      ts;
    uint32_t     first = x->first;
    reel_runs_t  durations = reel_runs(x->r->duration_bytes);

    ts = (int64_t) reel_runs_sum(&durations, (uint64_t) first * d->o->per);

    return first - (first != 0 && ts > from);
}


static void
add_names(reel_buf_t *b, const reel_dash_t *d, const reel_listed_t *x,
    uint32_t first)
{
    const char  *mark = reel_dash_mark(d), *token = d->l->token;

    if (x->named != NULL) {
        reel_buf_printf(b, " startNumber=\"%" PRIu32 "\" "
                        "initialization=\"init-$RepresentationID$.mp4%s%s\" "
                        "media=\"fragment-$Number$-$RepresentationID$.m4s"
                        "%s%s\"", first + 1, mark, token, mark, token);
        return;
    }

    reel_buf_printf(b, " startNumber=\"%" PRIu32 "\" "
                    "initialization=\"$RepresentationID$~%s/init.mp4%s%s\" "
                    "media=\"$RepresentationID$~%s/$Number$.m4s%s%s\"",
                    first, x->hash, mark, token, x->hash, mark, token);
}


void
reel_dash_template(reel_buf_t *b, const reel_dash_t *d,
    const reel_listed_t *x)
{
    int64_t                from;
    uint32_t               first, timescale = x->r->timescale;
    const reel_listing_t  *l = d->l;

    from = reel_rescale(d->o->shape.start_us, timescale, US,
                        REEL_ROUND_NEAR);
    first = first_segment(d, x, from);

    /* the grid's clock counts any length of segments without a rest */
    if (d->by_duration) {
        timescale = d->ix->timescale;
    }

    reel_buf_printf(b, "<SegmentTemplate timescale=\"%" PRIu32 "\"",
                    timescale);

    if (d->by_duration) {
        reel_buf_printf(b, " duration=\"%" PRIu64 "\"",
                        (uint64_t) d->ix->gop_ts * d->o->per);
    }

    if (from != 0) {
        reel_buf_printf(b, " presentationTimeOffset=\"%" PRId64 "\"", from);
    }

    add_names(b, d, x, first);

    if (d->by_duration) {
        reel_buf_addz(b, "/>\n");
        return;
    }

    /* what is listed exists: nobody needs to wait for the clock */
    if (!l->span.whole) {
        reel_buf_addz(b, " availabilityTimeOffset=\"INF\"");
    }

    reel_buf_addz(b, ">\n");
    add_timeline(b, d, x, first, x->first + x->count);
    reel_buf_addz(b, "</SegmentTemplate>\n");
}


/* |a - b| of the grid's clock is at most half of a segment */
static bool
is_near(int64_t ts, const reel_rendition_t *r, uint64_t grid_ts,
    const reel_dash_t *d)
{
    int64_t  at, off;

    at = reel_rescale(ts, d->ix->timescale, r->timescale, REEL_ROUND_NEAR);
    off = at > (int64_t) grid_ts ? at - (int64_t) grid_ts
                                 : (int64_t) grid_ts - at;

    return (uint64_t) off * 2 <= (uint64_t) d->ix->gop_ts * d->o->per;
}


static bool
is_even(const reel_dash_t *d, const reel_listed_t *x, unsigned n)
{
    int64_t      ts;
    uint32_t     i;
    unsigned     k;
    uint64_t     grid_ts, full = (uint64_t) d->ix->gop_ts * d->o->per;
    reel_runs_t  durations;

    for (k = 0; k < n; k++) {
        durations = reel_runs(x[k].r->duration_bytes);
        ts = 0;
        grid_ts = 0;

        for (i = 1; i < d->l->span.count; i++) {
            ts += (int64_t) reel_runs_sum(&durations, d->o->per);
            grid_ts += full;

            if (!is_near(ts, x[k].r, grid_ts, d)) {
                return false;
            }
        }
    }

    return true;
}


/*
 * DASH-IF's restricted timing model: an edge lies at most half of a segment
 * beside its place, and the number of segments follows from the Period's
 * length.  One that grows would be told by the clock, not by what exists.
 */
bool
reel_dash_is_even(const reel_dash_t *d)
{
    uint64_t               full = (uint64_t) d->ix->gop_ts * d->o->per;
    const reel_listing_t  *l = d->l;

    return !d->ix->growing && !reel_shape_is_clip(&d->o->shape)
           && ((uint64_t) d->ix->end_ts + full - 1) / full == l->span.count
           && is_even(d, l->video, l->nvideo)
           && is_even(d, l->audio, l->naudio);
}

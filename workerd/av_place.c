#include "workerd/av_place.h"

#include "lib/base/rescale.h"


/* variable rate: 1/2000 s */
#define SNAP_HZ  2000

#define TICK_MAX (INT64_C(1) << 60)


static int64_t
round_to(int64_t v, int64_t step)
{
    int64_t  m;

    m = (v + step / 2) % step;
    if (m < 0) {
        m += step;
    }

    return v + step / 2 - m;
}


/* far outside of any film; keeps the sums below from overflowing */
static int64_t
bounded(int64_t v, int64_t by)
{
    return v > by ? by : v < -by ? -by : v;
}


static int64_t
next_multiple(int64_t v, int64_t step)
{
    /* v >= 0 */
    return (v / step + 1) * step;
}


static int64_t
step_of(const reel_place_t *p)
{
    return p->grid.frame_ts ? p->grid.frame_ts : p->grid.gop_ts;
}


void
reel_place_init(reel_place_t *p, const reel_grid_t *grid, reel_rational_t tb,
    int64_t origin, uint32_t frag_from, uint32_t frag_to)
{
    *p = (reel_place_t) { .grid = *grid, .tb = tb, .origin = origin };

    p->from = (int64_t) frag_from * grid->gop_ts;
    p->to = reel_grid_tick(grid, frag_to);
    p->next = p->from;
}


int64_t
reel_place_of(const reel_place_t *p, int64_t pts)
{
    int64_t  t, g;

    pts -= p->origin;

    if (p->grid.frame_ts) {
        t = reel_rescale(pts, (uint64_t) p->tb.num * p->grid.timescale,
                         (uint64_t) p->tb.den * p->grid.frame_ts,
                         REEL_ROUND_NEAR);

        return bounded(t, TICK_MAX / p->grid.frame_ts) * p->grid.frame_ts;
    }

    t = reel_rescale(pts, (uint64_t) p->tb.num * p->grid.timescale,
                     p->tb.den, REEL_ROUND_NEAR);
    t = bounded(t, TICK_MAX);
    g = round_to(t, p->grid.gop_ts);

    if (t - g <= p->grid.timescale / SNAP_HZ
        && g - t <= p->grid.timescale / SNAP_HZ)
    {
        return g;
    }

    return t;
}


bool
reel_place_next(reel_place_t *p, int64_t until, int64_t *tick)
{
    if (until > p->to) {
        until = p->to;
    }

    if (p->next >= until) {
        return false;
    }

    *tick = p->next;
    p->next = next_multiple(p->next, step_of(p));

    if (p->next > until) {
        p->next = until;
    }

    return true;
}


void
reel_thin_init(reel_thin_t *t, const reel_grid_t *grid, reel_rational_t rate,
    uint32_t every)
{
    int64_t  half;

    /* of a picture's time */
    half = reel_rescale(grid->timescale, rate.den, 2 * (uint64_t) rate.num,
                        REEL_ROUND_DOWN);

    *t = (reel_thin_t) {
        .every = every,
        .near = half * (2 * (int64_t) every - 1),
        .far = half * (2 * (int64_t) every + 1)
    };
}


bool
reel_thin_shows(reel_thin_t *t, const reel_place_t *p, int64_t tick)
{
    int64_t  next;

    if (t->every <= 1) {
        return true;
    }

    if (p->grid.frame_ts != 0) {
        return tick % ((int64_t) p->grid.frame_ts * t->every) == 0;
    }

    /* a GOP begins anew, so that the cut into chunks does not matter */
    next = next_multiple(tick, p->grid.gop_ts);
    next = p->next < next ? p->next : next;

    if (!reel_place_is_key(p, tick) && tick - t->last < t->near
        && next - t->last <= t->far)
    {
        return false;
    }

    t->last = tick;
    return true;
}

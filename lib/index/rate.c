#include "lib/base/rescale.h"
#include "lib/index/rate.h"


static uint64_t
rate_of(uint64_t bytes, uint64_t duration, uint32_t timescale)
{
    uint64_t  bits;

    /* the common case, in 64 bits */
    if (!__builtin_mul_overflow(bytes * 8, timescale, &bits)) {
        return bits / duration + (bits % duration != 0);
    }

    return (uint64_t) reel_rescale((int64_t) (bytes * 8), timescale, duration,
                                   REEL_ROUND_UP);
}


/* the larger of rate and that of bytes in duration */
static uint64_t
faster(uint64_t rate, uint64_t bytes, uint64_t duration, uint32_t timescale)
{
    uint64_t  other = rate_of(bytes, duration, timescale);

    return other > rate ? other : rate;
}


void
reel_rate_init(reel_rate_t *x, uint32_t timescale)
{
    *x = (reel_rate_t) { .timescale = timescale };
}


/* a segment is judged when the next one is seen: the last is apart */
void
reel_rate_add(reel_rate_t *x, uint64_t size, uint64_t duration, bool last)
{
    if (x->segments == 0) {
        x->first = duration;

    } else if (x->duration != x->top_duration || x->size > x->top) {
        x->peak = faster(x->peak, x->size, x->duration, x->timescale);
        x->top = x->size;
        x->top_duration = x->duration;
    }

    if (last && x->segments != 0 && duration * 2 < x->first) {
        x->size += size;
        x->duration += duration;
    } else {
        x->size = size;
        x->duration = duration;
    }

    x->segments++;
    x->bytes += size;
    x->ticks += duration;
}


reel_bitrate_t
reel_rate_end(const reel_rate_t *x)
{
    reel_bitrate_t  rate = { 0, 0 };

    if (x->ticks == 0) {
        return rate;
    }

    rate.peak = faster(x->peak, x->size, x->duration, x->timescale);
    rate.average = rate_of(x->bytes, x->ticks, x->timescale);

    return rate;
}

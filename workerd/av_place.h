/*
 * Where a picture of the source stands in the output, and which picture
 * stands where none of the source's does.  Pure, and a function of the
 * source's frames near the place alone, so that the cut into chunks never
 * shows.
 *
 * Constant rate: a picture belongs to the nearest slot (multiple of
 * frame_ts); of several the last one shows; an empty slot repeats the
 * picture before it.  Variable rate: a picture stands at its own time, but
 * one within half a millisecond of a grid instant stands on it; a grid
 * instant without a picture repeats the one before.  Ahead of the first
 * picture the first one shows.
 */

#ifndef REEL_WORKERD_AV_PLACE_H
#define REEL_WORKERD_AV_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/job/task.h"

typedef struct {
    reel_grid_t     grid;
    reel_rational_t tb;         /* of the source's pts */
    int64_t         origin;     /* timeline 0 in tb */
    int64_t         from;       /* ticks: [from, to) is to be filled */
    int64_t         to;
    int64_t         next;       /* first tick that is not filled yet: the
                                   chunk's start, a repeat, or the place of
                                   the next picture */
} reel_place_t;

/*
 * origin: of the picture that stands at tick 0, in tb.  The chunk is fragments
 * [frag_from, frag_to).
 */
void reel_place_init(reel_place_t *p, const reel_grid_t *grid,
    reel_rational_t tb, int64_t origin, uint32_t frag_from,
    uint32_t frag_to);

/* the tick at which a picture stands; may be negative */
int64_t reel_place_of(const reel_place_t *p, int64_t pts);

/*
 * The picture at hand shows until the next one's place, `until` (INT64_MAX
 * when none follows).  True and the next tick where to emit it, false when
 * there is none left before `until`:
 *
 *     while (reel_place_next(p, until, &tick)) emit(tick);
 *
 * What falls before the chunk is emitted nowhere, what is missing at its
 * start or end is filled by the first and the last picture.
 */
bool reel_place_next(reel_place_t *p, int64_t until, int64_t *tick);

/*
 * What of these places a rendition has that shows one picture of `every`: at
 * a constant rate each so-manieth slot.  At a variable one those that stand
 * far enough behind the one before, and what would be missed for longer
 * than that: the last one before a pause.
 */
typedef struct {
    uint32_t every;
    int64_t  near;              /* ticks; of a variable rate */
    int64_t  far;
    int64_t  last;              /* the tick that was shown last */
} reel_thin_t;

/* of every `every`th picture of a film of that rate */
void reel_thin_init(reel_thin_t *t, const reel_grid_t *grid,
    reel_rational_t rate, uint32_t every);

/* whether it has what was just emitted at tick, where reel_place_next is */
bool reel_thin_shows(reel_thin_t *t, const reel_place_t *p, int64_t tick);

/* all of [from, to) is filled */
static inline bool
reel_place_done(const reel_place_t *p)
{
    return p->next >= p->to;
}

/* whether a GOP starts at this tick */
static inline bool
reel_place_is_key(const reel_place_t *p, int64_t tick)
{
    return tick % (int64_t) p->grid.gop_ts == 0;
}

#endif

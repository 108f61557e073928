/* the bit rates of segments that are told one after the other */

#ifndef REEL_INDEX_RATE_H
#define REEL_INDEX_RATE_H

#include "lib/index/index.h"

typedef struct {
    uint32_t timescale;
    uint32_t segments;          /* told so far */
    uint64_t first;             /* duration of the first one */
    uint64_t size, duration;    /* not judged yet */
    uint64_t bytes, ticks;      /* of all */
    uint64_t top, top_duration; /* the largest of one duration */
    uint64_t peak;
} reel_rate_t;

/* timescale: of the durations that are added */
void reel_rate_init(reel_rate_t *x, uint32_t timescale);

/* last: none follows */
void reel_rate_add(reel_rate_t *x, uint64_t size, uint64_t duration,
    bool last);

/* as reel_index_bitrate has it */
reel_bitrate_t reel_rate_end(const reel_rate_t *x);

#endif

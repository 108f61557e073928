/*
 * What the parameters of a request make of a manifest: a clip, and which
 * heights are listed.  They have one canonical form, so that equal manifests
 * have equal names in caches.
 */

#ifndef REEL_MANIFEST_SHAPE_H
#define REEL_MANIFEST_SHAPE_H

#include "lib/base/buf.h"

/* bytes of the canonical form, its terminating zero included */
#define REEL_SHAPE_MAX 128

/* zeroed: the whole, all heights */
typedef struct {
    int64_t  start_us;
    int64_t  end_us;            /* 0: to the end */
    uint32_t min_height;
    uint32_t max_height;        /* 0: any */
    unsigned given;             /* bits, by parameter: each stands once */
} reel_shape_t;

/*
 * Takes one parameter, decoded.  REEL_OK also for one that is not ours;
 * REEL_INVAL with a text for a value that is no such thing, or given twice.
 */
reel_err_t reel_shape_set(reel_shape_t *s, reel_str_t name, reel_str_t value,
    reel_error_t *e) REEL_WARN_UNUSED;

/* of all together: REEL_INVAL when nothing lies between the bounds */
reel_err_t reel_shape_check(const reel_shape_t *s, reel_error_t *e)
    REEL_WARN_UNUSED;

static inline bool
reel_shape_is_clip(const reel_shape_t *s)
{
    return s->start_us != 0 || s->end_us != 0;
}

/*
 * The canonical query, "start=12.5&end=30&min_height=…", or of the clip
 * alone; "" when there is nothing to say.  Returns its length.
 */
size_t reel_shape_print(char dst[REEL_SHAPE_MAX], const reel_shape_t *s,
    bool clip_only);

/*
 * Limits: bounds that whoever asks may not widen, in parameters of their
 * own, "limit_start=12.5&limit_max_height=480".  Set as others are, by a
 * name without the prefix.
 */
#define REEL_SHAPE_LIMIT "limit_"

/* their length, the terminator not counted; 0: none is set */
size_t reel_shape_print_limits(char dst[REEL_SHAPE_MAX],
    const reel_shape_t *s);

/* narrows s; false: nothing is left of the clip */
bool reel_shape_limit(reel_shape_t *s, const reel_shape_t *limits);

#endif

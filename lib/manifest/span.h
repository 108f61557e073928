/*
 * Which segments a manifest lists: all that are published, or those of a
 * clip.  They are counted on the grid of the video that is listed (of the
 * sound where there is none), and are the same for all renditions, so that
 * boundaries stay aligned.
 */

#ifndef REEL_MANIFEST_SPAN_H
#define REEL_MANIFEST_SPAN_H

#include "lib/manifest/manifest.h"

typedef struct {
    uint32_t first;             /* number of the first segment */
    uint32_t count;
    bool     whole;             /* none will be added */
    int64_t  first_us;          /* where the first one begins */
    int64_t  end_us;            /* where the last one ends */
    const reel_rendition_t *grid;       /* whose boundaries these are */
} reel_span_t;

/*
 * REEL_INVAL without fragments a segment; REEL_NOTFOUND: the clip lies
 * outside of what is published.  count may be 0 without a clip.
 */
reel_err_t reel_span(reel_span_t *s, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/* the same on the boundaries of r, whatever the film's grid is */
reel_err_t reel_span_of(reel_span_t *s, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o)
    REEL_WARN_UNUSED;

/* fragments of segment n */
static inline uint32_t
reel_span_fragments(const reel_index_t *ix, uint32_t per, uint32_t n)
{
    uint32_t  left = ix->fragments - n * per;

    return left < per ? left : per;
}

#endif

/*
 * The bit rates that manifests tell.  Summing them takes a walk over every
 * fragment of every rendition, so whoever keeps an index keeps them too.
 */

#ifndef REEL_MANIFEST_RATES_H
#define REEL_MANIFEST_RATES_H

#include "lib/manifest/manifest.h"

struct reel_rates_s {
    reel_bitrate_t segments[REEL_INDEX_MAX_RENDITIONS]; /* as delivered */
    reel_bitrate_t iframes[REEL_INDEX_MAX_RENDITIONS];  /* video */
};

/*
 * Of the whole index, with o's segments and container; no clip.  Of transport
 * streams (ISO 13818-1) they are estimates, for the sizes of samples are not
 * known: made to lie above what is sent, which pictures of unlikely sizes may
 * exceed.
 */
void reel_rates(reel_rates_t *x, const reel_index_t *ix,
    const reel_manifest_opts_t *o);

/* of segments [first, first + count) of one rendition */
reel_bitrate_t reel_rates_of(const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o, uint32_t first,
    uint32_t count);

/* of its I-frames, of the same segments */
reel_bitrate_t reel_rates_iframes(const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o, uint32_t first,
    uint32_t count);

/* the larger of each */
void reel_bitrate_raise(reel_bitrate_t *worst, reel_bitrate_t rate);

#endif

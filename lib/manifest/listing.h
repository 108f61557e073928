/*
 * Which renditions a manifest lists, and how sound is grouped; common to
 * all formats.  A track is what a viewer picks (a language, a commentary):
 * the audio renditions of one language and switching set.  Those of one
 * track differ in quality; rank counts them in the index's order.
 */

#ifndef REEL_MANIFEST_LISTING_H
#define REEL_MANIFEST_LISTING_H

#include "lib/manifest/manifest.h"

typedef struct {
    const reel_rendition_t *r;
    reel_bitrate_t          rate;       /* of the segments listed */
    unsigned                track;      /* audio */
    unsigned                rank;
} reel_listed_t;

typedef struct {
    reel_listed_t video[REEL_INDEX_MAX_RENDITIONS];
    reel_listed_t audio[REEL_INDEX_MAX_RENDITIONS];
    unsigned      nvideo;
    unsigned      naudio;
    unsigned      ntracks;              /* of audio */
    unsigned      nranks;               /* of the track that has most */
    uint32_t      segments;
    char          hash[REEL_VERSION_HASH + 1];
} reel_listing_t;

/*
 * REEL_INVAL without fragments a segment; REEL_NOTFOUND when nothing can be
 * listed: no rendition, or video only in other switching sets.
 */
reel_err_t reel_listing(reel_listing_t *l, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/* segments listed: a growing index keeps an unfinished one back */
uint32_t reel_listing_segments(const reel_index_t *ix, uint32_t per);

/* the rendition of that rank, or the track's last one */
const reel_listed_t *reel_listing_audio(const reel_listing_t *l,
    unsigned track, unsigned rank);

/* "en" for what is worth telling a player, else empty */
reel_str_t reel_listing_language(const reel_rendition_t *r);

#endif

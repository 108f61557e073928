/*
 * Which renditions a manifest lists, and how sound is grouped; common to
 * all formats.  A track is what a viewer picks (a language, a commentary):
 * the audio renditions of one language, switching set and roles, and those
 * of another codec beside them.  Those of one track differ in quality; rank
 * counts qualities over all tracks: first AAC, second AAC, first AC-3.
 */

#ifndef REEL_MANIFEST_LISTING_H
#define REEL_MANIFEST_LISTING_H

#include "lib/manifest/manifest.h"
#include "lib/manifest/span.h"

typedef struct {
    const reel_rendition_t *r;
    const reel_index_t     *ix;         /* whose fragments it has … */
    const reel_rendition_t *own;        /* … and what it is there */
    const reel_protection_t *protection;        /* of that */
    uint32_t                first;      /* segment that is listed, and … */
    uint32_t                count;      /* … how many */
    unsigned                edges;      /* the same where all segments begin
                                           at the same instants */
    char                    hash[REEL_VERSION_HASH + 1];
    const char             *named;      /* of opts.tracks, or NULL */
    reel_bitrate_t          rate;       /* of the segments listed */
    reel_bitrate_t          iframes;    /* video: of their I-frames */
    unsigned                track;      /* audio */
    unsigned                rank;
} reel_listed_t;

typedef struct {
    reel_listed_t video[REEL_INDEX_MAX_RENDITIONS];
    reel_listed_t audio[REEL_INDEX_MAX_RENDITIONS];
    reel_listed_t text[REEL_INDEX_MAX_RENDITIONS];
    unsigned      nvideo;
    unsigned      naudio;
    unsigned      ntext;
    unsigned      ntracks;              /* of audio */
    unsigned      nranks;
    bool          hdr;                  /* not all video is SDR */
    reel_span_t   span;
    char          hash[REEL_VERSION_HASH + 1];  /* of the index */
    char          clip[REEL_SHAPE_MAX + 1];     /* "?start=…", or "" */
    const char   *token;                /* "token=…", or "" … */
    const char   *join;                 /* … and "?" or "&" before it */
} reel_listing_t;

/*
 * REEL_INVAL without fragments a segment; REEL_NOTFOUND when nothing can be
 * listed: no rendition, video only in other switching sets or of other
 * heights, a clip of nothing.
 */
reel_err_t reel_listing(reel_listing_t *l, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/* the rendition of that rank, or the track's last one before it */
const reel_listed_t *reel_listing_audio(const reel_listing_t *l,
    unsigned track, unsigned rank);

/* the track to begin with */
unsigned reel_listing_default(const reel_listing_t *l);

/* o as its own index has it, for its keys and version */
reel_manifest_opts_t reel_listing_opts(const reel_listed_t *x,
    const reel_manifest_opts_t *o);

/* the URI of its playlist, "media" or "iframes", in the version of hash */
void reel_listing_uri(reel_buf_t *b, const reel_listing_t *l,
    const reel_listed_t *x, const char *what, const char *hash);

/* "en" for what is worth telling a player, else empty */
reel_str_t reel_listing_language(const reel_rendition_t *r);

/* "avc1" of "avc1.64001f" */
reel_str_t reel_listing_family(const reel_rendition_t *r);

#endif

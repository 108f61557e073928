/*
 * A plain movie file (ISO 14496-12, 8.2) as an index: from its moov to what
 * manifests and segments are made of, so that it plays like an asset.  The
 * index has a SAMPLES section for each rendition (lib/index/samples.h); each
 * fragment is a segment, cut at key frames of the first video track.
 *
 * Timeline 0 is where the earliest kept track starts: edit lists and an
 * encoder's priming are worked into the times, and no composition offset is
 * negative (lib/mp4/cmaf.h says why).  A track that ends early has fragments
 * without samples from there on.
 */

#ifndef REEL_MP4_MOVIE_H
#define REEL_MP4_MOVIE_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/index/index.h"

#define REEL_MOVIE_TRACKS  64   /* a moov may have */
#define REEL_MOVIE_SAMPLES (1u << 24)   /* of all: 25 h have 10 million */

typedef struct {
    uint32_t segment_ms;        /* wanted; the next key frame ends one */
    uint8_t  salt[REEL_INDEX_SALT];     /* differs when the file does */
    int64_t  created_ms;
    uint64_t file_size;         /* no sample may lie beyond */
} reel_movie_opts_t;

/*
 * Prints the index of the movie with this moov (its payload) into b, which
 * is empty; so is e->text.  REEL_BADDATA, REEL_LIMIT: e names the box; REEL_UNSUPPORTED: no
 * track that we know, or the samples lie in fragments.
 */
reel_err_t reel_movie_index(reel_buf_t *b, const void *moov, size_t len,
    const reel_movie_opts_t *o, reel_error_t *e) REEL_WARN_UNUSED;

#endif

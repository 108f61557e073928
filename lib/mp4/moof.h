/*
 * Anybody's moof (ISO 14496-12, 8.8.4 to 8.8.12): several tracks and truns,
 * offsets from wherever, times and defaults that it leaves to others.  Our
 * own, of which more can be said, are read by lib/mp4/cmaf.h.
 */

#ifndef REEL_MP4_MOOF_H
#define REEL_MP4_MOOF_H

#include "lib/base/reader.h"
#include "lib/mp4/movie_track.h"

#define REEL_MOOF_MAX (32u << 20)       /* bytes of one */

typedef struct {
    uint64_t            at;             /* where in the file it begins … */
    uint64_t            file_size;      /* … which has so many bytes */
    reel_movie_track_t *tracks;
    unsigned            n;
} reel_moof_place_t;

/*
 * Adds what the payload of a moof says to the runs of the tracks that it is
 * of; others are left out.  REEL_AGAIN: samples lie behind the end of the
 * file, and no track has anything of it.  REEL_BADDATA, REEL_LIMIT,
 * REEL_UNSUPPORTED: e names the box.
 */
reel_err_t reel_moof_read(const reel_moof_place_t *p, reel_reader_t *r,
    reel_error_t *e) REEL_WARN_UNUSED;

/* 8.8.1: the defaults of the tracks, from the payload of a mvex */
reel_err_t reel_moof_read_mvex(reel_reader_t *r, reel_movie_track_t *tracks,
    unsigned n, reel_error_t *e) REEL_WARN_UNUSED;

#endif

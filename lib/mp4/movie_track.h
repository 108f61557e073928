/* a track of a movie on its way into an index; see lib/mp4/movie.h */

#ifndef REEL_MP4_MOVIE_TRACK_H
#define REEL_MP4_MOVIE_TRACK_H

#include "lib/index/samples.h"
#include "lib/index/writer.h"
#include "lib/mp4/movie.h"
#include "lib/mp4/movie_runs.h"

/* what fragments leave to trex or tfhd */
typedef struct {
    uint32_t duration;
    uint32_t size;
    uint32_t flags;
} reel_moof_defaults_t;

/* ticks are of the track's timescale */
typedef struct {
    uint32_t              id;
    reel_trak_t           trak;
    reel_moof_defaults_t  defaults;
    reel_movie_runs_t     runs;     /* of fragments; owned */
    bool                  video;
    int64_t               shift_ts; /* what its times have to be moved by */
    uint32_t              first;    /* sample that is kept */
    uint32_t              samples;  /* from there on */
    int64_t               start_ts; /* first presentation, shifted */
    int64_t               end_ts;   /* last one and its duration, shifted */
    uint32_t              unit;     /* all times are multiples of it */
    bool                  offsets;

    /* decode times before 0: of `early` samples, spread over spread_ts */
    uint32_t              early;
    int64_t               spread_ts;

    int64_t              *cuts;     /* owned: where fragments begin … */
    uint32_t              ncuts;    /* … shifted presentation times */

    reel_buf_t            header;
    reel_samples_writer_t list;
    reel_ix_fragment_t   *fragments;        /* owned, one a cut */
    char                  name[33];
    char                  codec[64];
} reel_movie_track_t;

/*
 * Sets shift_ts and first by the track's edit list: presentation 0 of the
 * movie becomes 0, a picture that must be decoded before it stays.
 * movie_timescale is mvhd's.
 */
reel_err_t reel_movie_edit(reel_movie_track_t *t, uint32_t movie_timescale,
    reel_error_t *e) REEL_WARN_UNUSED;

/* after shift_ts is final: early, unit, start and end */
reel_err_t reel_movie_scan(reel_movie_track_t *t, reel_error_t *e)
    REEL_WARN_UNUSED;

/* cuts at key frames that lie at least segment_ms apart */
reel_err_t reel_movie_cut(reel_movie_track_t *t, uint32_t segment_ms,
    reel_error_t *e) REEL_WARN_UNUSED;

/* fills header, list and fragments by t->cuts; no sample may lie outside */
reel_err_t reel_movie_list(reel_movie_track_t *t, const reel_movie_opts_t *o,
    reel_error_t *e) REEL_WARN_UNUSED;

void reel_movie_track_release(reel_movie_track_t *t);

#endif

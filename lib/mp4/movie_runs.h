/*
 * The samples of a track of a movie in decoding order: those of its tables
 * (lib/mp4/stbl.h), then those of its fragments.  A fragment's are kept as
 * its trun has them (ISO 14496-12, 8.8.8), so that they take no more memory
 * than its bytes did.
 */

#ifndef REEL_MP4_MOVIE_RUNS_H
#define REEL_MP4_MOVIE_RUNS_H

#include "lib/base/buf.h"
#include "lib/mp4/stbl.h"

/* one trun */
typedef struct {
    uint64_t offset;            /* of its first sample in the file */
    int64_t  dts;               /* likewise */
    size_t   entries;           /* where they begin */
    uint32_t samples;
    uint32_t fields;            /* REEL_TRUN_*: what an entry has */
    uint32_t duration;          /* where entries do not say */
    uint32_t size;
    bool     first_sync;        /* likewise */
    bool     sync;
} reel_movie_run_t;

/* zeroed at first */
typedef struct {
    reel_movie_run_t *runs;     /* owned */
    uint32_t          n;
    uint32_t          cap;
    reel_buf_t        entries;
    uint32_t          samples;
    int64_t           end_dts;  /* behind the last one */
} reel_movie_runs_t;

/* what reel_movie_runs_back goes back to */
typedef struct {
    uint32_t n;
    uint32_t samples;
    size_t   entries;
    int64_t  end_dts;
} reel_movie_runs_mark_t;

/*
 * Adds a run, whose entries have the bytes that its fields take; run->entries
 * is set here.  REEL_AGAIN: its samples do not lie in the file, *end is where
 * they do otherwise.  REEL_LIMIT, REEL_NOMEM.
 */
reel_err_t reel_movie_runs_add(reel_movie_runs_t *t, reel_movie_run_t *run,
    reel_str_t entries, uint64_t file_size, uint64_t *end) REEL_WARN_UNUSED;

/* bytes of an entry with these fields */
unsigned reel_movie_run_entry(uint32_t fields);

/* back takes away all that was added since the mark */
reel_movie_runs_mark_t reel_movie_runs_mark(const reel_movie_runs_t *t);
void reel_movie_runs_back(reel_movie_runs_t *t, reel_movie_runs_mark_t mark);
void reel_movie_runs_release(reel_movie_runs_t *t);

typedef struct {
    reel_err_t               err;       /* sticky */
    reel_error_t            *e;         /* names the box */
    uint32_t                 number;    /* of the next one, from 0 */

    reel_stbl_t              stbl;
    const reel_movie_runs_t *runs;
    uint32_t                 run;       /* the next to begin */
    uint32_t                 left;      /* of the one before it */
    const uint8_t           *entry;
    uint64_t                 offset;
    int64_t                  dts;
} reel_movie_walk_t;

/* begins at the first sample; trak, runs and e live as long as w */
reel_err_t reel_movie_walk_init(reel_movie_walk_t *w, const reel_trak_t *trak,
    const reel_movie_runs_t *runs, reel_error_t *e) REEL_WARN_UNUSED;

/* the next ones, at most n: how many?  0: all were read, or w->err is set */
uint32_t reel_movie_walk_read(reel_movie_walk_t *w, reel_stbl_sample_t *q,
    uint32_t n) REEL_WARN_UNUSED;

#endif

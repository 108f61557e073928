/*
 * A plain movie file (ISO 14496-12, 8.2 and 8.8) as an index: from its moov
 * and moofs to what manifests and segments are made of, so that it plays
 * like an asset.  The index has a SAMPLES section for each rendition
 * (lib/index/samples.h); each fragment of it is a segment, cut at key frames
 * of the first video track.
 *
 * Timeline 0 is where the earliest kept track starts: edit lists and an
 * encoder's priming are worked into the times, and no composition offset is
 * negative (lib/mp4/cmaf.h says why).  A track that ends early has fragments
 * without samples from there on.
 *
 * Where bytes come from is the caller's: the reader says which it needs next,
 * and takes whatever of the file begins there.  A file whose moov stands
 * first and has all samples costs what its moov has; of one of fragments the
 * boxes at its top are followed to the end, and moofs are read.
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
    bool     direct;            /* fit for all players: lib/mp4/direct.h */
    const reel_large_t *large;  /* may be NULL */
} reel_movie_opts_t;

typedef struct reel_movie_s  reel_movie_t;

typedef struct {
    uint64_t offset;
    size_t   min;               /* these must be fed … */
    size_t   len;               /* … and these will most likely be used */
    void    *into;              /* where they may lie, as what is fed: that
                                   spares a copy; NULL: nowhere yet */
} reel_movie_want_t;

/* NULL: no memory */
reel_movie_t *reel_movie_new(const reel_movie_opts_t *o);
void reel_movie_free(reel_movie_t *m);

/* REEL_AGAIN: bytes are needed, w says which; REEL_OK: all is known */
reel_err_t reel_movie_want(const reel_movie_t *m, reel_movie_want_t *w)
    REEL_WARN_UNUSED;

/*
 * Takes n >= min bytes of the file, from the offset that was wanted; more
 * than len of them may save asking again.  Errors as of reel_movie_make.
 */
reel_err_t reel_movie_feed(reel_movie_t *m, const void *p, size_t n,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Makes an index of what was read, once, and says how many bytes it has.
 * e->text is empty.  REEL_BADDATA, REEL_LIMIT: e names the box;
 * REEL_UNSUPPORTED: no track that we know.
 */
reel_err_t reel_movie_make(reel_movie_t *m, size_t *size, reel_error_t *e)
    REEL_WARN_UNUSED;

/* prints the index that was made, of that size */
reel_err_t reel_movie_put(const reel_movie_t *m, void *to, size_t size,
    reel_error_t *e) REEL_WARN_UNUSED;

/* both into b, which is empty */
reel_err_t reel_movie_print(reel_movie_t *m, reel_buf_t *b, reel_error_t *e)
    REEL_WARN_UNUSED;

/* a subtitle file of the movie; all is borrowed until it is printed */
typedef struct {
    reel_str_t language;        /* as in a playlist; may be empty */
    uint32_t   roles;           /* REEL_ROLE_* */
    reel_str_t vtt;             /* WebVTT */
} reel_movie_text_t;

#define REEL_MOVIE_TEXTS 16

/*
 * Tracks of text within the file (tx3g) are of no rendition until their
 * samples were read, and set as others are: how many there are; of fragments
 * none is known.  One that is of chapters does not count.
 */
unsigned reel_movie_timed(reel_movie_t *m);

typedef struct {
    uint64_t offset;            /* in the file */
    uint32_t size;
    int64_t  start_ms;          /* of the movie */
    int64_t  end_ms;
} reel_movie_cue_t;

#define REEL_MOVIE_CUES 65536   /* of a track */

/*
 * The cues of number i of these, with its language, which may be "und" and
 * lives as long as m, and its roles.  *cues: the caller's to free.  Once all
 * is read; REEL_BADDATA, REEL_LIMIT: e names the box.
 */
reel_err_t reel_movie_cues(reel_movie_t *m, unsigned i,
    reel_movie_cue_t **cues, uint32_t *n, reel_movie_text_t *text,
    reel_error_t *e) REEL_WARN_UNUSED;

/* before it is printed: adds n <= REEL_MOVIE_TEXTS renditions */
void reel_movie_set_texts(reel_movie_t *m, const reel_movie_text_t *texts,
    unsigned n);

/*
 * Where the first moof of a movie of fragments ends: what lies before it
 * stays while it grows.  0: it has none.
 */
uint64_t reel_movie_head(const reel_movie_t *m);

/* why a track is left out, the last one if several are; "": none is */
const char *reel_movie_skipped(const reel_movie_t *m);

/* of the box that is read, then of the moov: near what an error is of */
uint64_t reel_movie_at(const reel_movie_t *m);

/* the same of a movie without fragments whose moov (its payload) is there */
reel_err_t reel_movie_index(reel_buf_t *b, const void *moov, size_t len,
    const reel_movie_opts_t *o, reel_error_t *e) REEL_WARN_UNUSED;

#endif

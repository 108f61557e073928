/* what the files of lib/mp4/movie.h share */

#ifndef REEL_MP4_MOVIE_IMPL_H
#define REEL_MP4_MOVIE_IMPL_H

#include "lib/mp4/movie_track.h"

/* the only object: the movie itself */
#define REEL_MOVIE_OBJECT  REEL_STR("movie")

#define REEL_MOVIE_TEXT_NAME 12 /* "s16" */

struct reel_movie_s {
    reel_movie_opts_t   o;

    /* where the reader is */
    uint64_t            at;     /* of the box at hand, or the next one */
    uint32_t            boxes;  /* at the top, so far */
    uint8_t            *box;    /* a moov or moof that did not come at once; */
    size_t              box_held;       /* owned, while there is one: of */
    size_t              box_size;       /* lib/base/large.h */
    size_t              box_len;        /* of it so far */
    uint8_t             box_head;       /* bytes */
    uint32_t            box_type;
    size_t              ahead;  /* bytes that the next read should have */
    bool                done;
    uint64_t            moov_at;
    uint64_t            head;   /* the end of the first moof */

    uint8_t            *moov;   /* owned, likewise; tracks borrow it */
    size_t              moov_held;
    bool                has_moov;
    bool                fragmented;
    uint32_t            timescale;
    unsigned            n;
    reel_movie_track_t  tracks[REEL_MOVIE_TRACKS];
    reel_movie_track_t *video;  /* NULL: sound only */
    bool                has_times;      /* set_times() was called … */
    int64_t             zero_us;        /* … and moved all by that */
    unsigned            ntexts_in;      /* tracks of text … */
    bool                timed;          /* … without those of chapters */
    reel_trak_t         texts_in[REEL_MOVIE_TEXTS];
    const reel_movie_text_t *texts;     /* beside the file, and of these */
    unsigned            ntexts;
    reel_error_t        skipped;        /* why a track was */

    reel_index_t       *ix;     /* what is printed, owned … */
    reel_buf_t          front;  /* … and of it all but the samples */
};

/* keeps a track of text; of too many the first ones */
void reel_movie_add_timed(reel_movie_t *m, const reel_trak_t *t);

/* the times of all tracks, once: errors as of reel_movie_make() */
reel_err_t reel_movie_times(reel_movie_t *m, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * The texts as renditions, from number ix->nsamples on; f: fragments for all
 * of them, name: for each one.
 */
void reel_movie_fill_texts(reel_movie_t *m, reel_index_t *ix,
    reel_ix_rendition_t *q, reel_ix_object_t *o, reel_ix_fragment_t *f,
    char (*names)[REEL_MOVIE_TEXT_NAME]);

/* tracks and their defaults, from the payload of a moov, which m borrows */
reel_err_t reel_movie_read_moov(reel_movie_t *m, const void *p, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif

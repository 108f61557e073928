/*
 * The finished parts of a job, put together: which objects make each
 * rendition, and whether they fit (DESIGN's publish checks).  Reads
 * scratch/<job>/ and stats objects; writes nothing.
 */

#ifndef REEL_WORKERD_PUBLISH_PARTS_H
#define REEL_WORKERD_PUBLISH_PARTS_H

#include "lib/job/record.h"
#include "lib/job/task.h"
#include "lib/store/store.h"

typedef struct {
    char                   name[33];
    const reel_encoded_t **objects;     /* owned array; by frag_from */
    size_t                 nobjects;
    uint32_t               fragments;   /* from 0 without a gap */
    uint64_t               bytes;
} reel_track_t;

typedef struct {
    reel_answer_t       *answers;       /* owned */
    size_t               nanswers;
    reel_track_t        *tracks;        /* owned; video by codec and falling
                                           size, then audio */
    size_t               ntracks;
    const reel_answer_t *image;         /* NULL: none */
    const reel_answer_t *stories;       /* NULL: none */
    reel_result_file_t  *files;         /* owned: of programs, to keep */
    size_t               nfiles;
    reel_warnings_t      warnings;      /* of the source and of all tasks */
    uint32_t             fragments;     /* to be published */
    int64_t              end_ts;        /* of them, in the grid's ticks */
} reel_parts_t;

/*
 * REEL_BADDATA: they do not fit (e says what), REEL_NOTFOUND: nothing to
 * publish yet (growing only), else the store's error.
 */
reel_err_t reel_parts_read(reel_parts_t *p, reel_store_t *s,
    const char *asset, const char *job, const reel_publish_t *t,
    reel_error_t *e) REEL_WARN_UNUSED;
void reel_parts_release(reel_parts_t *p);

/* the switching set of what o is of */
uint8_t reel_track_set(const reel_encoded_t *o);

/* the pure half: p->answers stand, the rest is filled and checked */
reel_err_t reel_parts_join(reel_parts_t *p, const reel_publish_t *t,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif

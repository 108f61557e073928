/*
 * The samples of a rendition whose fragments are made when they are asked
 * for, of a plain file: a packed list, with an anchor where each fragment
 * begins, so that any of them costs the same.  Section SAMPLES of
 * docs/index-format.md; it is kept in memory, never in the store.
 *
 * A sample is varint(size << 3 | sync << 2 | other << 1 | jump), then if it
 * has another duration than the one before that, and if it does not follow
 * the bytes of the one before how far it jumps; then its composition offset
 * where the rendition has such.  Times are in units.
 */

#ifndef REEL_INDEX_SAMPLES_H
#define REEL_INDEX_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/index/packed.h"

#define REEL_SAMPLES_ANCHOR 28  /* bytes of one */
#define REEL_SAMPLES_MAX (1u << 20)     /* of a fragment */

/* as the index has them; both parts borrow its bytes */
typedef struct {
    uint32_t   unit;            /* ticks of one, from 1 */
    bool       offsets;         /* composition offsets are there */
    uint32_t   anchors;
    reel_str_t anchor_bytes;
    reel_str_t sample_bytes;
} reel_samples_t;

typedef struct {
    uint64_t offset;            /* in the file */
    uint32_t size;
    uint32_t duration;          /* ticks */
    int32_t  cts_offset;        /* ticks */
    bool     sync;
} reel_sample_t;

typedef struct {
    /* what the next sample begins with */
    int64_t       decode_ts;
    uint32_t      left;         /* samples of the fragment */

    uint32_t      unit;
    bool          offsets;
    uint32_t      duration;     /* units */
    uint64_t      offset;
    reel_packed_t in;
} reel_samples_cursor_t;

/* goes to fragment k < anchors */
void reel_samples_seek(reel_samples_cursor_t *c, const reel_samples_t *s,
    uint32_t k);

/* the next sample of the fragment; false behind its last */
bool reel_samples_next(reel_samples_cursor_t *c, reel_sample_t *q);

/* what a list is made with; anchors and samples are the two parts of it */
typedef struct {
    uint32_t   unit;
    bool       offsets;
    reel_buf_t anchors;
    reel_buf_t samples;

    uint32_t   number;          /* of samples so far … */
    uint32_t   began;           /* … when the fragment at hand began */
    uint32_t   ticks;           /* of the duration before */
    uint32_t   duration;        /* the same in units */
    uint64_t   offset;
    int64_t    decode_ts;
} reel_samples_writer_t;

/* max: bytes of each part; large may be NULL */
void reel_samples_writer_init(reel_samples_writer_t *w, uint32_t unit,
    bool offsets, size_t max, const reel_large_t *large);

/* so many are to come: it spares growing */
void reel_samples_expect(reel_samples_writer_t *w, uint32_t fragments,
    uint32_t samples);
void reel_samples_writer_release(reel_samples_writer_t *w);

/* ends a fragment, if there is one, and begins the next */
void reel_samples_begin(reel_samples_writer_t *w, int64_t decode_ts);

/* durations and offsets are multiples of the unit */
void reel_samples_add(reel_samples_writer_t *w, const reel_sample_t *q);

/* ends the last fragment.  REEL_NOMEM, REEL_LIMIT */
reel_err_t reel_samples_end(reel_samples_writer_t *w) REEL_WARN_UNUSED;

#endif

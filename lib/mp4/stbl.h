/*
 * The samples of a track in decoding order, from the tables of its stbl (ISO
 * 14496-12, 8.6 to 8.7).  A walk goes forward only; it allocates nothing and
 * borrows the tables.  Every count is compared with the bytes that are there
 * before the walk begins.
 */

#ifndef REEL_MP4_STBL_H
#define REEL_MP4_STBL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mp4/trak.h"

#define REEL_STBL_SAMPLES (1u << 24)    /* of a track; 25 h have 5.4 million */

typedef struct {
    uint64_t offset;            /* in the file */
    uint32_t size;
    uint32_t duration;          /* ticks, as all times */
    int64_t  dts;
    int32_t  cts_offset;        /* presentation - decode */
    bool     sync;
} reel_stbl_sample_t;

/* a table of entries: what is left, and of the entry at hand */
typedef struct {
    const uint8_t *p;           /* of as many entries as there are */
    uint32_t       entries;
    uint32_t       left;        /* samples */
    uint32_t       value;
} reel_stbl_runs_t;

typedef struct {
    reel_err_t       err;       /* sticky */
    reel_error_t    *e;         /* names the box */
    uint32_t         samples;   /* of the track */
    uint32_t         number;    /* of the next one, from 0 */

    reel_stbl_runs_t stts, ctts;
    bool             has_ctts;

    const uint8_t   *stss;
    uint32_t         stss_left; /* entries */
    bool             all_sync;
    uint32_t         next_sync; /* sample number from 1; 0: no more */

    const uint8_t   *sizes;     /* of all */
    uint8_t          size_bits; /* 0: all have size */
    uint32_t         size;

    const uint8_t   *stsc;
    uint32_t         stsc_left; /* entries */
    uint32_t         next_chunk;        /* where the next entry begins */
    uint32_t         per_chunk;
    const uint8_t   *offsets;   /* of all */
    bool             co64;
    uint32_t         chunks;
    uint32_t         chunk;     /* begun, from 1 */
    uint32_t         chunk_left;        /* samples */
    uint64_t         offset;

    int64_t          dts;
    bool             times_only;        /* settable: size and offset are not
                                           wanted, and stay as they are */
} reel_stbl_t;

/*
 * Begins at the first sample.  t and e live as long as s.  REEL_BADDATA,
 * REEL_LIMIT: too many samples; REEL_UNSUPPORTED: no tables at all (a track
 * whose samples lie in fragments has empty ones, and 0 samples).
 */
reel_err_t reel_stbl_init(reel_stbl_t *s, const reel_trak_t *t,
    reel_error_t *e) REEL_WARN_UNUSED;

/* the next ones, at most n: how many?  0: all were read, or s->err is set */
uint32_t reel_stbl_read(reel_stbl_t *s, reel_stbl_sample_t *q, uint32_t n)
    REEL_WARN_UNUSED;

#endif

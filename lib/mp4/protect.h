/*
 * Common Encryption in CMAF (ISO 23001-7; ISO 23000-19, 8): what a header
 * and a fragment have besides, when the samples are encrypted.
 */

#ifndef REEL_MP4_PROTECT_H
#define REEL_MP4_PROTECT_H

#include "lib/base/buf.h"
#include "lib/crypt/seal.h"
#include "lib/mp4/cmaf.h"

typedef struct {
    reel_scheme_t scheme;               /* cenc or cbcs */
    bool     whole;                     /* samples have no subsamples */
    uint8_t  kid[REEL_KID];
    uint8_t  iv[16];                    /* cbcs: of all samples */
    uint8_t  ordinal;                   /* cenc: first byte of each IV */
    bool     rotated;                   /* kid and iv stand in the fragment */
    reel_str_t pssh;                    /* boxes, borrowed; may be empty */

    /* of a fragment: how many each sample has, and all of them in a row */
    const uint16_t         *counts;
    const reel_subsample_t *subs;
} reel_protect_t;

/*
 * Appends the header `in` as that of encrypted samples: its sample entry
 * becomes encv or enca, with what was it in sinf, and the pssh boxes stand
 * at the end of moov.  REEL_BADDATA when it is no header of one track.
 */
reel_err_t reel_protect_header(reel_buf_t *b, reel_str_t in,
    const reel_protect_t *p) REEL_WARN_UNUSED;

/* reel_cmaf_fragment() of encrypted samples; p NULL: of clear ones */
reel_err_t reel_cmaf_fragment_sealed(reel_buf_t *b, uint32_t track_id,
    uint32_t sequence, int64_t decode_ts, const reel_cmaf_sample_t *samples,
    uint32_t n, const reel_protect_t *p) REEL_WARN_UNUSED;

/* what of it goes to the end of traf; moof: where that begins */
void reel_protect_traf(reel_buf_t *b, size_t moof, const reel_protect_t *p,
    int64_t decode_ts, const reel_cmaf_sample_t *samples, uint32_t n);

#endif

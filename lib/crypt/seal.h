/*
 * Samples encrypted as ISO 23001-7 has it, piece by piece: cenc (10.1) and
 * cbcs (10.4).  A sample is a row of subsamples, some clear bytes and then
 * some protected ones; or all of it is protected.  Sizes do not change.
 *
 * cenc: one chain of counters over all protected bytes of a sample.
 * cbcs: a chain a subsample, of each 10 blocks the first; where a whole
 * sample is protected, of all its blocks.  What is left of a block is clear.
 */

#ifndef REEL_CRYPT_SEAL_H
#define REEL_CRYPT_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/crypt/aes.h"
#include "lib/crypt/keys.h"

#define REEL_CBCS_CRYPT  1      /* blocks: encrypted, */
#define REEL_CBCS_SKIP   9      /* and not */

typedef struct {
    uint16_t clear;
    uint32_t hidden;            /* bytes that are protected */
} reel_subsample_t;

typedef struct {
    reel_aes_t *aes;
    bool        cbcs;
    uint8_t     iv[16];

    const reel_subsample_t *subs;       /* that were not begun */
    uint32_t    nsubs;
    bool        whole;
    uint32_t    clear;          /* of the one at hand: left */
    uint32_t    hidden;
    uint32_t    at;             /* hidden bytes so far */
} reel_seal_t;

/* REEL_INVAL for another scheme, REEL_NOMEM; release it in any case */
reel_err_t reel_seal_init(reel_seal_t *s, reel_scheme_t scheme,
    const uint8_t key[16]) REEL_WARN_UNUSED;
void reel_seal_release(reel_seal_t *s);

/*
 * Begins a sample of `size` bytes; subs are borrowed and sum up to it; NULL:
 * all of it is protected.
 */
reel_err_t reel_seal_begin(reel_seal_t *s, const uint8_t iv[16],
    const reel_subsample_t *subs, uint32_t nsubs, uint32_t size)
    REEL_WARN_UNUSED;

/*
 * The next n bytes of the sample, from in to out, which are the same or do
 * not overlap: *done of them, all but some of a block that is not whole.  At
 * the end of the sample, and with 16 bytes, it always gets on.
 */
reel_err_t reel_seal_run(reel_seal_t *s, uint8_t *out, const uint8_t *in,
    size_t n, size_t *done) REEL_WARN_UNUSED;

/* the IV of a sample in cenc: ordinal of the rendition, decode time, 0 */
void reel_cenc_iv(uint8_t iv[16], uint8_t ordinal, int64_t decode_ts);

#endif

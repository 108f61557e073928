/*
 * Transport streams with SAMPLE-AES (Apple, "MPEG-2 Stream Encryption Format
 * for HTTP Live Streaming"): as ts.h makes them, with the bytes of samples
 * encrypted, AES-128-CBC, each NAL unit and frame with the same IV.
 *
 * H.264: NAL units of types 1 and 5 that have more than 48 bytes; 32 stay
 * clear, then of each 160 bytes the first 16 are encrypted, if more than 16
 * are left.  What that gives is protected against start codes once more, as
 * a whole.  AAC: of each frame behind its ADTS header 16 bytes stay clear,
 * and all whole blocks that follow are encrypted.
 *
 * How long a segment will be hangs on what it encrypts to, so nobody knows
 * before it is made.
 */

#ifndef REEL_TS_SEALED_H
#define REEL_TS_SEALED_H

#include "lib/crypt/seal.h"
#include "lib/ts/ts.h"

/* so much input, and room for output, always gets it on */
#define REEL_TS_SEALED_IN   512
#define REEL_TS_SEALED_OUT  (20 * REEL_TS_PACKET)


typedef struct {
    reel_ts_t   ts;             /* fragment, taken, left, out: as there */

    /* its own */
    reel_seal_t seal;
    uint8_t     iv[16];
    uint8_t     tables;         /* written */
    uint64_t    pes_left;       /* raw bytes of the PES */
    bool        last;           /* it is the segment's last one */
    uint32_t    clear;          /* of the frame at hand, or … */
    uint32_t    nal;            /* … bytes of the NAL unit at hand … */
    bool        sealed;         /* … which is encrypted */
    uint8_t     zeros;          /* that were written just before */
    reel_subsample_t sub;
    uint8_t     packet[REEL_TS_PACKET];
    uint8_t     filled;         /* bytes of that */
} reel_ts_sealed_t;

/*
 * Begins a segment as reel_ts_init() does; to be released in any case.
 * REEL_UNSUPPORTED: its sound needs a longer description than there may be.
 */
reel_err_t reel_ts_sealed_init(reel_ts_sealed_t *x,
    const reel_ts_segment_t *seg, const uint8_t key[16],
    const uint8_t iv[16]) REEL_WARN_UNUSED;
void reel_ts_sealed_release(reel_ts_sealed_t *x);

/*
 * As reel_ts_write(), with REEL_TS_SEALED_IN; of cap at most two thirds may
 * be used in one call.  At the end ts.fragment is the number of fragments.
 */
reel_err_t reel_ts_sealed_write(reel_ts_sealed_t *x, uint8_t *out,
    size_t cap, uint8_t *in, size_t len, size_t *written) REEL_WARN_UNUSED;

#endif

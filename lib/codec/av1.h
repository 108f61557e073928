/*
 * AV1 as its bitstream specification (5.5) and the ISOBMFF binding have it:
 * temporal units to samples, a sequence header to av1C, and the codecs
 * parameter.
 */

#ifndef REEL_CODEC_AV1_H
#define REEL_CODEC_AV1_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

typedef struct {
    uint8_t  profile;           /* 0 main, 1 high, 2 professional */
    uint8_t  level, tier;       /* of operating point 0 */
    uint32_t width, height;
    uint8_t  bit_depth;
    bool     monochrome;
    uint8_t  subsampling_x, subsampling_y;
    uint8_t  chroma_position;   /* 0 = unknown */
    uint8_t  primaries, transfer, matrix, full_range;   /* 2 = unspecified */
} reel_av1_sequence_t;

/* reads the payload of a sequence header OBU */
reel_err_t reel_av1_sequence(reel_av1_sequence_t *s, const uint8_t *p,
    size_t len) REEL_WARN_UNUSED;

/*
 * Appends a temporal unit as a sample: every OBU with its size, without
 * temporal delimiters and padding (AV1-ISOBMFF, 2.4).  REEL_UNSUPPORTED:
 * tile lists.
 */
reel_err_t reel_av1_to_sample(reel_buf_t *out, const uint8_t *tu, size_t len)
    REEL_WARN_UNUSED;

/*
 * Appends an av1C payload made of the first sequence header found in OBUs
 * (an encoder's global header, or a key frame's temporal unit).  Bytes that
 * already are one (they begin with 0x81) are copied after a check.
 */
reel_err_t reel_av1_config(reel_buf_t *av1c, const uint8_t *obus, size_t len)
    REEL_WARN_UNUSED;

/* what the record tells, and the sequence header in it */
reel_err_t reel_av1_facts(reel_codec_facts_t *f, reel_str_t av1c)
    REEL_WARN_UNUSED;

/*
 * "av01.0.08M.10.0.110.09.16.09.0", or "av01.0.04M.08" when all that follows
 * is the default or not described; dst has REEL_CODEC_STRING bytes
 */
reel_err_t reel_av1_codec_string(char *dst, size_t cap, reel_str_t av1c)
    REEL_WARN_UNUSED;

#endif

/*
 * AC-3 and E-AC-3 (ETSI TS 102 366): syncframes (clause 4.3, annex E) to the
 * boxes dac3 and dec3 of annex F.
 */

#ifndef REEL_CODEC_AC3_H
#define REEL_CODEC_AC3_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_AC3_FRAME 1536     /* samples of one access unit */

/* appends a dac3 payload made of an AC-3 syncframe's header */
reel_err_t reel_ac3_config(reel_buf_t *dac3, const uint8_t *frame, size_t len)
    REEL_WARN_UNUSED;

/*
 * Appends a dec3 payload made of the syncframes of one access unit: the
 * independent substreams, each with its dependent ones, whole.  The data
 * rate is that of this unit.  bsmod is 0, the complete main.
 */
reel_err_t reel_eac3_config(reel_buf_t *dec3, const uint8_t *unit, size_t len)
    REEL_WARN_UNUSED;

/* channels are those of the first independent substream and what depends */
reel_err_t reel_ac3_facts(reel_codec_facts_t *f, reel_str_t dac3)
    REEL_WARN_UNUSED;
reel_err_t reel_eac3_facts(reel_codec_facts_t *f, reel_str_t dec3)
    REEL_WARN_UNUSED;

/* "ac-3" and "ec-3" */
reel_err_t reel_ac3_codec_string(char *dst, size_t cap, reel_str_t dac3)
    REEL_WARN_UNUSED;
reel_err_t reel_eac3_codec_string(char *dst, size_t cap, reel_str_t dec3)
    REEL_WARN_UNUSED;

#endif

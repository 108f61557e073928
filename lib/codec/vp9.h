/*
 * VP9 as "VP Codec ISO Media File Format Binding" has it: vpcC, made of a
 * key frame's header, and the codecs parameter.
 */

#ifndef REEL_CODEC_VP9_H
#define REEL_CODEC_VP9_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

/*
 * Appends a vpcC payload of what a key frame's uncompressed header tells
 * (VP9 bitstream specification, 6.2).  The level is the lowest that has room
 * for its size at rate_num / rate_den frames a second.  Colours that the
 * container knows better: primaries, transfer and matrix of f, when none of
 * them is 2; size and format are put into f.  REEL_UNSUPPORTED: no key frame.
 */
reel_err_t reel_vp9_config(reel_buf_t *vpcc, reel_codec_facts_t *f,
    const uint8_t *frame, size_t len, uint32_t rate_num, uint32_t rate_den)
    REEL_WARN_UNUSED;

/* what it tells; it has no size */
reel_err_t reel_vp9_facts(reel_codec_facts_t *f, reel_str_t vpcc)
    REEL_WARN_UNUSED;

/*
 * "vp09.02.10.10.01.09.16.09.00", or "vp09.00.41.08" when all that follows is
 * the default or not described; dst has REEL_CODEC_STRING bytes
 */
reel_err_t reel_vp9_codec_string(char *dst, size_t cap, reel_str_t vpcc)
    REEL_WARN_UNUSED;

#endif

/*
 * What H.264 and H.265 share: NAL units in an Annex B byte stream, and their
 * emulation prevention (ISO 14496-10 and 23008-2, 7.3.1 and annex B).
 */

#ifndef REEL_CODEC_NAL_H
#define REEL_CODEC_NAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bits.h"
#include "lib/base/err.h"
#include "lib/base/reader.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

/* far more than parameter sets need; reel_annexb_repeated() is quadratic */
#define REEL_EXTRADATA_MAX (64 * 1024)

/* what is left of an Annex B byte stream; borrows it */
typedef struct {
    const uint8_t *p;           /* behind a start code */
    const uint8_t *end;
} reel_annexb_t;

/* REEL_BADDATA when it does not begin with zeros and a start code */
reel_err_t reel_annexb_init(reel_annexb_t *a, const uint8_t *data, size_t len)
    REEL_WARN_UNUSED;

/* false past the last; a NAL unit without bytes has len 0 */
bool reel_annexb_next(reel_annexb_t *a, reel_str_t *nal);

/* does the same NAL unit stand before nal in the stream that a begins? */
bool reel_annexb_repeated(reel_annexb_t a, reel_str_t nal);

/* not empty, and its forbidden_zero_bit is none */
bool reel_nal_valid(reel_str_t nal);

/*
 * The next NAL unit of a sample of such with 4-byte lengths (14496-15, 5.3.2);
 * false past the last one, or where r fails.
 */
bool reel_nal_next(reel_reader_t *r, reel_str_t *nal);

/*
 * Takes the emulation prevention bytes out: the number of bytes in dst.
 * What does not fit is cut.
 */
size_t reel_nal_unescape(uint8_t *dst, size_t cap, const uint8_t *p,
    size_t len);

/* how many of the bytes p the first n are that reel_nal_unescape() makes */
size_t reel_nal_escaped(const uint8_t *p, size_t len, size_t n);

/* what is seen where nothing is told */
#define REEL_VUI_UNTOLD  { 1, 1, 2, 2, 2, 0 }

/*
 * The beginning of vui_parameters(), the same in both (E.1.1 and E.2.1);
 * where something is not told, or reserved, v's stays.
 */
void reel_nal_vui(reel_bits_t *b, reel_vui_t *v);

#endif

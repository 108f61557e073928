/*
 * Where the data of slices begins in samples of H.264 and H.265: encryption
 * leaves what is before it clear (ISO 23001-7, 10.1 to 10.4).
 */

#ifndef REEL_CODEC_SLICES_H
#define REEL_CODEC_SLICES_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

/* bytes of a NAL unit that are enough for nearly all slices … */
#define REEL_SLICES_LOOK      64

/* … and for all that are looked into */
#define REEL_SLICES_LOOK_MAX  4096

/* knows parameter sets: those of a header, and such as samples have */
typedef struct reel_slices_s  reel_slices_t;

/* config: avcC or hvcC; NULL: no memory, or another codec */
reel_slices_t *reel_slices_new(reel_codec_t codec, reel_str_t config);
void reel_slices_free(reel_slices_t *s);

/*
 * *n: how many bytes are clear of the NAL unit of size bytes, of which nal
 * are the first `have`: up to slice data, or all, when there is none.
 * REEL_AGAIN: that takes more bytes, as far as LOOK_MAX and size.  Of a slice
 * whose header cannot be read it is about what the longest has: 92 bytes of
 * H.264, 284 of H.265.
 */
reel_err_t reel_slices_clear(reel_slices_t *s, const uint8_t *nal,
    uint32_t have, uint32_t size, uint32_t *n) REEL_WARN_UNUSED;

#endif

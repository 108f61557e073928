/*
 * Frames of VP9 in a sample, and how long their uncompressed headers are
 * (VP9 bitstream specification, 6.2 and annex B): what stays clear where
 * they are encrypted ("VP Codec ISO Media File Format Binding").
 */

#ifndef REEL_CODEC_VP9_FRAME_H
#define REEL_CODEC_VP9_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REEL_VP9_REFS        8
#define REEL_VP9_FRAMES      8      /* of a superframe */
#define REEL_VP9_HEADER_MAX  128    /* longer than any uncompressed header */
#define REEL_VP9_INDEX_MAX   34     /* bytes of a superframe's index */

/* sizes of the frames that others refer to; zeroed before a key frame */
typedef struct {
    uint32_t width[REEL_VP9_REFS];
    uint32_t height[REEL_VP9_REFS];
} reel_vp9_refs_t;

/*
 * *n: bytes of the uncompressed header of a frame, of which p are the first
 * len; refs becomes what the next frame is read with.  REEL_BADDATA: it is no
 * frame, or does not end in them.
 */
reel_err_t reel_vp9_frame_header(size_t *n, reel_vp9_refs_t *refs,
    const uint8_t *p, size_t len) REEL_WARN_UNUSED;

/*
 * The sizes of the frames in a sample of size bytes, of which tail are the
 * last len, INDEX_MAX or all: how many, 1 at least.  What is left is an index.
 */
unsigned reel_vp9_superframe(uint32_t sizes[REEL_VP9_FRAMES],
    const uint8_t *tail, size_t len, uint32_t size);

#endif

/*
 * Which bytes of samples are encrypted (ISO 23001-7, 9.5).  Pictures of H.264
 * and H.265 are NAL units with lengths before them: of each slice the header
 * stays clear, and its data is protected: with cbcs all of it, with cenc its
 * whole blocks, which then end with it.  All that is no slice is clear.  Of
 * VP9 the same is done with uncompressed headers and what follows them.
 */

#ifndef REEL_MP4_SUBSAMPLES_H
#define REEL_MP4_SUBSAMPLES_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/codec/slices.h"
#include "lib/crypt/seal.h"

/* bytes of a NAL unit's length */
#define REEL_NAL_LENGTH  4

/* what of a NAL unit reel_subsamples_nal wants to see, if it has as much */
#define REEL_NAL_HEAD      (REEL_NAL_LENGTH + REEL_SLICES_LOOK)
#define REEL_NAL_HEAD_MAX  (REEL_NAL_LENGTH + REEL_SLICES_LOOK_MAX)

/*
 * H.264, H.265 and VP9 have subsamples; audio has whole samples; of AV1
 * REEL_UNSUPPORTED (its tile groups would have to be found).  *whole tells.
 */
reel_err_t reel_subsamples_kind(bool *whole, reel_codec_t codec)
    REEL_WARN_UNUSED;

/*
 * Appends entries (reel_subsample_t) to list, by NAL unit.  begin, nal for
 * each NAL unit, end; clear is what no entry has yet.
 */
typedef struct {
    reel_buf_t   list;
    reel_scheme_t  scheme;      /* cenc or cbcs */
    reel_slices_t *slices;      /* borrowed; NULL where there are none */
    uint32_t     first;         /* entry of the sample at hand */
    uint32_t     clear;
} reel_subsamples_t;

/* at most max entries */
void reel_subsamples_init(reel_subsamples_t *s, reel_scheme_t scheme,
    reel_slices_t *slices, size_t max);
void reel_subsamples_release(reel_subsamples_t *s);

/* a sample: its entries are those that are added from here on */
void reel_subsamples_begin(reel_subsamples_t *s);

/*
 * Takes the NAL unit that begins with the `have` bytes head, of which left
 * bytes are there to the end of the sample: its size, length included.
 * clear: nothing of it is protected.  REEL_BADDATA when it does not fit;
 * REEL_AGAIN: it must see more, NAL_HEAD_MAX bytes or all of left at most.
 */
reel_err_t reel_subsamples_nal(reel_subsamples_t *s, const uint8_t *head,
    uint32_t have, uint32_t left, bool clear, uint32_t *size)
    REEL_WARN_UNUSED;

/*
 * Takes size of the left bytes that are there to the end of the sample; of
 * these the first lead are clear, and maybe some more: all of them or, else,
 * too few to fill a block.
 */
reel_err_t reel_subsamples_add(reel_subsamples_t *s, uint32_t lead,
    uint32_t size, uint32_t left, bool clear) REEL_WARN_UNUSED;

/*
 * *n: the number of entries of the sample, one at least.  REEL_UNSUPPORTED:
 * what is not protected takes more entries than there can be.
 */
reel_err_t reel_subsamples_end(reel_subsamples_t *s, uint16_t *n)
    REEL_WARN_UNUSED;

static inline uint32_t
reel_subsamples_count(const reel_subsamples_t *s)
{
    return (uint32_t) (s->list.len / sizeof(reel_subsample_t));
}

static inline const reel_subsample_t *
reel_subsamples_at(const reel_subsamples_t *s, uint32_t i)
{
    return (const reel_subsample_t *) (const void *) s->list.data + i;
}

#endif

/*
 * How long the slice segment headers of H.265 are (ISO 23008-2, 7.3.6.1):
 * what has to stay clear where slices are encrypted.  They depend on the
 * parameter sets.
 */

#ifndef REEL_CODEC_HEVC_SLICE_H
#define REEL_CODEC_HEVC_SLICE_H

#include "lib/codec/hevc.h"

#define REEL_HEVC_PPS_MAX  64
#define REEL_HEVC_REFS_MAX 15   /* num_ref_idx_active, 7.4.7.1 */

/* a picture parameter set, 7.3.2.3 */
typedef struct {
    bool     known;
    uint8_t  sps;               /* id */
    uint8_t  extra_bits;        /* num_extra_slice_header_bits */
    uint8_t  refs[2];           /* num_ref_idx_l*_default_active_minus1 */
    bool     dependent, output, cabac_init, chroma_qp, weighted, weighted_b;
    bool     entry_points;      /* tiles, or rows that begin by themselves */
    bool     across;            /* pps_loop_filter_across_slices_enabled */
    bool     deblocking_override, deblocking_off;
    bool     modification;      /* lists_modification_present_flag */
    bool     extension;         /* of slice segment headers */
    bool     qp_list;           /* chroma_qp_offset_list_enabled_flag */
} reel_hevc_pps_t;

/* parameter sets by their ids; large */
typedef struct {
    bool               sps_known[REEL_HEVC_SPS_MAX];
    reel_hevc_coding_t sps[REEL_HEVC_SPS_MAX];
    reel_hevc_pps_t    pps[REEL_HEVC_PPS_MAX];
} reel_hevc_sets_t;

/* is nuh_layer_id 0? nal has its header's 2 bytes */
static inline bool
reel_hevc_is_base(const uint8_t *nal)
{
    return (nal[0] & 1) == 0 && (nal[1] & 0xf8) == 0;
}

/*
 * Takes in one NAL unit, an SPS or PPS; others, and such as cannot be read or
 * are of several layers or of screen content, are passed over.
 */
void reel_hevc_sets_add(reel_hevc_sets_t *s, const uint8_t *nal, size_t len);

/* sets, zeroed before, become those of an hvcC */
void reel_hevc_sets_read(reel_hevc_sets_t *s, reel_str_t hvcc);

/*
 * *n: bytes of a slice segment's NAL unit up to its data, its header (2
 * bytes) included; nal is its first len bytes.  REEL_BADDATA when the header
 * does not end in them; REEL_NOTFOUND: nobody told its parameter sets.
 */
reel_err_t reel_hevc_slice_header(size_t *n, const reel_hevc_sets_t *s,
    const uint8_t *nal, size_t len) REEL_WARN_UNUSED;

#endif

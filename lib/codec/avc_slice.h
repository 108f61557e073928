/*
 * How long the slice headers of H.264 are (ISO 14496-10, 7.3.3): what has to
 * stay clear where slices are encrypted.  They depend on the parameter sets.
 */

#ifndef REEL_CODEC_AVC_SLICE_H
#define REEL_CODEC_AVC_SLICE_H

#include "lib/codec/avc.h"

#define REEL_AVC_SPS_MAX  32
#define REEL_AVC_PPS_MAX  256
#define REEL_AVC_REFS_MAX 32    /* of a list, 7.4.3 */

/* a picture parameter set, 7.3.2.2 */
typedef struct {
    bool     known;
    bool     cabac, order_present, weighted, deblocking, redundant;
    uint8_t  sps;               /* id */
    uint8_t  weighted_b;        /* weighted_bipred_idc */
    uint8_t  refs[2];           /* num_ref_idx_l*_default_active_minus1 */
    uint32_t change_rate;       /* of slice groups that change; 0: none */
} reel_avc_pps_t;

/* parameter sets by their ids */
typedef struct {
    bool           sps_known[REEL_AVC_SPS_MAX];
    reel_avc_sps_t sps[REEL_AVC_SPS_MAX];
    reel_avc_pps_t pps[REEL_AVC_PPS_MAX];
} reel_avc_sets_t;

/*
 * Takes in one NAL unit, an SPS or PPS; others, and such as cannot be read,
 * are passed over.
 */
void reel_avc_sets_add(reel_avc_sets_t *s, const uint8_t *nal, size_t len);

/* sets, zeroed before, become those of an avcC */
void reel_avc_sets_read(reel_avc_sets_t *s, reel_str_t avcc);

/*
 * *n: bytes of a slice NAL unit up to the first whole one of slice data, its
 * header (1 byte) included; nal is its first len bytes.  REEL_BADDATA when
 * the header does not end in them; REEL_NOTFOUND: nobody told its parameter
 * sets;
 * REEL_INVAL: not a NAL unit that begins with a slice header.
 */
reel_err_t reel_avc_slice_header(size_t *n, const reel_avc_sets_t *s,
    const uint8_t *nal, size_t len) REEL_WARN_UNUSED;

#endif

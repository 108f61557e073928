/*
 * H.264 as ISO 14496-10 and 14496-15 have it: start codes to length
 * prefixes, parameter sets to avcC, and the RFC 6381 string.
 */

#ifndef REEL_CODEC_AVC_H
#define REEL_CODEC_AVC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

/* table 7-1 */
#define REEL_NAL_SLICE 1
#define REEL_NAL_PARTITION_A 2
#define REEL_NAL_PARTITION_C 4
#define REEL_NAL_IDR 5
#define REEL_NAL_SEI 6
#define REEL_NAL_SPS 7
#define REEL_NAL_PPS 8
#define REEL_NAL_AUD 9

/* does a NAL unit of this type begin with a slice header? */
static inline bool
reel_avc_is_slice(unsigned type)
{
    return type == REEL_NAL_SLICE || type == REEL_NAL_PARTITION_A
           || type == REEL_NAL_IDR;
}

/*
 * Appends one Annex B access unit to out as NAL units with 4-byte lengths
 * (14496-15, 5.3.2), leaving out AUD, SEI, parameter sets and fillers.
 * *slices counts the slice NAL units kept.
 */
reel_err_t reel_avc_to_sample(reel_buf_t *out, const uint8_t *annexb,
    size_t len, unsigned *slices) REEL_WARN_UNUSED;

/* what a sample of NAL units with 4-byte lengths has */
typedef struct {
    unsigned slices;
    unsigned idr;               /* slices of an IDR picture, of those */
    bool     sets;              /* parameter sets, too */
} reel_avc_sample_t;

/* REEL_BADDATA: it is not made of whole NAL units */
reel_err_t reel_avc_sample(reel_avc_sample_t *s, const uint8_t *p,
    size_t len) REEL_WARN_UNUSED;

/*
 * Appends a sample without its access unit delimiters, which whoever makes
 * a transport stream sets anew.
 */
reel_err_t reel_avc_copy_sample(reel_buf_t *out, const uint8_t *p,
    size_t len) REEL_WARN_UNUSED;

/*
 * Appends an AVCDecoderConfigurationRecord made of the SPS and PPS found in
 * Annex B bytes (an encoder's global header).  Bytes that already are an
 * avcC (first byte 1) are copied after a check.
 */
reel_err_t reel_avc_config(reel_buf_t *avcc, const uint8_t *extradata,
    size_t len) REEL_WARN_UNUSED;

typedef struct {
    uint8_t  profile, compat, level;
    uint32_t width, height;     /* cropped */
    reel_vui_t vui;
    uint8_t  chroma_format, bit_depth, chroma_depth;
    uint8_t  interlaced;        /* its pictures may be fields */

    /* what slice headers are read with, 7.4.2.1.1 */
    uint8_t  id;
    bool     planes_apart;      /* separate_colour_plane_flag */
    uint8_t  array_type;        /* ChromaArrayType */
    uint8_t  frame_num_bits;
    uint8_t  order_type;        /* pic_order_cnt_type */
    uint8_t  order_bits;        /* of pic_order_cnt_lsb */
    bool     order_fixed;       /* delta_pic_order_always_zero_flag */
    uint32_t map_units;         /* PicSizeInMapUnits */
} reel_avc_sps_t;

/* reads one SPS NAL unit (with its 1-byte header), 14496-10 7.3.2.1 */
reel_err_t reel_avc_sps(reel_avc_sps_t *sps, const uint8_t *nal, size_t len)
    REEL_WARN_UNUSED;

/* what the first SPS of an avcC tells */
reel_err_t reel_avc_facts(reel_codec_facts_t *f, reel_str_t avcc)
    REEL_WARN_UNUSED;

/* "avc1.64001f" from an avcC; dst has at least 12 bytes (RFC 6381, 3.3) */
reel_err_t reel_avc_codec_string(char *dst, size_t cap, reel_str_t avcc)
    REEL_WARN_UNUSED;

#endif

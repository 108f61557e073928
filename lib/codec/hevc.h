/*
 * H.265 as ISO 23008-2 and 14496-15, 8.3, have it: start codes to length
 * prefixes, parameter sets to hvcC, and the RFC 6381 string of annex E.
 */

#ifndef REEL_CODEC_HEVC_H
#define REEL_CODEC_HEVC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bits.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/reader.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_HEVC_VCL_END 32    /* types of slices are below */
#define REEL_HEVC_VPS 32
#define REEL_HEVC_SPS 33
#define REEL_HEVC_PPS 34

/* general_… of profile_tier_level(), 7.3.3; the same in SPS and hvcC */
typedef struct {
    uint8_t  space;             /* 0; 1 to 3 are A to C */
    bool     high_tier;
    uint8_t  profile;
    uint32_t compat;            /* flag j is bit 31 - j */
    uint8_t  constraints[6];
    uint8_t  level;             /* 30 times the number: 153 = 5.1 */
} reel_hevc_ptl_t;

#define REEL_HEVC_SPS_MAX  16
#define REEL_HEVC_RPS_MAX  64   /* short-term reference picture sets */
#define REEL_HEVC_DPB_MAX  16   /* pictures in one of them */
#define REEL_HEVC_LT_MAX   32

/* a short-term reference picture set: first the earlier pictures */
typedef struct {
    uint8_t  earlier, later;
    uint8_t  used;              /* how many, by the picture itself */
    int16_t  delta[REEL_HEVC_DPB_MAX];
} reel_hevc_rps_t;

/* what slice headers are read with, 7.4.3.2.1 */
typedef struct {
    bool     planes_apart;      /* separate_colour_plane_flag */
    bool     chroma;            /* ChromaArrayType is not 0 */
    bool     sao, temporal_mvp, long_term;
    uint8_t  order_bits;        /* of slice_pic_order_cnt_lsb */
    uint8_t  sets;              /* num_short_term_ref_pic_sets */
    uint8_t  long_terms;        /* num_long_term_ref_pics_sps */
    uint32_t long_used;         /* bit i: used_by_curr_pic_lt_sps_flag[i] */
    uint32_t blocks;            /* PicSizeInCtbsY */
    reel_hevc_rps_t rps[REEL_HEVC_RPS_MAX];
} reel_hevc_coding_t;

typedef struct {
    reel_hevc_ptl_t ptl;
    uint8_t  id;
    uint8_t  sub_layers;        /* 1 … 7 */
    bool     nesting;           /* sps_temporal_id_nesting_flag */
    uint32_t width, height;     /* cropped */
    reel_vui_t vui;
    uint8_t  chroma_format, bit_depth, chroma_depth;
    uint32_t coded_width, coded_height;
    reel_hevc_coding_t coding;
} reel_hevc_sps_t;

/* nal_unit_type, of the first byte */
static inline unsigned
reel_hevc_type(reel_str_t nal)
{
    return (uint8_t) nal.p[0] >> 1 & 0x3f;
}

/* scaling_list_data(), 7.3.4; only walked */
void reel_hevc_skip_scaling_lists(reel_bits_t *b);

/* reads one SPS NAL unit (with its 2-byte header), 7.3.2.2 */
reel_err_t reel_hevc_sps(reel_hevc_sps_t *sps, const uint8_t *nal, size_t len)
    REEL_WARN_UNUSED;

/*
 * Appends one Annex B access unit to out as NAL units with 4-byte lengths,
 * leaving out AUD, SEI, parameter sets and fillers: what a sample of hvc1
 * holds.  *slices counts the slice NAL units kept.
 */
reel_err_t reel_hevc_to_sample(reel_buf_t *out, const uint8_t *annexb,
    size_t len, unsigned *slices) REEL_WARN_UNUSED;

/*
 * Appends an HEVCDecoderConfigurationRecord, 8.3.3.1, made of the parameter
 * sets found in Annex B bytes (an encoder's global header).  Bytes that
 * already are an hvcC (first byte 1) are copied after a check, their arrays
 * called complete, as hvc1 demands.
 */
reel_err_t reel_hevc_config(reel_buf_t *hvcc, const uint8_t *extradata,
    size_t len) REEL_WARN_UNUSED;

/*
 * Appends the head of an hvcC, 14496-15, 8.3.3.1.2, up to the number of
 * arrays, of an SPS of 8 to 15 bits
 */
void reel_hevc_head(reel_buf_t *b, const reel_hevc_sps_t *sps);

/* what record and first SPS of an hvcC tell */
reel_err_t reel_hevc_facts(reel_codec_facts_t *f, reel_str_t hvcc)
    REEL_WARN_UNUSED;

/* "hvc1.2.4.L153.B0"; dst has REEL_CODEC_STRING bytes */
reel_err_t reel_hevc_codec_string(char *dst, size_t cap, reel_str_t hvcc)
    REEL_WARN_UNUSED;


/* hevc_sets.c */

/* over the NAL units of an hvcC, 14496-15, 8.3.3.1.2; borrows it */
typedef struct {
    reel_reader_t r;
    unsigned      arrays;       /* not begun yet */
    unsigned      left;         /* NAL units of the one that is */
} reel_hevc_walk_t;

void reel_hevc_walk_init(reel_hevc_walk_t *w, reel_str_t hvcc);

/* false past the last one, or where the hvcC is broken */
bool reel_hevc_walk_next(reel_hevc_walk_t *w, reel_str_t *nal);


/* hevc_sample.c */

/* what a sample of NAL units with 4-byte lengths has */
typedef struct {
    unsigned slices;
    bool     irap;              /* decoding may begin with its picture, … */
    bool     cra;               /* … which is a CRA picture, no IDR or BLA */
    bool     changed;           /* parameter sets that the hvcC has not, or
                                   more than any has */
    bool     layers;            /* NAL units of another layer than the base */
} reel_hevc_sample_t;

/* REEL_BADDATA: it is not made of whole NAL units */
reel_err_t reel_hevc_sample(reel_hevc_sample_t *s, reel_str_t hvcc,
    const uint8_t *p, size_t len) REEL_WARN_UNUSED;

/*
 * Appends a sample as hvc1 has it, without parameter sets, and without access
 * unit delimiters and fillers.
 */
reel_err_t reel_hevc_copy_sample(reel_buf_t *out, const uint8_t *p,
    size_t len) REEL_WARN_UNUSED;

/* has an hvcC parameter sets?  One of hev1 may have none */
bool reel_hevc_has_sets(reel_str_t hvcc);

/*
 * As reel_hevc_config() of an hvcC; where that has no parameter sets, those of
 * the sample become its.  Its head says what its SPS does, whatever it said.
 * REEL_UNSUPPORTED when reel_hevc_only_sps() takes it for such.
 */
reel_err_t reel_hevc_config_of(reel_buf_t *hvcc, reel_str_t told,
    const uint8_t *sample, size_t len) REEL_WARN_UNUSED;

/*
 * *sps: the one SPS of an hvcC that has one VPS too, and each PPS once, and
 * not many NAL units more
 */
reel_err_t reel_hevc_only_sps(reel_hevc_sps_t *sps, reel_str_t hvcc)
    REEL_WARN_UNUSED;

/*
 * Whether the level is one of annex A.4, and its bounds of size and rate hold
 * pictures of the SPS, num / den of them a second.
 */
bool reel_hevc_level_holds(const reel_hevc_sps_t *sps, uint32_t num,
    uint32_t den);


/* hevc_rps.c */

/*
 * st_ref_pic_set(at), 7.3.7; sets are those before it, all of the SPS's where
 * it stands in a slice header.
 */
void reel_hevc_rps_read(reel_hevc_rps_t *s, reel_bits_t *b,
    const reel_hevc_rps_t *sets, unsigned at, bool in_slice);

#endif

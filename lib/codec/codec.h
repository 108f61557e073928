/*
 * The codecs that reel packs, by the configuration that a sample entry
 * carries for each; and what such a configuration tells.  Every codec has a
 * pair of functions over it: <codec>_facts and <codec>_codec_string.
 */

#ifndef REEL_CODEC_CODEC_H
#define REEL_CODEC_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/reader.h"

typedef enum {
    REEL_CODEC_AVC = 1,         /* avc1; config = avcC payload */
    REEL_CODEC_AAC,             /* mp4a; config = AudioSpecificConfig */
    REEL_CODEC_HEVC,            /* hvc1; config = hvcC payload */
    REEL_CODEC_AV1,             /* av01; config = av1C payload */
    REEL_CODEC_VP9,             /* vp09; config = vpcC payload, its version on */
    REEL_CODEC_OPUS,            /* Opus; config = dOps payload */
    REEL_CODEC_AC3,             /* ac-3; config = dac3 payload */
    REEL_CODEC_EAC3,            /* ec-3; config = dec3 payload */
    REEL_CODEC_FLAC,            /* fLaC; config = dfLa payload, its version on */
    REEL_CODEC_MP3              /* mp4a; config = its object type, a byte */
} reel_codec_t;

/*
 * HDR10's static metadata as SEI, AV1 metadata and the boxes mdcv and clli
 * have it (ISO 23008-2, D.3.28 and D.3.35)
 */
typedef struct {
    bool     mastering;         /* the first four are known */
    uint16_t primaries[3][2];   /* green, blue, red: x and y in 0.00002 */
    uint16_t white[2];
    uint32_t max_luminance;     /* in 0.0001 cd/m2 */
    uint32_t min_luminance;

    bool     light;             /* the last two are known */
    uint16_t max_cll;           /* cd/m2 */
    uint16_t max_fall;
} reel_hdr_t;

/* the 24 bytes of mastering, the same in SEI and mdcv; h's when r has them */
void reel_hdr_mastering(reel_hdr_t *h, reel_reader_t *r);

/* how samples are to be seen, ISO 23091-2 code points; 2 = unspecified */
typedef struct {
    uint32_t sar_num, sar_den;  /* 1:1 when absent */
    uint8_t  primaries, transfer, matrix, full_range;
} reel_vui_t;

/* 0 where the configuration does not say */
typedef struct {
    uint8_t  profile, level;    /* as the codec numbers them; AAC: object type */
    bool     high_tier;

    uint32_t width, height;     /* as shown, in pixels */
    uint8_t  chroma_format;     /* 0 = mono, 1 = 4:2:0, 2 = 4:2:2, 3 = 4:4:4 */
    uint8_t  bit_depth;         /* of luma, or of a sound's samples */
    /* ISO 23091-2 code points; 2 = unspecified */
    uint8_t  primaries, transfer, matrix;
    bool     full_range;
    reel_hdr_t hdr;

    uint32_t sample_rate;       /* as heard */
    uint16_t channels;
    uint16_t frame;             /* samples at that rate an access unit */
} reel_codec_facts_t;

/* the longest codec string, terminated */
#define REEL_CODEC_STRING 64

#endif

/*
 * The codecs that reel packs, by the configuration that a sample entry
 * carries for each; and what such a configuration tells.  Every codec has a
 * pair of functions over it: <codec>_facts and <codec>_codec_string.
 */

#ifndef REEL_CODEC_CODEC_H
#define REEL_CODEC_CODEC_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    REEL_CODEC_AVC = 1,         /* avc1; config = avcC payload */
    REEL_CODEC_AAC              /* mp4a; config = AudioSpecificConfig */
} reel_codec_t;

/* 0 where the configuration does not say */
typedef struct {
    uint32_t width, height;     /* as shown, in pixels */
    uint8_t  chroma_format;     /* 0 = mono, 1 = 4:2:0, 2 = 4:2:2, 3 = 4:4:4 */
    uint8_t  bit_depth;         /* of luma, or of a sound's samples */
    /* ISO 23091-2 code points; 2 = unspecified */
    uint8_t  primaries, transfer, matrix;
    bool     full_range;

    uint32_t sample_rate;       /* as heard */
    uint16_t channels;
} reel_codec_facts_t;

/* the longest codec string, terminated */
#define REEL_CODEC_STRING 64

#endif

/* what a track's configuration makes it for others: brands, VIDEO-RANGE */

#ifndef REEL_MP4_PROFILE_H
#define REEL_MP4_PROFILE_H

#include "lib/codec/codec.h"
#include "lib/index/index.h"
#include "lib/mp4/cmaf.h"

/*
 * The brand of the smallest CMAF media profile that a track fits, 0 when it
 * fits none (ISO 23000-19, annex A and B, 10.5; ETSI TS 102 366, annex F).
 * A profile's bound of 60 frames a second is left to the level.
 */
uint32_t reel_brand_avc(const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f);
uint32_t reel_brand_hevc(const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f);
uint32_t reel_brand_aac(const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f);
uint32_t reel_brand_eac3(const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f);

/* "av01", which AV1-ISOBMFF 2.1 wants in every file */
uint32_t reel_brand_av1(const reel_cmaf_track_t *t,
    const reel_codec_facts_t *f);

/*
 * VIDEO-RANGE of a transfer characteristic of ISO 23091-2: 16 is PQ, 18 is
 * HLG, all others are SDR (RFC 8216bis, 4.4.6.2)
 */
reel_video_range_t reel_video_range(uint8_t transfer);

#endif

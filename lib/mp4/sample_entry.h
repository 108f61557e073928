/*
 * Sample entries of stsd: what a decoder must know (ISO 14496-12, 8.5.2).
 * The track has been checked.
 */

#ifndef REEL_MP4_SAMPLE_ENTRY_H
#define REEL_MP4_SAMPLE_ENTRY_H

#include "lib/mp4/cmaf.h"

/* the longest AudioSpecificConfig: keeps every descriptor below 128 bytes */
#define REEL_MP4_ASC_MAX 64

void reel_mp4_write_avc1(reel_buf_t *b, const reel_cmaf_track_t *t);
void reel_mp4_write_mp4a(reel_buf_t *b, const reel_cmaf_track_t *t);

#endif

/*
 * MPEG-1 and MPEG-2 audio, layer III, in an MP4 file: nothing but its object
 * type tells it from other sound (ISO 14496-1, 7.2.6.6.2); rate and channels
 * are its sample entry's.
 */

#ifndef REEL_CODEC_MP3_H
#define REEL_CODEC_MP3_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_MP3_MPEG2  0x69    /* ISO 13818-3: 16 to 24 kHz */
#define REEL_MP3_MPEG1  0x6b    /* ISO 11172-3 */

/* type: the byte.  REEL_BADDATA: another one */
reel_err_t reel_mp3_facts(reel_codec_facts_t *f, reel_str_t type)
    REEL_WARN_UNUSED;

/* "mp4a.6B", as RFC 6381 has it and browsers ask for */
reel_err_t reel_mp3_codec_string(char *dst, size_t cap, reel_str_t type)
    REEL_WARN_UNUSED;

#endif

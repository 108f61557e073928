/*
 * Languages: containers carry ISO 639-2 (three letters, in two variants),
 * players want BCP 47, which prefers the two letters of ISO 639-1 where a
 * language has them (RFC 5646, 2.2.1).
 */

#ifndef REEL_WORKERD_AV_LANG_H
#define REEL_WORKERD_AV_LANG_H

#include <stddef.h>

/* "eng", "en-US" → "en", "en-US"; unknown or senseless → "" */
void reel_av_lang_bcp47(char *dst, size_t cap, const char *tag);

/* "en-US" → "eng"; "und" when nothing fits */
void reel_av_lang_iso(char dst[4], const char *bcp47);

#endif
